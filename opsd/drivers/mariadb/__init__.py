"""MariaDB through its own programs: the only door to a server of it.

All that is counted and dumped is of one snapshot: commits wait for the moment that it takes until
both the counting and the dumping session have begun theirs (`BACKUP STAGE BLOCK_COMMIT`).
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsd.drivers import process
from opsd.drivers.mariadb import words
from opsd.drivers.mariadb.words import DumpReader, Position, TableShape
from opsd.drivers.process import NEVER, Stop
from opsd.errors import DatabaseFailed, OpsdError, ToolFailed
from opsd.manifest import Named

DUMP = "dump.sql"
ACCOUNTS = "accounts.sql"

_QUICK = timedelta(seconds=60)
_HELD_SECONDS = 10  # commits wait no longer, whatever becomes of us
_POLL_SECONDS = 0.02
_TOLD_EVERY = 8 << 20  # bytes between two looks at the disk
_UNREACHABLE = {2002, 2003, 2005, 2006, 2013, 2026, 2055}
_NOT_LET_IN = {1044, 1045, 1130, 1698}
_FORBIDDEN = {1142, 1143, 1227, 1370}
_VALUE = re.compile(r"'[^']*'")

Counted = Mapping[str, tuple[int, str]]  # rows and digest by table


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach a server: by a socket, or by host and port."""

    user: str
    socket: Path | None = None
    host: str = ""
    port: int = 3306
    passfile: Path | None = None  # an option file of MariaDB's, with a group [client]

    @property
    def options(self) -> tuple[str, ...]:
        """What every program of MariaDB's is given first."""
        first = f"--defaults-file={self.passfile}" if self.passfile else "--no-defaults"
        place = (
            ("--protocol=socket", f"--socket={self.socket}")
            if self.socket
            else ("--protocol=tcp", f"--host={self.host}", f"--port={self.port}")
        )
        return (first, *place, f"--user={self.user}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server says of itself and of the database."""

    database: str
    version: int
    server: str  # its own identity, made when it was installed
    logs: bool  # whether it writes a binary log
    clock: datetime
    charset: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told when the moment of a dump is fixed, and how many bytes there are."""

    fixed: Callable[[], None]
    advance: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Dumped:
    """What was counted and dumped in one snapshot; `at` is its moment by the server's clock."""

    at: datetime
    objects: tuple[str, ...]
    shapes: tuple[TableShape, ...]
    counted: Counted
    rows: Mapping[str, int]  # by table, in the dump
    position: Position | None
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Database:
    """One database of a server. Every question is a program with a deadline."""

    way: Way
    name: str
    stop: Stop = field(default_factory=Stop)

    def ask(self, sql: str, limit: timedelta = _QUICK) -> Iterator[tuple[str, ...]]:
        """The rows that statements answer. Raises `DatabaseFailed`."""
        return words.answers(self._run(self.client(sql, limit)).stdout)

    def facts(self) -> Facts:
        """Ask the server what it is."""
        name, version, server, logs, clock, charset, size = next(self.ask(words.FACTS))
        at = datetime.fromisoformat(clock).replace(tzinfo=UTC)
        number = words.version_number(version)
        return Facts(name, number, server, logs == "1", at, charset, int(size))

    def shapes(self) -> tuple[TableShape, ...]:
        """Its tables."""
        return words.shapes(self.ask(words.SHAPES))

    def objects(self) -> tuple[str, ...]:
        """Views, routines, triggers and events, each with its kind before its name."""
        return tuple(row[0] for row in self.ask(words.OBJECTS))

    def sequences(self) -> Mapping[str, int]:
        """The next value of each sequence that is not cached."""
        names = [row[0] for row in self.ask(words.SEQUENCES)]
        return (
            {name: int(value) for name, value in self.ask(words.sequences(names))} if names else {}
        )

    def counted(self, shapes: tuple[TableShape, ...], limit: timedelta) -> Counted:
        """Rows and digest of each table."""
        asked = "".join(map(words.digest_query, shapes))
        return _counted(self.ask(asked, limit)) if shapes else {}

    def violations(self, query: str, limit: timedelta) -> int:
        """How many rows a query returns. An error of the query quotes no values."""
        try:
            return int(next(self.ask(words.counting(query), limit))[0])
        except DatabaseFailed as error:
            raise DatabaseFailed(error.key, detail=_VALUE.sub("'…'", error.detail)) from error

    def named_files(self, query: str, limit: timedelta) -> Iterator[Named]:
        """Path, size and SHA-256 of each file that `query` names, in byte order of the paths."""
        with process.reading(self.client(words.naming(query), limit), stop=self.stop) as stream:
            for line in stream:
                path, size, sha256 = next(words.answers(line))
                yield Named(bytes.fromhex(path), int(size) if size else None, sha256.strip())

    def is_empty(self) -> bool:
        """Whether it has no tables of its own."""
        return not self.shapes()

    def drop_one_row(self, shape: TableShape) -> None:
        """Damage a throwaway database on purpose; a comparison must see it."""
        list(self.ask(words.losing_a_row(shape.name)))

    def load(self, file: Path, limit: timedelta) -> None:
        """Let the server read a file of statements; its first error is raised."""
        self._run(self._program("mariadb", f"--execute=SOURCE {file}", limit=limit))

    def dump_accounts(self, target: Path, limit: timedelta) -> str:
        """Every account and role with what it may do; gives what stood against some of them."""
        more = ("--system=users", "--insert-ignore", "--force", f"--result-file={target}")
        program = self._program("mariadb-dump", *more, limit=limit, named=False)
        return process.run(program, stop=self.stop).complaint

    def dump(self, target: Path, limit: timedelta, watch: Watch) -> Dumped:
        """Dump it and count it, both in one snapshot."""
        logs = self.facts().logs
        # The pool last: what counts is ended before it is waited for.
        halt = Stop(self.stop)
        with self._held(target.with_name("hold")) as hold, ThreadPoolExecutor(1) as pool:
            shapes, objects = self.shapes(), self.objects()
            counting = _Counting(self, shapes, limit, halt)
            done = pool.submit(counting.run)
            try:
                at = counting.begun_at(done)
                reader, digest, size = self._write(target, self._dumping(limit, logs), hold, watch)
                counted = done.result()
            except BaseException:
                halt.request()
                raise
        return Dumped(at, objects, shapes, counted, reader.rows, reader.position, digest, size)

    def _write(
        self, target: Path, program: process.Command, hold: _Hold, watch: Watch
    ) -> tuple[DumpReader, str, int]:
        """Write a dump to its file, let commits go on once it has begun, and read along."""
        reader, digest, size, told = DumpReader(), hashlib.sha256(), 0, 0
        try:
            with process.reading(program, stop=self.stop) as stream, target.open("wb") as sink:
                for line in stream:
                    sink.write(line)
                    digest.update(line)
                    size += len(line)
                    reader.line(line)
                    if reader.begun and not hold.released:
                        hold.release()
                        watch.fixed()
                    if size - told >= _TOLD_EVERY:
                        told = size
                        watch.advance(size)
        except ToolFailed as error:
            raise failure(error.detail) from error
        if not reader.complete:
            raise DatabaseFailed("mariadb.dump_cut_off", file=target)
        if not hold.released:  # of a database without any table nothing says when it began
            hold.release()
            watch.fixed()
        watch.advance(size)
        return reader, digest.hexdigest(), size

    @contextmanager
    def _held(self, log: Path) -> Iterator[_Hold]:
        """Commits wait while this is held. Raises when that could not be had."""
        asked = (
            "SELECT CONNECTION_ID(); SET SESSION lock_wait_timeout = 60; BACKUP STAGE START;"
            f" BACKUP STAGE BLOCK_COMMIT; SELECT 'held'; SELECT SLEEP({_HELD_SECONDS});"
        )
        session = process.Background(self.client(asked, _QUICK), log)
        hold = _Hold(self, session)
        try:
            hold.wait()
            yield hold
        finally:
            hold.release(late=False)
            log.unlink(missing_ok=True)

    def _run(self, command: process.Command) -> process.Completed:
        done = process.run(command, stop=self.stop)
        if done.exit_code != 0:
            raise failure(done.complaint)
        return done

    def _dumping(self, limit: timedelta, logs: bool) -> process.Command:
        more = ("--master-data=2",) if logs else ()
        return self._program(
            "mariadb-dump",
            *more,
            *("--single-transaction", "--quick", "--hex-blob", "--routines", "--events"),
            *("--triggers", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"),
            limit=limit,
        )

    def client(self, sql: str, limit: timedelta) -> process.Command:
        """The client's program, with statements on its standard input."""
        settings = words.TEXT_SETTINGS
        form = ("--batch", "--skip-column-names", "--unbuffered", "--quick")
        charset = ("--default-character-set=utf8mb4", "--max-allowed-packet=1G")
        return self._program("mariadb", *form, *charset, limit=limit, stdin=f"{settings}\n{sql}\n")

    def _program(
        self, program: str, *more: str, limit: timedelta, stdin: str = "", named: bool = True
    ) -> process.Command:
        argv = (program, *self.way.options, *more, *((self.name,) if named else ()))
        given = stdin.encode("utf-8", "surrogateescape")
        return process.Command(argv, limit, stdin=given, whole=True)


@dataclass(slots=True)
class _Counting:
    """The session that counts, in a snapshot of its own."""

    database: Database
    shapes: tuple[TableShape, ...]
    limit: timedelta
    halt: Stop
    _first: threading.Event = field(default_factory=threading.Event)
    _said: bytes = b""

    def run(self) -> Counted:
        """Begin the snapshot, say when it began, and count."""
        asked = (
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
            " START TRANSACTION WITH CONSISTENT SNAPSHOT; SELECT UTC_TIMESTAMP(6);"
            + "".join(map(words.digest_query, self.shapes))
        )
        command = self.database.client(asked, self.limit)
        try:
            done = process.run(command, stop=self.halt, on_stdout=self._hear)
        finally:
            self._first.set()
        if done.exit_code != 0:
            raise failure(done.complaint)
        answered = words.answers(done.stdout)
        next(answered)
        return _counted(answered)

    def begun_at(self, done: Future[Counted]) -> datetime:
        """When its snapshot began; waits until it has. Raises what ended it before."""
        self._first.wait()
        if not self._said:
            done.result()
        return datetime.fromisoformat(self._said.decode()).replace(tzinfo=UTC)

    def _hear(self, line: bytes) -> None:
        if not self._said:
            self._said = line
            self._first.set()


@dataclass(slots=True)
class _Hold:
    """The session for which commits wait."""

    database: Database
    session: process.Background
    released: bool = False

    def wait(self) -> None:
        """Until they do."""
        deadline = time.monotonic() + _QUICK.total_seconds()
        while b"held\n" not in (said := self._said()):
            if not self.session.alive or time.monotonic() > deadline:
                self.session.end()
                raise failure(said.decode(errors="backslashreplace"))
            time.sleep(_POLL_SECONDS)

    def release(self, *, late: bool = True) -> None:
        """Let commits go on. Raises when they did already: then there is no one snapshot."""
        if self.released:
            return
        self.released = True
        in_time = self.session.alive
        if in_time:
            number = self._said().split(b"\n", 1)[0].decode()
            with _unless_gone():
                list(self.database.ask(f"KILL {number};"))
        self.session.end()
        if late and not in_time:
            raise DatabaseFailed("mariadb.no_one_snapshot", detail=f"{_HELD_SECONDS} s")

    def _said(self) -> bytes:
        return self.session.log.read_bytes()


@contextmanager
def _unless_gone() -> Iterator[None]:
    """A session that ended by itself meanwhile needs no end (error 1094)."""
    try:
        yield
    except DatabaseFailed as error:
        if words.error_code(error.detail) != 1094:
            raise


def failure(complaint: str) -> OpsdError:
    """What a complaint of MariaDB's programs means."""
    code = words.error_code(complaint)
    if code in _UNREACHABLE:
        return DatabaseFailed("mariadb.unreachable", detail=complaint)
    if code in _NOT_LET_IN:
        return DatabaseFailed("mariadb.not_let_in", detail=complaint)
    if code in _FORBIDDEN:
        return DatabaseFailed("mariadb.forbidden", detail=complaint)
    return DatabaseFailed("mariadb.failed", detail=complaint)


def _counted(rows: Iterator[tuple[str, ...]]) -> Counted:
    """What `digest_query` answered. Raises when a row could not be hashed."""
    found: dict[str, tuple[int, str]] = {}
    for table, count, hashed, first, second in rows:
        if count != hashed:
            raise ToolFailed("mariadb.not_hashed", table=table)
        found[table] = (int(count), words.digest(int(count), first, second))
    return found


__all__ = ["ACCOUNTS", "DUMP", "NEVER", "Counted", "Database", "Dumped", "Facts", "Way", "failure"]
