"""PostgreSQL's programs for its log: pg_receivewal, pg_waldump, pg_verifybackup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from opsd.drivers import process
from opsd.errors import DatabaseFailed, ToolFailed
from opsd.wal import HEARTBEAT, Segment, position

_QUICK = timedelta(seconds=20)
_ONE_SEGMENT = timedelta(minutes=2)
_LONG = timedelta(hours=12)  # what reads or writes a whole cluster
_COMMIT = re.compile(
    r"tx:\s+(?P<tx>\d+), lsn: (?P<lsn>[0-9A-F]+/[0-9A-F]+), prev .*? desc: COMMIT "
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC(?P<rest>.*)"
)
_BEAT = re.compile(rf'tx:\s+(?P<tx>\d+), lsn: .* desc: MESSAGE transactional, prefix "{HEARTBEAT}"')
_POINT = re.compile(
    r"lsn: (?P<lsn>[0-9A-F]+/[0-9A-F]+), prev [0-9A-F/]+, desc: RESTORE_POINT (?P<name>.*)"
)
_ENDED = re.compile(
    r"error in WAL record at (?P<last>[0-9A-F]+/[0-9A-F]+): "
    r"(?:invalid record length at (?P<end>[0-9A-F]+/[0-9A-F]+): .* got 0$)?",
    re.MULTILINE,
)
_RELATIONS = re.compile(r"; rels: (?P<paths>[^;]*)")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit in the log: where its record begins, when it was, and the files it removed.

    `transaction` is its number without the epoch. A beat is opsd's own.
    """

    lsn: int
    transaction: int
    at: datetime
    dropped: tuple[str, ...] = ()
    is_beat: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where records cannot be read any further: the last good one begins at `last`.

    `end` is where nothing is written behind it; None where there is something else.
    """

    last: int
    end: int | None


@dataclass(frozen=True, slots=True)
class WalPrograms:
    """The programs below `directory`, run with `env`."""

    directory: Path
    env: Mapping[str, str]
    stop: process.Stop = process.NEVER

    def identify(self, connection: str) -> None:
        """See whether the role may come in for the log. Raises `DatabaseFailed`."""
        self._ask(connection, "IDENTIFY_SYSTEM")

    def commit(self, connection: str) -> str:
        """The server's own `synchronous_commit`: who receives has none of a role or a database.

        Raises `DatabaseFailed`.
        """
        return self._ask(f"{connection} options=''", "SHOW synchronous_commit").strip()

    def kept(self, connection: str, slot: str) -> tuple[int, int] | None:
        """On which timeline and from where on the server keeps the log for a slot.

        None where it keeps none, or not any more. Raises `DatabaseFailed`.
        """
        told = self._ask(connection, f"READ_REPLICATION_SLOT {slot}").strip()
        _, begin, timeline = told.split("|")
        return (int(timeline), position(begin)) if begin else None

    def make_slot(self, connection: str, slot: str) -> None:
        """Make the slot of a receiver, unless it is there. Raises `DatabaseFailed`."""
        arguments = ("-d", connection, "-S", slot, "--create-slot", "--if-not-exists", "-w")
        self._run("pg_receivewal", *arguments, timeout=_QUICK)

    def drop_slot(self, connection: str, slot: str) -> None:
        """Remove the slot of a receiver. Raises `DatabaseFailed`."""
        self._run(
            "pg_receivewal", *("-d", connection, "-S", slot, "--drop-slot", "-w"), timeout=_QUICK
        )

    def receive(self, connection: str, slot: str, directory: Path, log: Path) -> process.Background:
        """Receive the log into a directory until the server or the receiver ends.

        Every piece is safe on the disk before the server is told so. The thread that calls this
        must live as long as the receiver does.
        """
        argv = (
            str(self.directory / "pg_receivewal"),
            *("-d", connection, "-S", slot, "-D", str(directory)),
            *("--synchronous", "--no-loop", "-w"),
        )
        return process.Background(process.Command(argv, timedelta.max, self.env), log)

    def _ask(self, connection: str, command: str) -> str:
        """What the server answers to a command of its replication protocol, fields between `|`."""
        way = f"{connection} replication=true"
        return self._run("psql", "-X", "-w", "-At", "-c", command, way, timeout=_QUICK).text

    def readable(self, segment: Path) -> str:
        """What is wrong with the records of a whole segment; empty when each has its checksum."""
        done = self._dump("-q", str(segment))
        return "" if done.exit_code == 0 else (done.complaint or f"exit {done.exit_code}")[-500:]

    def stops(self, segment: Path) -> Stopped | None:
        """Where the records of a segment under way end; None where all of it is full of them."""
        done = self._dump("-q", str(segment))
        return None if done.exit_code == 0 else stopped(done.complaint)

    def commits(self, directory: Path) -> Iterator[Commit]:
        """The commits in the segments of a directory, in order, timeline by timeline."""
        names = sorted(n for n in (p.name for p in directory.iterdir()) if Segment.of(n))
        for _, row in groupby(names, key=lambda name: name[:8]):
            yield from self._commits(directory, list(row))

    def _commits(self, directory: Path, row: Sequence[str]) -> Iterator[Commit]:
        way = ("-p", str(directory), "-r", "Transaction", "-r", "LogicalMessage", row[0], row[-1])
        # It ends with a complaint where the log does: in the middle of a segment.
        done = self._dump(*way, timeout=timedelta(hours=2))
        beats: set[str] = set()
        for line in done.text.splitlines():
            if beat := _BEAT.search(line):
                beats.add(beat["tx"])
            elif found := _COMMIT.search(line):
                relations = _RELATIONS.search(found["rest"])
                dropped = tuple(relations["paths"].split()) if relations else ()
                at = datetime.fromisoformat(f"{found['at']}+00:00")
                lsn, transaction = position(found["lsn"]), int(found["tx"])
                yield Commit(lsn, transaction, at, dropped, found["tx"] in beats)

    def restore_points(self, directory: Path) -> Iterator[tuple[str, int]]:
        """The named points in the segments of a directory, which follow one another, in order.

        Each with the position where its record begins.
        """
        names = sorted(path.name for path in directory.iterdir() if Segment.of(path.name))
        way = ("-p", str(directory), "-r", "XLOG", names[0], names[-1])
        done = self._dump(*way, timeout=timedelta(hours=2))
        for line in done.text.splitlines():
            if found := _POINT.search(line):
                yield found["name"], position(found["lsn"])

    def verify(self, directory: Path, *, contents: bool = True) -> str:
        """What a restored base copy lacks or has altered, by its own manifest; empty: nothing.

        Without `contents` only names and sizes are looked at.
        """
        how = ("--no-parse-wal", "--quiet", *(() if contents else ("--skip-checksums",)))
        done = self._go("pg_verifybackup", *how, str(directory), timeout=_LONG)
        return "" if done.exit_code == 0 else (done.complaint or done.text)[-2000:]

    def _dump(self, *arguments: str, timeout: timedelta = _ONE_SEGMENT) -> process.Completed:
        return self._go("pg_waldump", *arguments, timeout=timeout, whole=True)

    def _run(self, program: str, *arguments: str, timeout: timedelta) -> process.Completed:
        done = self._go(program, *arguments, timeout=timeout)
        if done.exit_code == 0:
            return done
        if done.exit_code < 0:
            raise ToolFailed("pgtools.killed", program=program, signal=str(-done.exit_code))
        raise DatabaseFailed(
            "pgtools.failed",
            program=program,
            exit_code=done.exit_code,
            detail=done.complaint[-2000:],
        )

    def _go(
        self, program: str, *arguments: str, timeout: timedelta, whole: bool = False
    ) -> process.Completed:
        command = process.Command((str(self.directory / program), *arguments), timeout, self.env)
        return process.run(replace(command, whole=whole), stop=self.stop)


def stopped(said: str) -> Stopped:
    """Where records could not be read any further, as pg_waldump says it."""
    found = _ENDED.search(said)
    if found is None:  # not one record
        return Stopped(0, None)
    end = found["end"]
    return Stopped(position(found["last"]), position(end) if end else None)


def as_role(connection: str, role: str, application: str) -> str:
    """A member's way to its server, for the role that receives its log (the last word wins)."""
    return f"{connection} user={role} application_name={application} connect_timeout=10"
