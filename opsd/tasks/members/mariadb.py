"""A MariaDB database as a member: dumped and counted in one snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opsd import record
from opsd.clock import Stopwatch
from opsd.config.mariadb import MariadbMember
from opsd.contents import ArtefactFile, MariadbManifest
from opsd.drivers import mariadb, system, tree
from opsd.drivers.mariadb import ACCOUNTS, DUMP, server
from opsd.errors import DatabaseFailed, ScratchFull
from opsd.model import MemberKind, Sequence, Severity, Table
from opsd.policy import preflight
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import Captured, Work

_TRANSACTIONAL = {"InnoDB", "RocksDB"}
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Observed:
    """A database that answers, and how far our clock is ahead of its."""

    facts: mariadb.Facts
    ahead: timedelta


def observe(kit: Kit, member: MariadbMember) -> Observed:
    """Ask the server what it is. Raises `ToolFailed` when no server here is new enough for it."""
    asked = kit.clock()
    facts = kit.mariadb(member).facts()
    answered = kit.clock()
    server.insist_on(facts.version)
    return Observed(facts, asked + (answered - asked) / 2 - facts.clock)


def capture(work: Work, name: str, member: MariadbMember, fixed: Callable[[], None]) -> Captured:
    """Dump the database, hold the dump against what SQL counted, and put it into a snapshot.

    `fixed` is called as soon as the moment is fixed that the dump will be from.
    """
    watch, home = Stopwatch(), work.scratch / name
    home.mkdir(parents=True, mode=0o700)
    with work.journal.phase("dump", name):
        manifest = _dump(work, member, home, fixed)
    return work.keep((name, MemberKind.MARIADB), home, manifest, watch)


def _dump(
    work: Work, member: MariadbMember, home: Path, fixed: Callable[[], None]
) -> MariadbManifest:
    database = work.kit.mariadb(member)
    facts, before = database.facts(), database.sequences()
    dump = home / DUMP

    def advance(written: int) -> None:
        room = system.space(home)
        if room.free < preflight.spare_room(room.total):
            raise ScratchFull("scratch.full", detail=f"{dump}: ended before the disk was full")
        work.kit.watcher.advance(written, max(facts.bytes, written))

    watch = mariadb.Watch(fixed, advance)
    dumped = database.dump(dump, work.left, watch)
    after = database.sequences()
    _judge(dumped)
    unsafe = [s.name for s in dumped.shapes if s.engine not in _TRANSACTIONAL]
    if unsafe:
        fields = {"member": home.name, "count": len(unsafe), "names": unsafe[:_NAMED]}
        work.journal.find(Severity.CHANGE, "mariadb.no_transactions", **fields)
    accounts = home / ACCOUNTS
    if against := database.dump_accounts(accounts, work.left):
        said = {"member": home.name, "why": against}
        work.journal.find(Severity.CHANGE, "mariadb.accounts_in_part", **said)
    known = accounts.stat().st_size
    return MariadbManifest(
        database=facts.database,
        server_version=facts.version,
        server=facts.server,
        charset=facts.charset,
        at=dumped.at,
        bytes=facts.bytes,
        tables=tuple(
            Table("", s.name, tuple(c for c, _ in s.columns), *dumped.counted[s.name])
            for s in dumped.shapes
        ),
        sequences=tuple(
            Sequence("", name, value, after.get(name, value)) for name, value in before.items()
        ),
        objects=dumped.objects,
        log_file=dumped.position.file if dumped.position else "",
        log_offset=dumped.position.offset if dumped.position else 0,
        files=(
            ArtefactFile(DUMP, dumped.bytes, dumped.sha256),
            ArtefactFile(ACCOUNTS, known, tree.digest(accounts)),
        ),
    )


def _judge(dumped: mariadb.Dumped) -> None:
    """Raise when the dump lacks a table or has other rows than were counted."""
    missing = [shape.name for shape in dumped.shapes if shape.name not in dumped.rows]
    if missing:
        raise DatabaseFailed("dump.table_missing", tables=missing)
    for name, (counted, _) in dumped.counted.items():
        if dumped.rows[name] != counted:
            raise DatabaseFailed(
                "dump.differs", table=name, dumped=dumped.rows[name], counted=counted
            )


def read_manifest(path: Path) -> MariadbManifest:
    """The manifest of such a member from its file."""
    return record.from_json(MariadbManifest, path.read_text(encoding="utf-8"))
