"""The way to a host: its address, and a socket that knows when nobody answers any more."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from opsd.errors import HostUnreachable

SSH_PORT = 22
_UNACKNOWLEDGED_MILLISECONDS = 5000
# Fabric waits for Nagle's algorithm and for ever on a dead link, unless its socket says otherwise.
_SOCKET_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MILLISECONDS),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a host answers, as whom, and how each knows the other.

    `patience` is how long each step of the way there may take.
    """

    host: str
    address: str
    port: int
    user: str
    key: Path
    known_hosts: Path
    patience: timedelta

    @property
    def known_as(self) -> str:
        """Its name in `known_hosts`."""
        return self.address if self.port == SSH_PORT else f"[{self.address}]:{self.port}"


def connected(to: Address) -> socket.socket:
    """A socket to the host, from the first of its addresses that answers."""
    deadline = time.monotonic() + to.patience.total_seconds()
    last: OSError = TimeoutError("no address")
    for family, kind, protocol, _, place in _resolved(to):
        way = socket.socket(family, kind, protocol)
        try:
            for option in _SOCKET_OPTIONS:
                way.setsockopt(*option)
            way.settimeout(max(deadline - time.monotonic(), 0.05))
            way.connect(place)
        except OSError as error:
            way.close()
            last = error
        else:
            return way
    if isinstance(last, TimeoutError):
        raise HostUnreachable(
            "host.silent", reason="timeout", host=to.host, limit=to.patience, detail=str(last)
        ) from last
    raise HostUnreachable(
        "host.connect", reason="connect", host=to.host, port=to.port, detail=str(last)
    ) from last


def _resolved(to: Address) -> list[Any]:
    """What the name stands for; a resolver that hangs is not waited for."""
    found: list[Any] = []
    trouble: list[OSError] = []

    def resolve() -> None:
        try:
            found.extend(socket.getaddrinfo(to.address, to.port, type=socket.SOCK_STREAM))
        except OSError as error:
            trouble.append(error)

    if _is_number(to.address):
        resolve()
    else:
        asking = threading.Thread(target=resolve, daemon=True)
        asking.start()
        asking.join(to.patience.total_seconds())
    if not found:
        raise HostUnreachable(
            "host.dns",
            reason="dns",
            host=to.host,
            address=to.address,
            detail=str(trouble[0]) if trouble else "",
        )
    return list(found)


def _is_number(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
