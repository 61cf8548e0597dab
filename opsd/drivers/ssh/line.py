"""One connection to a host, with Fabric: who answers there is known, or refused.

The only door to Fabric and paramiko, which are loaded for the first host: most of opsd's commands
ask none.
"""

from __future__ import annotations

import importlib
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeAlias

from opsd.drivers.ssh.way import Address
from opsd.errors import HostUnreachable

# Neither library ships types.
Session: TypeAlias = Any
_Connection: TypeAlias = Any
_Key: TypeAlias = Any
_Keys: TypeAlias = Any

# How often the thread of a connection looks up when nothing arrives; closing wakes it anyway.
_IDLE_SECONDS = 60.0
_STEPS = 3  # of the way: hello, keys, account


def breaks() -> tuple[type[Exception], ...]:
    """What a connection raises when it breaks. Loads the libraries, before any clock runs."""
    _fabric()
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # our errors say it
    return (_paramiko().SSHException, EOFError, OSError)


class Line:
    """One socket and the connection over it; neither is ever opened again."""

    def __init__(self, way: socket.socket) -> None:
        self._way = way
        self._connection: _Connection = None

    def open(self, to: Address) -> None:
        """Shake hands with the host that `known_hosts` knows. Raises `HostUnreachable`."""
        self._connection = _connection(self._way, to)
        client = self._connection.client
        client.set_missing_host_key_policy(_paramiko().RejectPolicy())
        for kind, key in _known(to).items():
            client.get_host_keys().add(to.known_as, kind, key)
        with self.guarded(_STEPS * to.patience), _translated(to):
            self._connection.open()
        self._way.settimeout(_IDLE_SECONDS)  # ten looks a second for each host are dear

    @property
    def alive(self) -> bool:
        """Whether it still stands, as far as is known here."""
        return self._connection is not None and bool(self._connection.is_connected)

    def session(self) -> Session:
        """A new channel over it."""
        if not self.alive:
            raise EOFError("the connection is over")  # Fabric would open it again, on this socket
        return self._connection.create_session()

    @contextmanager
    def guarded(self, limit: timedelta) -> Iterator[None]:
        """Cut the way when the block takes longer: not every wait of paramiko ends."""
        timer = threading.Timer(limit.total_seconds(), self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """End it, at once."""
        self._cut()
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
        self._way.close()

    def _cut(self) -> None:
        with suppress(OSError):
            self._way.shutdown(socket.SHUT_RDWR)


def _fabric() -> Any:  # noqa: ANN401  (a module)
    return importlib.import_module("fabric")


def _paramiko() -> Any:  # noqa: ANN401  (a module)
    return importlib.import_module("paramiko")


def _connection(way: socket.socket, to: Address) -> _Connection:
    patience = to.patience.total_seconds()
    fabric = _fabric()
    return fabric.Connection(
        to.address,
        user=to.user,
        port=to.port,
        # Given and lazy: no file of anybody's SSH or Fabric configuration has a say.
        config=fabric.Config(ssh_config=_paramiko().SSHConfig(), lazy=True),
        connect_timeout=patience,
        connect_kwargs={
            "sock": way,
            "pkey": _key(to),
            "allow_agent": False,
            "look_for_keys": False,
            "banner_timeout": patience,
            "auth_timeout": patience,
            "channel_timeout": patience,
        },
    )


@contextmanager
def _translated(to: Address) -> Iterator[None]:
    """Say what went wrong in our words."""
    paramiko = _paramiko()
    try:
        yield
    except paramiko.BadHostKeyException as error:
        raise HostUnreachable(
            "host.key_changed",
            reason="host_key",
            host=to.host,
            path=to.known_hosts,
            detail=f"{error.key.get_name()} {error.key.fingerprint}",
        ) from error
    except paramiko.AuthenticationException as error:
        raise HostUnreachable(
            "host.auth", reason="auth", host=to.host, user=to.user, detail=str(error)
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise HostUnreachable(
            "host.silent", reason="timeout", host=to.host, limit=to.patience, detail=str(error)
        ) from error


def _key(to: Address) -> _Key:
    paramiko = _paramiko()
    try:
        return paramiko.PKey.from_path(to.key)
    except (paramiko.SSHException, OSError, ValueError, TypeError) as error:
        raise HostUnreachable(
            "host.key_unusable", reason="auth", host=to.host, path=to.key, detail=str(error)
        ) from error


def _known(to: Address) -> _Keys:
    """The keys of this host that `known_hosts` names."""
    paramiko = _paramiko()
    try:
        known = paramiko.HostKeys(str(to.known_hosts)).lookup(to.known_as)
    except (paramiko.SSHException, OSError, ValueError) as error:
        raise HostUnreachable(
            "host.known_hosts",
            reason="host_key",
            host=to.host,
            path=to.known_hosts,
            detail=str(error),
        ) from error
    if known is None:
        raise HostUnreachable(
            "host.key_unknown",
            reason="host_key",
            host=to.host,
            path=to.known_hosts,
            detail=to.known_as,
        )
    return known
