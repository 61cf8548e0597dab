"""From a name to an open connection, and reading from it up to a deadline."""

from __future__ import annotations

import io
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from opsd.drivers.net.tracing import Blind, Broke, Deadline, Tracer
from opsd.trace import Cause

_FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
# What says most about a server comes first.
_TELLING = (
    Cause.CONNECT_REFUSED,
    Cause.CONNECT_RESET,
    Cause.CONNECT_TIMEOUT,
    Cause.CONNECT_UNREACHABLE,
)
_UNKNOWN = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}

Found = list[str] | socket.gaierror


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect to."""

    address: str
    port: int
    family: str = "any"


class Lookups:
    """Asks the system's resolver in threads: it cannot be interrupted, and may answer late.

    A name that is still being asked for is waited for and not asked again.
    """

    def __init__(self) -> None:
        self._asking: dict[tuple[str, str], tuple[threading.Thread, list[Found]]] = {}

    def find(self, place: Place, deadline: Deadline) -> list[str]:
        """The addresses of a name. Raises `socket.gaierror` or `TimeoutError`."""
        key = (place.address, place.family)
        thread, found = self._asking.get(key, (None, []))
        if thread is None or not thread.is_alive():
            found = []
            thread = threading.Thread(target=_look_up, args=(*key, found), daemon=True)
            self._asking[key] = (thread, found)
            thread.start()
        thread.join(deadline.left())
        if not found:
            raise TimeoutError
        self._asking.pop(key, None)
        if isinstance(found[0], socket.gaierror):
            raise found[0]
        return found[0]


_LOOKUPS = Lookups()


def resolve(place: Place, tracer: Tracer) -> list[str]:
    """The addresses of a place; one that is written as an address is that one."""
    try:
        return [str(ipaddress.ip_address(place.address))]
    except ValueError:
        pass
    with tracer.timed("dns"):
        try:
            return _LOOKUPS.find(place, tracer.deadline)
        except socket.gaierror as error:
            unknown = error.errno in _UNKNOWN
            cause = Cause.DNS_UNKNOWN if unknown else Cause.DNS_FAILED
            raise Broke(cause, f"{place.address}: {error.strerror}") from error


def connect(place: Place, tracer: Tracer) -> socket.socket:
    """A connection to the first address that accepts one."""
    addresses = resolve(place, tracer)
    with tracer.timed("connect"):
        refused: list[Broke] = []
        for index, address in enumerate(addresses):
            patience = tracer.deadline.left() / (len(addresses) - index)
            try:
                opened = _open(address, place.port, patience)
            except Broke as broke:
                refused.append(broke)
                if tracer.deadline.over:
                    break
                continue
            tracer.know(peer=address, local=str(opened.getsockname()[0]))
            return opened
        tracer.know(peer=addresses[0], local=_own_address(addresses[0]))
        raise Broke(_most_telling(refused), "; ".join(broke.detail for broke in refused))


def find_listener(path: str, tracer: Tracer) -> None:
    """See that somebody listens on a socket of this machine; a name may begin with `@`."""
    tracer.know(socket=path)
    with tracer.timed("connect"), socket.socket(socket.AF_UNIX) as tried:
        # Not `settimeout`: without it the kernel waits for who is busy, and says so at the end.
        seconds = tracer.deadline.left()
        limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6) + 1)
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        try:
            tried.connect(f"\0{path[1:]}" if path.startswith("@") else path)
        except PermissionError as error:
            raise Blind(f"{path}: {error.strerror}") from error
        except OSError as error:
            raise Broke(_cause_here(error), f"{path}: {error.strerror or error}") from error


def _cause_here(error: OSError) -> Cause:
    """Where nobody listens there is no socket, or one that somebody left there."""
    match error:
        case FileNotFoundError():
            return Cause.CONNECT_REFUSED
        case BlockingIOError():
            return Cause.CONNECT_TIMEOUT
        case _:
            return _cause(error)


def _own_address(address: str) -> str:
    """Our address on the way to another, by which the other side may look for us."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as unsent:
        try:
            unsent.connect((address, 9))
        except OSError:
            return ""
        return str(unsent.getsockname()[0])


def reopen(place: Place, peer: str, deadline: Deadline) -> socket.socket:
    """One more connection to the same address."""
    return _open(peer, place.port, deadline.left())


def _open(address: str, port: int, patience: float) -> socket.socket:
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        opened = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise Blind(str(error)) from error
    opened.settimeout(patience)
    try:
        opened.connect((address, port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        opened.close()
        raise Broke(_cause(error), f"{where}: {error.strerror or 'timed out'}") from error
    return opened


def _cause(error: OSError) -> Cause:
    match error:
        case ConnectionRefusedError():
            return Cause.CONNECT_REFUSED
        case ConnectionError():
            return Cause.CONNECT_RESET
        case TimeoutError():
            return Cause.CONNECT_TIMEOUT
        case _:
            return Cause.CONNECT_UNREACHABLE


def _most_telling(refused: Iterable[Broke]) -> Cause:
    causes = {broke.cause for broke in refused}
    return next(cause for cause in _TELLING if cause in causes)


def _look_up(address: str, family: str, found: list[Found]) -> None:
    try:
        rows = socket.getaddrinfo(address, None, _FAMILIES[family], socket.SOCK_STREAM)
    except socket.gaierror as error:
        found.append(error)
    except (OSError, UnicodeError) as error:
        found.append(socket.gaierror(socket.EAI_FAIL, str(error)))
    else:
        found.append(list(dict.fromkeys(str(row[4][0]) for row in rows)))


class Line:
    """A connection whose every read and write ends at the deadline, however little comes."""

    def __init__(self, opened: socket.socket, deadline: Deadline) -> None:
        self._socket = opened
        self._deadline = deadline
        self.first_byte: float | None = None

    def sendall(self, content: bytes) -> None:
        """Send all of it."""
        rest = memoryview(content)
        while rest:
            self._socket.settimeout(self._deadline.left())
            rest = rest[self._socket.send(rest) :]

    def read_into(self, buffer: memoryview) -> int:
        """Read what is there."""
        self._socket.settimeout(self._deadline.left())
        try:
            count = self._socket.recv_into(buffer)
        except ssl.SSLEOFError:  # closed without TLS's goodbye, as many servers do
            count = 0
        if self.first_byte is None:
            self.first_byte = time.monotonic()
        return count

    def makefile(self, _mode: str, *_: object) -> io.BufferedReader:
        """A stream of what comes, as `http.client` wants it."""
        return io.BufferedReader(_Stream(self))

    def close(self) -> None:
        """Nothing: `http.client` closes while it still reads; who opened the socket closes it."""


class _Stream(io.RawIOBase):
    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._line.read_into(buffer)
