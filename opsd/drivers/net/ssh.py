"""SSH servers from outside: banner, key exchange, host key. Nobody logs in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from opsd.drivers import process
from opsd.drivers.net.connection import Line, Place, connect
from opsd.drivers.net.tracing import Blind, Broke, Deadline, Tracer
from opsd.errors import TimedOut, ToolFailed
from opsd.trace import Cause

_USUAL_PORT = 22
_BANNER_BYTES = 8 << 10
_BEGIN = b"SSH-"
# A kind of key as known_hosts has it -> as ssh-keyscan asks for it.
_KINDS = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}
_ECDSA = "ecdsa-sha2-"

Key = tuple[str, str]  # kind, base64


def greet(place: Place, known_hosts: Path | None, tracer: Tracer) -> None:
    """Read the banner, exchange keys, and compare the host key with the one that is known."""
    known = _known(place, known_hosts)
    with connect(place, tracer) as opened, tracer.timed("banner"):
        tracer.know(server=_banner(opened, tracer))
    with tracer.timed("key"):
        if known_hosts is not None and not known:
            raise Broke(Cause.KEY_UNKNOWN, str(known_hosts))
        shown = _scan(tracer.facts.peer, place.port, known, tracer)
        tracer.know(answers=tuple(f"{kind} {_fingerprint(key)}" for kind, key in shown))
        if known and not known & set(shown):
            raise Broke(Cause.KEY_CHANGED, ", ".join(tracer.facts.answers))


def _banner(opened: socket.socket, tracer: Tracer) -> str:
    """The line that names the server; others may come before it (RFC 4253, 4.2)."""
    line = Line(opened, tracer.deadline)
    read = b""
    with line.makefile("rb") as stream:
        while len(read) < _BANNER_BYTES:
            one = stream.readline(_BANNER_BYTES - len(read))
            read += one
            if one.startswith(_BEGIN) and one.endswith(b"\n"):
                return one.decode(errors="backslashreplace").strip()
            if not one:
                raise ConnectionResetError(_shown(read))
    raise Broke(Cause.BANNER_WRONG, _shown(read))


def _shown(read: bytes) -> str:
    return read[:80].decode(errors="backslashreplace")


def _known(place: Place, known_hosts: Path | None) -> set[Key]:
    if known_hosts is None:
        return set()
    try:
        text = known_hosts.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Blind(f"{known_hosts}: {error.strerror}") from error
    return set(known_keys(text, place.address, place.port))


def known_keys(text: str, address: str, port: int) -> Iterator[Key]:
    """The keys of a host in a `known_hosts` file; lines with marks (@) are not for us."""
    name = address if port == _USUAL_PORT else f"[{address}]:{port}"
    for line in text.splitlines():
        hosts, *rest = line.split() or [""]
        if len(rest) >= 2 and not hosts.startswith(("#", "@")) and _names(hosts, name):
            yield rest[0], rest[1]


def _names(hosts: str, name: str) -> bool:
    if hosts.startswith("|1|"):
        salt, digest = (base64.b64decode(part) for part in hosts.split("|")[2:4])
        return hmac.compare_digest(hmac.digest(salt, name.encode(), hashlib.sha1), digest)
    patterns = [pattern.lower() for pattern in hosts.split(",")]
    # Brackets are letters here, not sets of letters.
    fits = [p for p in patterns if fnmatchcase(name.lower(), p.lstrip("!").replace("[", "[[]"))]
    return bool(fits) and not any(pattern.startswith("!") for pattern in fits)


def _scan(peer: str, port: int, known: set[Key], tracer: Tracer) -> tuple[Key, ...]:
    """The host keys that the server shows, each in a key exchange of its own."""
    wanted = sorted({_asked(kind) for kind, _ in known}) or ["ed25519", "ecdsa", "rsa"]
    patience = tracer.deadline.left()
    argv = ("ssh-keyscan", "-T", str(max(1, int(patience))), "-p", str(port))
    command = process.Command(
        (*argv, "-t", ",".join(wanted), peer), timedelta(seconds=patience), death_signal="KILL"
    )
    try:
        done = process.run(command)
    except TimedOut as error:
        raise Broke(Cause.KEY_TIMEOUT) from error
    except ToolFailed as error:
        raise Blind(str(error)) from error
    lines = [line.split() for line in done.text.splitlines() if not line.startswith("#")]
    shown = tuple((words[1], words[2]) for words in lines if len(words) >= 3)
    if not shown:
        raise Broke(Cause.KEY_RESET, done.complaint)
    return shown


@dataclass(frozen=True, slots=True)
class Shown:
    """A host key that a server shows."""

    kind: str
    key: str

    @property
    def fingerprint(self) -> str:
        """What people compare."""
        return _fingerprint(self.key)


def scan(address: str, port: int, patience: timedelta) -> tuple[Shown, ...]:
    """The host keys that a server shows to anybody; none where it does not answer."""
    tracer = Tracer(Deadline(patience), lambda _: None)
    try:
        return tuple(Shown(*key) for key in _scan(address, port, set(), tracer))
    except (Broke, Blind):
        return ()


def _asked(kind: str) -> str:
    return "ecdsa" if kind.startswith(_ECDSA) else _KINDS.get(kind, kind)


def _fingerprint(key: str) -> str:
    digest = hashlib.sha256(base64.b64decode(key)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
