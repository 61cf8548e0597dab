"""A database as a member: dumped and described from one exported snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from opsd import record
from opsd.clock import Stopwatch
from opsd.config.schema import PostgresMember
from opsd.drivers import cluster, pgtools, system, tree
from opsd.drivers.pgtools import DumpedTable
from opsd.drivers.postgres import (
    Connection,
    ServerFacts,
    TableShape,
    as_sequences,
)
from opsd.drivers.process import Stop
from opsd.errors import DatabaseFailed, ScratchFull
from opsd.model import DatabaseManifest, MemberKind, Severity, Table
from opsd.policy import preflight
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import Captured, Work

_TICK_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class _Halves:
    """The two halves of a dump, and how many bytes are expected of it."""

    dumping: Future[None]
    counting: Future[dict[int, int]]
    expected: int
    halt: Stop  # ends the dump alone


@dataclass(frozen=True, slots=True)
class Observed:
    """A database that answers, and how far our clock is ahead of its."""

    server: ServerFacts
    ahead: timedelta


def observe(kit: Kit, member: PostgresMember) -> Observed:
    """Ask the server what it is; its clock is compared with the middle of the question.

    Raises `ToolFailed` when no program here is new enough for it.
    """
    with kit.database(member).connect() as connection:
        asked = kit.clock()
        server = connection.facts()
        answered = kit.clock()
    cluster.binaries(server.major)
    return Observed(server, asked + (answered - asked) / 2 - server.clock)


def capture(work: Work, name: str, member: PostgresMember, fixed: Callable[[], None]) -> Captured:
    """Dump the database, check the dump against what SQL counted, and put it into a snapshot.

    `fixed` is called as soon as the moment is fixed that the dump will be from.
    """
    watch, home = Stopwatch(), work.scratch / name
    home.mkdir(parents=True, mode=0o700)
    with work.kit.database(member).connect() as connection, work.journal.phase("dump", name):
        manifest = _dump(work, connection, member, home, fixed)
    return work.keep((name, MemberKind.POSTGRES), home, manifest, watch)


def _dump(
    work: Work,
    connection: Connection,
    member: PostgresMember,
    home: Path,
    fixed: Callable[[], None],
) -> DatabaseManifest:
    """Dump and count at the same time, both in one exported snapshot; then compare the two."""
    server, target = connection.facts(), home / pgtools.DUMP
    database = work.kit.database(member)
    halt = Stop(work.kit.stop)
    programs = pgtools.Programs(cluster.binaries(server.major), database.env, work.left, halt)
    before = connection.sequences()

    def beside_the_dump(shapes: tuple[TableShape, ...]) -> dict[int, int]:
        counts = {shape.oid: connection.count(shape) for shape in shapes}
        globals_file, with_passwords = home / pgtools.GLOBALS, server.superuser
        programs.dump_globals(member.connection, globals_file, with_passwords=with_passwords)
        return counts

    with connection.exported_snapshot() as snapshot, ThreadPoolExecutor(2) as pool:
        fixed()
        shapes, properties = connection.tables(), connection.properties()
        dumping = pool.submit(programs.dump, member.connection, snapshot.name, target, member.jobs)
        counting = pool.submit(beside_the_dump, shapes)
        halves = _Halves(dumping, counting, server.bytes, halt)
        begun = _watch(work.kit, connection, halves, target)
        if halt.requested and not work.kit.stop.requested:
            raise ScratchFull("scratch.full", detail=f"{target}: ended before the disk was full")
        dumping.result()
        counts = counting.result()
    after = connection.sequences()
    if not server.superuser:
        work.journal.find(Severity.NOTE, "dump.no_role_passwords", member=home.name)
    objects, objects_digest = _large_objects(target)
    files = programs.table_files(target)
    tables = {oid: begun.get(file) or DumpedTable(file) for oid, file in files.items()}
    return DatabaseManifest(
        database=server.database,
        server_version=server.version,
        system_identifier=server.system_identifier,
        encoding=server.encoding,
        at=snapshot.at,
        position=snapshot.position,
        snapshot=snapshot.sees,
        bytes=server.bytes,
        tables=_described(shapes, counts, tables, member.jobs),
        sequences=as_sequences(before, after),
        extensions=server.extensions,
        roles=server.roles,
        large_objects=objects,
        large_objects_digest=objects_digest,
        properties=properties,
        hashing=pgtools.HASHING,
    )


def _watch(
    kit: Kit, connection: Connection, work: _Halves, target: Path
) -> Mapping[Path, DumpedTable]:
    """Wait for both, and hash meanwhile what is dumped: gives each table as far as it came.

    When the dump failed, the count is ended: it may stand at the same lock. A disk that others
    may live on is not filled: the dump ends before.
    """
    begun: dict[Path, DumpedTable] = {}
    running: set[Future[Any]] = {work.dumping, work.counting}
    while running:
        _, running = wait(running, timeout=_TICK_SECONDS, return_when=FIRST_EXCEPTION)
        if running == {work.counting} and work.dumping.exception() is not None:
            connection.cancel()
        room = system.space(target)
        if running and room.free < preflight.spare_room(room.total):
            work.halt.request()
        files = target.glob(pgtools.TABLES) if target.exists() else ()
        written = sum(begun.setdefault(file, DumpedTable(file)).advance() for file in files)
        kit.watcher.advance(written, max(work.expected, written))
    return begun


def _described(
    shapes: tuple[TableShape, ...],
    counts: Mapping[int, int],
    files: Mapping[int, DumpedTable],
    jobs: int,
) -> tuple[Table, ...]:
    """Each table with its digest. Raises when the dump lacks a table or has other rows."""
    missing = [s.name for s in shapes if s.oid not in files and not s.of_extension]
    if missing:
        raise DatabaseFailed("dump.table_missing", tables=missing)
    dumped = [shape for shape in shapes if shape.oid in files]
    with ThreadPoolExecutor(jobs) as pool:
        digests = list(pool.map(DumpedTable.finish, (files[s.oid] for s in dumped)))
    for shape, (rows, _) in zip(dumped, digests, strict=True):
        if rows != counts[shape.oid]:
            raise DatabaseFailed(
                "dump.differs", table=shape.name, dumped=rows, counted=counts[shape.oid]
            )
    return tuple(
        Table(shape.schema, shape.name, shape.columns, rows, digest, shape.oid)
        for shape, (rows, digest) in zip(dumped, digests, strict=True)
    )


def _large_objects(dump: Path) -> tuple[int, str]:
    files = pgtools.dumped_large_objects(dump)
    return large_objects_digest((oid, tree.digest(files[oid])) for oid in sorted(files))


def large_objects_digest(objects: Iterable[tuple[int, str]]) -> tuple[int, str]:
    """How many large objects, and one digest over their numbers and their SHA-256."""
    count, hashed = 0, hashlib.sha256()
    for oid, digest in objects:
        count += 1
        hashed.update(f"{oid}:{digest}\n".encode())
    return count, hashed.hexdigest()


def read_manifest(path: Path) -> DatabaseManifest:
    """The manifest of a database from its file."""
    return record.from_json(DatabaseManifest, path.read_text(encoding="utf-8"))
