"""Each night: a base copy and the log, replayed to where the newest dump was taken, and compared.

From one repository alone, as after the loss of everything else; each in its turn. The dump and the
log know nothing of each other: at that place in the log both must hold the same rows.
"""

from __future__ import annotations

from pathlib import Path

from opsd.binlog import LogFile, Spot
from opsd.contents import MariadbManifest
from opsd.drivers import system
from opsd.model import Closing, Outcome, Severity, Task
from opsd.tasks.binlog import recovering
from opsd.tasks.binlog.recovering import Goal, Planned
from opsd.tasks.binlog.stream import Stream
from opsd.tasks.journal import Journal, end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.members.mariadb import read_manifest
from opsd.tasks.proving.mariadb import judged
from opsd.tasks.wal import turns
from opsd.tasks.wal.planning import REPLAYED
from opsd.tasks.wal.replaying import ask


def replay(kit: Kit, stream: Stream) -> Closing:
    """Recover to the place of the newest dump, in a throwaway server, and compare."""
    repository = turns.turn(kit, stream.backup_set, stream.name, stream.repositories)
    with opened(kit, Task.REPLAY, stream.backup_set, repository) as journal:
        turns.take(journal, stream.name)
        scratch = journal.workplace()
        try:
            with journal.phase("choose", stream.name):
                dump = _newest_dump(kit, stream)
                planned = _chosen(journal, stream, dump, scratch / stream.name)
            _play(journal, planned, dump)
        finally:
            wiped = system.wipe(scratch)
            journal.evidence("wiped", {"files": wiped.files, "bytes": wiped.bytes})
        end(journal, Outcome.FAILED if journal.faults else Outcome.PASSED)
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return journal.closing


def _newest_dump(kit: Kit, stream: Stream) -> MariadbManifest | None:
    """What the newest dump holds, where it knows its place in the log."""
    kept = kit.manifest(stream.backup_set, stream.name).with_suffix(".json")
    manifest = read_manifest(kept) if kept.exists() else None
    return manifest if manifest and manifest.log_file else None


def _chosen(
    journal: Journal, stream: Stream, dump: MariadbManifest | None, target: Path
) -> Planned:
    """To the dump's place, where a base copy from before it is there; else as far as it goes."""
    only = journal.run.repository
    file = LogFile.of(dump.log_file) if dump else None
    if dump and file:
        spot = Spot(file, dump.log_offset)
        if recovering.reachable(stream, dump.server, spot, only):
            return recovering.plan(stream, Goal(spot=spot), target, only=only)
    journal.find(Severity.NOTE, "replay.no_meeting")
    return recovering.plan(stream, Goal(), target, only=only)


def _play(journal: Journal, planned: Planned, dump: MariadbManifest | None) -> None:
    kit, stream = journal.kit, planned.stream
    limit, meets = kit.backup_set(stream.backup_set).prove.timeout, planned.goal.spot is not None
    with (
        recovering.recovered(kit, planned) as (done, server),
        journal.phase("compare", stream.name),
    ):
        database = server.database(stream.member.database)
        shapes = database.shapes()
        if meets and dump is not None:
            findings, rows = judged(database, dump, limit)
            journal.findings += findings
        else:
            rows = sum(count for count, _ in database.counted(shapes, limit).values())
        ask(journal, stream.name, lambda query: database.violations(query, limit))
    journal.findings += done.findings
    reached = dump.at if dump is not None and meets else planned.base.at
    journal.evidence(
        REPLAYED,
        {
            "member": stream.name,
            "repository": planned.base.repository,
            "base": planned.base.id,
            "goal": reached.isoformat(),
            "achieved": reached.isoformat(),
            "tables": len(shapes),
            "rows": rows,
            "wal_bytes": planned.log_bytes,
            "base_bytes": planned.base.bytes,
            "seconds": done.seconds,
        },
    )
