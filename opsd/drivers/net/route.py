"""The way that packets go: which routers answer, by the errors that the kernel keeps for us.

No privilege is needed: it is how `tracepath` looks.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from contextlib import ExitStack

from opsd.trace import Hop

_HOPS = 20
_PATIENCE_SECONDS = 1.5
_FIRST_PORT = 33434
# Linux's numbers; the module `socket` does not have them all.
_RECEIVE_ERRORS = {socket.AF_INET: (0, 11), socket.AF_INET6: (41, 25)}
_TIME_TO_LIVE = {socket.AF_INET: (0, 2), socket.AF_INET6: (41, 16)}
_ERROR = struct.Struct("=IBBBBII")  # struct sock_extended_err; the router's address follows
_EXPIRED = {(2, 11, 0), (3, 3, 0)}  # origin, type, code: the packet's life ended on the way


def route(address: str) -> tuple[Hop, ...]:
    """The routers between us and an address, up to it; those that say nothing are left out."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found: dict[int, Hop] = {}
    with ExitStack() as stack:
        sent: dict[int, tuple[int, socket.socket, float]] = {}
        poll = select.poll()
        for life in range(1, _HOPS + 1):
            probe = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            try:
                _send(probe, address, life)
            except OSError:
                break
            sent[probe.fileno()] = life, probe, time.monotonic()
            poll.register(probe, 0)  # errors are told whatever is asked for
        until = time.monotonic() + _PATIENCE_SECONDS
        while sent and (left := until - time.monotonic()) > 0:
            for number, _ in poll.poll(left * 1000):
                life, probe, began = sent.pop(number)
                poll.unregister(number)
                if hop := _hop(probe, life, time.monotonic() - began):
                    found[life] = hop
    return _up_to_the_end(found)


def _send(probe: socket.socket, address: str, life: int) -> None:
    probe.setsockopt(*_RECEIVE_ERRORS[probe.family], 1)
    probe.setsockopt(*_TIME_TO_LIVE[probe.family], life)
    probe.connect((address, _FIRST_PORT + life))
    probe.send(b"opsd")


def _hop(probe: socket.socket, life: int, seconds: float) -> Hop | None:
    try:
        _, told, _, _ = probe.recvmsg(512, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    for _, _, content in told:
        if len(content) > _ERROR.size:
            _, origin, kind, code, *_ = _ERROR.unpack_from(content)
            address = _offender(content[_ERROR.size :])
            end = (origin, kind, code) not in _EXPIRED
            return Hop(life, address, seconds, end=end) if address else None
    return None


def _offender(content: bytes) -> str:
    """The address in a struct sockaddr."""
    family = int.from_bytes(content[:2], "little")
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, content[4:8])
    if family == socket.AF_INET6:
        return socket.inet_ntop(socket.AF_INET6, content[8:24])
    return ""


def _up_to_the_end(found: dict[int, Hop]) -> tuple[Hop, ...]:
    way: list[Hop] = []
    for life in sorted(found):
        way.append(found[life])
        if found[life].end:
            break
    return tuple(way)
