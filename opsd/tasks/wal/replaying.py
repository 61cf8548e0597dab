"""Each night: the newest base copy and the log, recovered to a random moment, and looked at.

From the repositories alone, as after the loss of everything else; each in its turn.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from opsd.drivers import cluster, pgtools, system
from opsd.drivers.postgres import Database
from opsd.errors import UsageError
from opsd.model import Closing, Outcome, Severity, Task
from opsd.tasks.journal import Journal, end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.wal import planning, recovering
from opsd.tasks.wal.bases import bases
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import REPLAYED, Goal, Ways
from opsd.tasks.wal.recovering import Recovered

_TOLERANCE = timedelta(seconds=5)  # beats are a second apart
_BEHIND = timedelta(seconds=15)  # what is younger may still be on its way to the repository


def replay(kit: Kit, log: Log) -> Closing:
    """Recover to a random moment since the last time, in a throwaway cluster, and compare."""
    repository = _turn(kit, log)
    with opened(kit, Task.REPLAY, log.backup_set, repository) as journal:
        scratch = journal.workplace()
        try:
            target = scratch / log.name
            with journal.phase("choose", log.name):
                goal = _goal(kit, log, repository)
                ways = Ways(here=False, only=repository, throwaway=True)
                planned = planning.plan(log, goal, target, ways)
            with recovering.recovered(kit, planned, ways) as (done, server):
                _compare(journal, log, done, server)
        finally:
            wiped = system.wipe(scratch)
            journal.evidence("wiped", {"files": wiped.files, "bytes": wiped.bytes})
        end(journal, Outcome.FAILED if journal.faults else Outcome.PASSED)
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return journal.closing


def newest(kit: Kit, log: Log) -> Mapping[str, Any] | None:
    """What the newest good replay of a member told."""
    for run, closing in kit.store.runs(Task.REPLAY, log.backup_set):
        told = kit.store.evidence(run.id, REPLAYED)
        if closing and closing.outcome.good and told and told["member"] == log.name:
            return told
    return None


def _turn(kit: Kit, log: Log) -> str:
    """The repository whose turn it is."""
    before = len(kit.store.runs(Task.REPLAY, log.backup_set))
    return log.repositories[before % len(log.repositories)]


def _goal(kit: Kit, log: Log, repository: str) -> Goal:
    """A random moment that the newest base copy can be brought to, preferably a new one."""
    found = bases(log, repository)
    if not found:
        raise UsageError("recover.no_base", name=log.subject, oldest="-")
    last = newest(kit, log)
    since = max(found[-1].until, datetime.fromisoformat(last["goal"]) if last else found[-1].until)
    until = kit.clock() - max(_BEHIND, 3 * log.wal.ship_every)
    if until <= since:
        return Goal("now")
    return Goal("time", time=since + random.random() * (until - since))  # noqa: S311


def _compare(journal: Journal, log: Log, done: Recovered, server: cluster.Cluster) -> None:
    """Is it the moment that was asked for, is every row readable, and does what must hold, hold?"""
    kit, asked = journal.kit, done.planned.goal.time
    at = done.replay.at if done.replay else None
    if asked is not None and (at is None or not asked - _TOLERANCE <= at <= asked):
        journal.find(Severity.FAULT, "replay.moment", asked=asked, at=at or "-")
    journal.findings += done.findings
    database = Database(server.connection(log.database_name))
    programs = pgtools.Programs(
        cluster.binaries(server.major),
        database.env,
        kit.backup_set(log.backup_set).prove.timeout,
        kit.stop,
    )
    with database.connect() as connection:
        shapes = connection.tables()
        encoding = connection.facts().encoding
        for invariant in kit.backup_set(log.backup_set).prove.invariants:
            if invariant.member == log.name and (rows := connection.violations(invariant.query)):
                journal.find(
                    Severity.FAULT, "proof.invariant_broken", name=invariant.name, rows=rows
                )
    with ThreadPoolExecutor(log.member.jobs) as pool:
        copied = list(
            pool.map(
                lambda s: programs.copied_digest(database.connection, encoding, s.copy), shapes
            )
        )
    journal.evidence(
        REPLAYED,
        {
            "member": log.name,
            "repository": done.planned.base.repository,
            "base": done.planned.base.id,
            "goal": (asked or at or kit.clock()).isoformat(),
            "achieved": at.isoformat() if at else None,
            "wal_bytes": done.planned.wal_bytes,
            "base_bytes": done.planned.base.bytes,
            "tables": len(copied),
            "rows": sum(rows for rows, _ in copied),
            "seconds": done.seconds,
        },
    )
