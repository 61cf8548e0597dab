"""Each night: a base copy and the log, recovered to a random moment, and looked at.

From the repositories alone, as after the loss of everything else; each in its turn. On the way it
stops where the newest dump was taken, and is compared with that: two paths that know nothing of
each other must bring back the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from opsd.clock import Stopwatch
from opsd.drivers import cluster, system
from opsd.drivers.postgres import Database
from opsd.drivers.postgres.replication import Replay
from opsd.errors import OpsdError, RepositoryDamaged
from opsd.model import Closing, Outcome, Severity, Task
from opsd.policy.moments import is_left
from opsd.tasks.journal import Journal, end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.wal import choosing, comparing, planning, reading, recovering, rereading, turns
from opsd.tasks.wal.comparing import Dump
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import REPLAYED, Goal, Planned, Ways
from opsd.tasks.wal.stock import DAMAGED

_TOLERANCE = timedelta(seconds=5)  # beats are a second apart


@dataclass(frozen=True, slots=True)
class _Night:
    """What a replay will do: where it goes, and at which dump it stops, where at one."""

    planned: Planned
    ways: Ways
    dump: Dump | None = None
    meeting: Goal | None = None

    @property
    def stops(self) -> tuple[Goal, ...]:
        """Where it stands still, in the order of the log."""
        goal = self.planned.goal
        if self.dump is None or self.meeting is None:
            return (goal,)
        first = goal.time is not None and goal.time < self.dump.manifest.at
        return (goal, self.meeting) if first else (self.meeting, goal)


def replay(kit: Kit, log: Log) -> Closing:
    """Recover to a random moment since the last time, in a throwaway cluster, and compare."""
    repository = turns.turn(kit, log.backup_set, log.name, log.repositories)
    with opened(kit, Task.REPLAY, log.backup_set, repository) as journal:
        turns.take(journal, log.name)
        scratch = journal.workplace()
        try:
            with journal.phase("choose", log.name):
                night = _chosen(journal, log, repository, scratch)
            damaged = _is_damaged(journal, log, night)
            with journal.phase("read_back", repository):
                rereading.tell(journal, log, night.planned.stock, repository, everything=damaged)
        finally:
            wiped = system.wipe(scratch)
            journal.evidence("wiped", {"files": wiped.files, "bytes": wiped.bytes})
        end(journal, Outcome.FAILED if journal.faults else Outcome.PASSED)
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return journal.closing


def _chosen(journal: Journal, log: Log, repository: str, scratch: Path) -> _Night:
    """The base copy that the newest dump can be reached from, or else the newest one."""
    found = choosing.reachable(log, repository, scratch / "left")
    ways = Ways(here=False, only=repository, throwaway=True)
    target = scratch / log.name
    try:
        for number, dump in enumerate(comparing.dumps(log, found.bases)):
            if is_left(dump.manifest.at, found.left):
                continue
            mine = replace(ways, base=dump.base.id)
            goal = choosing.goal(log, dump.base, found.left)
            planned = planning.plan(log, goal, target, mine)
            lsn = comparing.meeting(log, planned, dump, scratch / f"look.{number}")
            if lsn is not None:
                return _Night(planned, mine, dump, Goal("before", lsn=lsn))
        journal.find(Severity.NOTE, "replay.no_meeting")
    except OpsdError as error:  # what keeps it from a dump keeps it from no replay
        journal.findings.append(error.finding(Severity.NOTE))
    goal = choosing.goal(log, found.bases[-1], found.left)
    return _Night(planning.plan(log, goal, target, ways), ways)


def _is_damaged(journal: Journal, log: Log, night: _Night) -> bool:
    """Play it; whether a segment on the way is damaged: then there may be more."""
    try:
        _play(journal, log, night)
    except RepositoryDamaged as error:
        journal.findings.append(error.finding(Severity.FAULT))
        return True
    return any(found.key == DAMAGED for found in journal.findings)


def _play(journal: Journal, log: Log, night: _Night) -> None:
    """Go from stop to stop, and compare at each."""
    kit, first, *rest = journal.kit, *night.stops
    planned, ways = replace(night.planned, goal=first), replace(night.ways, promote=not rest)
    with recovering.recovered(kit, planned, ways) as (done, server):
        seen = _compare(journal, log, night, first, (done.replay, server))
    journal.findings += done.findings
    for goal in rest:
        watch = Stopwatch()
        with recovering.further(kit, planned, goal, night.ways) as stands:
            done.seconds["replay"] += watch.elapsed().total_seconds()
            seen |= _compare(journal, log, night, goal, stands)
    base = night.planned.base
    journal.evidence(
        REPLAYED,
        {
            "member": log.name,
            "repository": base.repository,
            "base": base.id,
            **seen,
            "read_bytes": night.planned.read_bytes,
            "seconds": done.seconds,
        },
    )


def _compare(
    journal: Journal,
    log: Log,
    night: _Night,
    goal: Goal,
    stands: tuple[Replay | None, cluster.Cluster],
) -> dict[str, object]:
    """What is asked where it stands: the dump's tables there, everything else at the goal."""
    replay, server = stands
    if goal is night.meeting and night.dump is not None:
        comparing.compare(journal, log, night.dump, server)
        return {}
    # Where nothing was committed since, it is what the base copy has.
    at = (replay and replay.at) or night.planned.base.until
    if goal.time is not None and not goal.time - _TOLERANCE <= at <= goal.time:
        journal.find(Severity.FAULT, "replay.moment", asked=goal.time, at=at)
    database = Database(server.connection(log.database_name))
    programs = reading.programs(log, server, database)
    limits = programs.timeout, programs.stop
    with database.connect() as connection:
        ask(journal, log.name, lambda query: connection.violations(query, *limits))
    read = reading.read(log, server, log.database_name)
    return {
        "goal": (goal.time or at).isoformat(),
        "achieved": at.isoformat(),
        "tables": len(read),
        "rows": sum(rows for rows, _ in read.values()),
    }


def ask(journal: Journal, member: str, violations: Callable[[str], int]) -> None:
    """Ask each invariant of a member of whoever tells how many rows offend."""
    for invariant in journal.kit.backup_set(journal.run.backup_set).prove.invariants:
        if invariant.member == member and (rows := violations(invariant.query)):
            journal.find(Severity.FAULT, "proof.invariant_broken", name=invariant.name, rows=rows)
