"""One MariaDB member's log: where it is received and kept, and the doors to all of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opsd.binlog import LogFile
from opsd.config.binlog import Binlog
from opsd.config.mariadb import MariadbMember
from opsd.drivers import process
from opsd.drivers.mariadb import Database, binlog
from opsd.errors import DatabaseFailed
from opsd.policy import binlog as policy
from opsd.policy.binlog import Walked
from opsd.tasks.kit import Kit

PIECE_BYTES = 16 << 20
ASIDE = ".aside"  # what was received of a file before it is received anew


@dataclass(frozen=True, slots=True)
class Stream:
    """The binary log of the server of one member."""

    kit: Kit
    backup_set: str
    name: str
    member: MariadbMember
    binlog: Binlog

    @property
    def subject(self) -> str:
        """Its name for people and for the watch."""
        return f"{self.backup_set}/{self.name}"

    @property
    def repositories(self) -> tuple[str, ...]:
        """Who keeps it."""
        return self.binlog.repositories or (self.kit.backup_set(self.backup_set).repository,)

    @property
    def directory(self) -> Path:
        """Where it is received."""
        return self.binlog.directory

    @property
    def database(self) -> Database:
        """The door to the server."""
        return self.kit.mariadb(self.member)

    def receive(self, _: str, directory: Path, said: Path) -> process.Background:
        """Begin to receive: from the newest file that is here, else from the server's oldest.

        What is here of the newest file stays aside until as much was received again: the server
        may be gone before that.
        """
        newest = max(received(directory), default=None)
        if newest is not None:
            path = directory / newest.name
            aside = path.with_name(path.name + ASIDE)
            if path.exists() and path.stat().st_size > size_of(aside):
                path.replace(aside)
        there = binlog.logged(self.database).files
        if newest is not None and newest not in there:
            raise DatabaseFailed("binlog.gone", file=newest.name, oldest=there[0].name)
        return binlog.receive(self.database, newest or there[0], directory, said)


def received(directory: Path) -> dict[LogFile, Path]:
    """The files that were received: of each the longest there is."""
    found: dict[LogFile, Path] = {}
    for path in sorted(directory.iterdir()) if directory.exists() else ():
        file = LogFile.of(path.name.removesuffix(ASIDE))
        if file is not None and (file not in found or size_of(path) > size_of(found[file])):
            found[file] = path
    return found


def walked(path: Path) -> Walked:
    """How far a file can be read in whole events; a part of it is in memory at a time."""
    found, want = Walked(), PIECE_BYTES
    with path.open("rb") as stream:
        while not found.wrong:
            begin = found.kept.bytes
            stream.seek(begin)
            content = stream.read(want)
            found = policy.walk(content, found)
            grown = found.kept.bytes > begin
            if not grown and len(content) < want:
                break
            want = PIECE_BYTES if grown else 2 * want  # an event may be longer than a piece
    return found


def size_of(path: Path) -> int:
    """Its bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def streams(kit: Kit) -> Iterator[Stream]:
    """Every binary log that is configured."""
    for name, backup_set in kit.config.backup_sets.items():
        for member, found in backup_set.streamed.items():
            if found.binlog is not None:
                yield Stream(kit, name, member, found, found.binlog)


def streams_of(kit: Kit, backup_set: str) -> tuple[Stream, ...]:
    """Those of a set."""
    kit.backup_set(backup_set)
    return tuple(stream for stream in streams(kit) if stream.backup_set == backup_set)
