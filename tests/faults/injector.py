"""Every call that crosses a door, counted, and one of them made to fail.

Production code knows nothing of it. What starts programs passes one function of
`opsd.drivers.process`; what asks a database passes psycopg's `connect` and `execute`, and
SQLAlchemy's cursor; what asks a bucket passes botocore's `_make_api_call`; what touches a file of
ours passes Python's audit hooks, which may raise.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import botocore.client
import botocore.exceptions
import psycopg
import pytest
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from opsd.drivers import cluster, process
from opsd.errors import ToolFailed
from tests.site import ROOT

OURS = str(ROOT / "opsd")
_HALF = 'f=$(mktemp); "$@" >"$f"; c=$?; head -c $(($(wc -c <"$f") / 2)) "$f"; rm "$f"; exit $c'
_GARBLED = "\"$@\" | tr '{}[]:,0-9a-f' 'zyxwvu(-/G-L'; exit 0"
_SO_FAST = 1e6
_SHORT = 0.02  # seconds, between two looks at something
# Files are counted once a place in the code and kind of call: sixty scans are one place.
_MOST = {"process": 1_000, "database": 3, "history": 2, "file": 1, "s3": 2}
# Which way a request goes inside these says nothing of who asked.
_THE_DOORS = ("drivers/process.py", "drivers/s3.py")


class Crossing(NamedTuple):
    """A call through a door: what was asked, from where in our code, and which time it is.

    It is counted anew in each part of a night.
    """

    door: str
    what: str
    where: str
    time: int
    part: str = ""

    def __str__(self) -> str:
        part = f"{self.part}, " if self.part else ""
        return f"{part}{self.door}: {self.what} at {self.where} ({self.time})"


class Halted(BaseException):
    """The night was to end before this part."""


KINDS: Mapping[str, tuple[str, ...]] = {
    "process": (
        "exit 1", "exit 2", "exit 3", "exit 11", "exit 12", "killed", "hang", "truncated",
        "garbled", "ENOSPC", "EACCES",
    ),
    "database": ("gone", "refused"),
    "history": ("ENOSPC", "locked"),
    "file": ("ENOSPC", "EACCES"),
    "s3": ("500", "403", "cut"),
}  # fmt: skip


@dataclass
class Injector:
    """Counts what crosses; when `armed`, makes one crossing fail in one way, once."""

    base: Path
    part: str = ""
    halt_before: str = ""
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)
    crossings: list[Crossing] = field(default_factory=list)
    armed: tuple[Crossing, str] | None = None
    struck: bool = False
    counting: bool = False
    hung_at: float = 0.0
    _lock: Any = field(default_factory=threading.RLock)
    _inside: threading.local = field(default_factory=threading.local)

    def cross(self, door: str, what: str) -> str:
        """Note a crossing; gives how it is to fail, empty where it is not."""
        if not self.counting or getattr(self._inside, "busy", False):
            return ""
        self._inside.busy = True
        try:
            where = _where(sys._getframe(2))
            if not where:
                return ""
            with self._lock:
                key = (door, what, where, self.part)
                self.seen[key] += 1
                number = self.seen[key]
                if number > _MOST[door]:
                    return ""
                found = Crossing(door, what, where, number, self.part)
                self.crossings.append(found)
                if self.armed is not None and self.armed[0] == found and not self.struck:
                    self.struck = True
                    return self.armed[1]
                return ""
        finally:
            self._inside.busy = False

    def enter(self, part: str) -> None:
        """A part of the night begins. Raises `Halted` where it is not to."""
        if self.halt_before == part:
            raise Halted
        self.part = part

    @contextmanager
    def night(self, armed: tuple[Crossing, str] | None = None) -> Iterator[None]:
        """Count the crossings of a night, and let one of them fail."""
        self.seen.clear()
        self.crossings.clear()
        self.armed, self.struck, self.hung_at, self.part = armed, False, 0.0, ""
        self.counting = True
        try:
            yield
        finally:
            self.counting = False


_CURRENT: list[Injector] = []
_HOOKED: list[bool] = []


@contextmanager
def injecting(base: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Injector]:
    """An injector for what happens below `base`, on every door."""
    made = Injector(base)
    _on_processes(made, monkeypatch)
    _on_databases(made, monkeypatch)
    _on_buckets(made, monkeypatch)
    if not _HOOKED:
        _HOOKED.append(True)
        sys.addaudithook(_audit)
        event.listen(sqlalchemy.Engine, "before_cursor_execute", _history)
    _CURRENT.append(made)
    try:
        yield made
    finally:
        _CURRENT.clear()


def _where(frame: FrameType | None) -> str:
    """The innermost place of our code that asked, and who called that; empty where none did."""
    found: list[str] = []
    while frame is not None and len(found) < 3:
        name = frame.f_code.co_filename
        if name.startswith(OURS) and not name.endswith(_THE_DOORS):
            short = name[len(OURS) + 1 :].removesuffix(".py")
            found.append(f"{short}.{frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(found)


# ------------------------------------------------------------------------------------ processes


def _on_processes(made: Injector, monkeypatch: pytest.MonkeyPatch) -> None:
    start = process._start

    def _start(command: process.Command, *arguments: Any, **more: Any) -> Any:
        kind = made.cross("process", _verb(command.argv))
        if kind == "hang":
            made.hung_at = time.monotonic()
        if kind in {"ENOSPC", "EACCES"}:
            number = getattr(errno, kind)
            error = OSError(number, os.strerror(number))
            raise ToolFailed(
                "process.cannot_start", program=command.program, detail=str(error)
            ) from error
        changed = replace(command, argv=_harmed(command.argv, kind)) if kind else command
        return start(changed, *arguments, **more)

    monkeypatch.setattr(process, "_start", _start)
    clock = _Racing(made)
    monkeypatch.setattr(process, "time", clock)
    monkeypatch.setattr(cluster, "time", clock)


def _verb(argv: tuple[str, ...]) -> str:
    """The program, and what it is asked to do."""
    program = Path(argv[0]).name
    words = [word for word in argv[1:] if word.isalpha() and word.islower()]
    known = {"backup", "check", "snapshots", "restore", "forget", "prune", "cat", "list", "init",
             "unlock", "dump", "ls", "tag", "copy", "stats", "version"}  # fmt: skip
    verb = next((word for word in words if word in known), "") if program == "restic" else ""
    if program in {"nice", "ionice", "prlimit", "systemd-run"}:
        verb = next((Path(w).name for w in argv[1:] if Path(w).name in {"restic", "postgres"}), "")
    return f"{program} {verb}".strip()


def _harmed(argv: tuple[str, ...], kind: str) -> tuple[str, ...]:
    word, _, code = kind.partition(" ")
    script = {
        "exit": f"echo 'it failed on purpose' >&2; exit {code}",
        "killed": "kill -9 $$",
        "hang": "exec sleep 600",
        "truncated": _HALF,
        "garbled": _GARBLED,
    }[word]
    return ("sh", "-c", script, "sh", *argv)


class _Racing:
    """A monotonic clock that runs while something hangs, so that every deadline is over soon."""

    def __init__(self, made: Injector) -> None:
        self._made = made

    def monotonic(self) -> float:
        now = time.monotonic()
        hung = self._made.hung_at
        return now + ((now - hung) * _SO_FAST if hung else 0.0)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, _SHORT))


# ------------------------------------------------------------------------------------ databases


def _on_databases(made: Injector, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, execute, copy = psycopg.connect, psycopg.Cursor.execute, psycopg.Cursor.copy

    def failing(kind: str) -> None:
        if kind == "gone":
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        if kind == "refused":
            raise psycopg.errors.InsufficientPrivilege("permission denied for table dossier")

    def _connect(*arguments: Any, **more: Any) -> Any:
        failing(made.cross("database", "connect"))
        return connect(*arguments, **more)

    def _execute(self: Any, query: Any, *arguments: Any, **more: Any) -> Any:
        failing(made.cross("database", "execute"))
        return execute(self, query, *arguments, **more)

    def _copy(self: Any, *arguments: Any, **more: Any) -> Any:
        failing(made.cross("database", "copy"))
        return copy(self, *arguments, **more)

    monkeypatch.setattr(psycopg, "connect", _connect)
    monkeypatch.setattr(psycopg.Cursor, "execute", _execute)
    monkeypatch.setattr(psycopg.Cursor, "copy", _copy)


def _history(
    connection: Any,
    cursor: object,
    statement: str,
    *_: object,
) -> None:
    del connection, cursor
    if not _CURRENT or statement.startswith(("PRAGMA", "BEGIN")):
        return
    kind = _CURRENT[0].cross("history", statement.split(maxsplit=1)[0])
    if kind:
        said = "database or disk is full" if kind == "ENOSPC" else "database is locked"
        raise OperationalError(statement, None, RuntimeError(said))


# ------------------------------------------------------------------------------------ buckets


def _on_buckets(made: Injector, monkeypatch: pytest.MonkeyPatch) -> None:
    call: Callable[..., Any] = botocore.client.BaseClient._make_api_call

    def _call(self: Any, operation: str, parameters: Any) -> Any:
        kind = made.cross("s3", operation)
        if kind == "cut":
            raise botocore.exceptions.ConnectionClosedError(endpoint_url="the bucket")
        if kind:
            said = {"Error": {"Code": "Injected", "Message": "on purpose"},
                    "ResponseMetadata": {"HTTPStatusCode": int(kind)}}  # fmt: skip
            raise botocore.exceptions.ClientError(said, operation)
        return call(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", _call)


# ------------------------------------------------------------------------------------ files

_CALLS = {
    "open": "open", "os.mkdir": "mkdir", "os.rename": "rename", "os.remove": "remove",
    "os.rmdir": "rmdir", "os.listdir": "list", "os.scandir": "scan", "os.chmod": "chmod",
    "os.truncate": "truncate", "os.link": "link", "os.symlink": "symlink",
    "os.chown": "chown", "os.utime": "utime",
}  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NEEDS_ROOM = {"open to write", "mkdir", "rename", "link", "symlink", "truncate"}


def _audit(name: str, arguments: tuple[Any, ...]) -> None:
    if not _CURRENT or name not in _CALLS:
        return
    made, what = _CURRENT[0], _CALLS[name]
    if not made.counting or not arguments:
        return
    place = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | Path) else ""
    if not place.startswith(str(made.base)):
        return
    if what == "open":
        mode, flags = str(arguments[1] or ""), int(arguments[2] or 0)
        writing = any(letter in mode for letter in "wax+") or bool(flags & _WRITING)
        what = "open to write" if writing else "open to read"
    kind = made.cross("file", what)
    if kind:
        raise OSError(getattr(errno, kind), os.strerror(getattr(errno, kind)), place)


def kinds_of(crossing: Crossing) -> tuple[str, ...]:
    """How a crossing may fail: what only reads is never without room."""
    if crossing.door == "file" and crossing.what not in _NEEDS_ROOM:
        return ("EACCES",)
    if crossing.door == "history" and crossing.what == "SELECT":
        return ("locked",)
    return KINDS[crossing.door]
