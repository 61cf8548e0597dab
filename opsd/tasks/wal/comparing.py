"""The dump and the log prove each other: the cluster is brought to where a dump was taken.

A dump is of one snapshot: exactly the transactions that it sees. The log holds commits in their own
order, which is nearly that in which snapshots come to see them, not quite. So the place where the
log has to end is found by its commits; where there is none (somebody was seen before somebody else
whose commit stands earlier in the log), that dump proves nothing and an older one is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from opsd import record
from opsd.drivers import cluster
from opsd.drivers.postgres import Database
from opsd.model import DatabaseManifest, Finding, RecoveryPoint, Severity
from opsd.policy import comparison
from opsd.policy import wal as policy
from opsd.tasks.journal import Journal
from opsd.tasks.members.captured import MANIFEST
from opsd.tasks.members.postgres import large_objects_digest
from opsd.tasks.proving.database import copied_digests
from opsd.tasks.shelf import points_in
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Planned
from opsd.tasks.wal.reading import programs
from opsd.wal import Base, position

COMPARED = "compared"  # the evidence of a dump that equalled the log, or did not
_LOOKED_AT = 3  # points, from the newest on
_BACK = 256 << 20  # of the log before a snapshot: what was committed there is seen by now


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that the log can be brought to: of which point, and onto which base copy."""

    point: RecoveryPoint
    manifest: DatabaseManifest
    base: Base


def dumps(log: Log, bases: tuple[Base, ...]) -> Iterator[Dump]:
    """The dumps that a base copy is older than, newest first."""
    backup_set = log.kit.backup_set(log.backup_set)
    restic = log.kit.restic(backup_set.repository)
    found = [p for p in points_in(restic, log.backup_set) if p.member(log.name)]
    for point in found[:_LOOKED_AT]:
        text = restic.read_file(point.record, f"{point.record_root}/{log.name}.{MANIFEST}")
        manifest = record.from_json(DatabaseManifest, text.decode())
        if manifest.position is None or manifest.snapshot is None:
            continue
        fitting = [base for base in bases if base.system == manifest.system_identifier]
        base = policy.base_for(fitting, lsn=position(manifest.position))
        if base is not None:
            yield Dump(point, manifest, base)


def meeting(log: Log, planned: Planned, dump: Dump, place: Path) -> int | None:
    """Before which commit the log must end to hold what the dump holds; None: nowhere."""
    assert dump.manifest.position is not None  # noqa: S101  (`dumps` saw to both)
    assert dump.manifest.snapshot is not None  # noqa: S101
    at, size = position(dump.manifest.position), planned.stock.size
    since = max(at - _BACK, dump.base.start) // size
    wanted = [one for one in planned.chain.segments if since <= one.number <= at // size + 1]
    place.mkdir()
    planned.stock.fetch(wanted, place)
    commits = log.programs(dump.base.version // 10000).commits(place)
    return policy.meeting(
        [(one.transaction, one.lsn) for one in commits if one.lsn >= dump.base.stop],
        dump.manifest.snapshot,
    )


def compare(journal: Journal, log: Log, dump: Dump, server: cluster.Cluster) -> None:
    """Every table as the log brought it back, beside what the dump holds of it."""
    database = Database(server.connection(log.database_name))
    with database.connect() as connection:
        shapes = connection.tables()
        unlogged = {(one.schema, one.name) for one in shapes if one.unlogged}
        known = {(one.schema, one.name) for one in dump.manifest.tables}
        kept = [
            one
            for one in shapes
            if not one.unlogged and (not one.of_extension or (one.schema, one.name) in known)
        ]
        tables = tuple(t for t in dump.manifest.tables if (t.schema, t.name) not in unlogged)
        expected = replace(dump.manifest, tables=tables)
        door = programs(log, server, database)
        digests = copied_digests(door, database, expected, kept, log.member.jobs)
        objects = large_objects_digest(connection.large_objects(door.timeout, door.stop))
        facts = connection.facts()
    findings: tuple[Finding, ...] = (
        *comparison.judge_tables(expected, digests),
        *comparison.judge_large_objects(expected, *objects),
        *comparison.judge_named("extensions", expected.extensions, facts.extensions),
        *comparison.judge_named("roles", expected.roles, facts.roles),
    )
    journal.findings += findings
    if findings:
        journal.find(Severity.FAULT, "replay.paths_differ", point=dump.point.id)
    journal.evidence(
        COMPARED,
        {
            "member": log.name,
            "repository": dump.base.repository,
            "point": dump.point.id,
            "at": dump.manifest.at.isoformat(),
            "tables": len(digests),
            "rows": sum(rows for rows, _ in digests.values()),
            "unlogged": sorted(".".join(name) for name in unlogged),
            "same": not findings,
        },
    )
