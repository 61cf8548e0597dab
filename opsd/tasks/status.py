"""What is known about a backup set, gathered from the history for policy.freshness to judge."""

from __future__ import annotations

from collections.abc import Iterator

from opsd.drivers import lock
from opsd.keeping import Cause
from opsd.model import Closing, Run, Task
from opsd.policy import freshness
from opsd.policy.freshness import LastRun, Objectives, Retained, SetFacts
from opsd.policy.standing import Standing
from opsd.tasks import stock
from opsd.tasks.kit import Kit


def observe(kit: Kit, name: str) -> SetFacts:
    """The facts about the set `name`."""
    backup_set = kit.backup_set(name)
    found = standings(kit, name)
    proved = next((one for one in found if one.proved_at is not None), None)
    running, _ = unclosed(kit)
    return SetFacts(
        now=kit.clock(),
        objectives=Objectives(backup_set.rpo, backup_set.rto),
        newest=found[0].point if found else None,
        proved=proved.point if proved else None,
        proved_at=proved.proved_at if proved else None,
        restore=_restore_time(kit, name),
        backup=last_over(kit, Task.BACKUP, name),
        proof=last_over(kit, Task.PROVE, name),
        running=tuple(run for run in running if run.backup_set == name),
        retention=_retained(kit, name, len(found)) if backup_set.retention else None,
        coverage=_coverage(kit, backup_set.repository) if found else None,
        unusual=tuple(f for f in kit.store.freezes(name) if f.cause is Cause.ANOMALY),
    )


def _coverage(kit: Kit, repository: str) -> freshness.Coverage:
    with stock.reads(kit) as known:
        within = kit.config.repositories[repository].coverage.within
        return freshness.Coverage(known.covered(repository), within)


def _retained(kit: Kit, name: str, kept: int) -> Retained:
    return Retained(
        kept=kept,
        dropped=kit.store.count_dropped(name),
        last=last_over(kit, Task.RETAIN, name),
        freezes=tuple(kit.store.freezes(name)),
    )


def standings(kit: Kit, name: str) -> tuple[Standing, ...]:
    """The points of a set with all that was found out about each, newest first."""
    kit.backup_set(name)
    return tuple(Standing(point, kit.store.proofs(point.id)) for point in kit.store.points(name))


def unclosed(kit: Kit) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Runs without an end: those under way, and those that died."""
    alive: list[Run] = []
    dead: list[Run] = []
    for run in kit.store.unclosed_runs():
        (alive if lock.held(kit.run_lease(run.id)) else dead).append(run)
    return tuple(alive), tuple(dead)


def runs_so_far(kit: Kit, task: Task, name: str) -> Iterator[tuple[Run, Closing | None]]:
    """The runs of a task on a set, newest first, but for those that began after now.

    They were made while a clock was ahead, and would hide every later one until it is that time.
    """
    present = kit.clock() + kit.config.clock.max_offset
    return ((run, end) for run, end in kit.store.runs(task, name) if run.opened_at <= present)


def last_over(kit: Kit, task: Task, name: str) -> LastRun | None:
    """The newest run that is over, be it by death."""
    for run, closing in runs_so_far(kit, task, name):
        if closing is not None or not lock.held(kit.run_lease(run.id)):
            return LastRun(run, closing)
    return None


def _restore_time(kit: Kit, name: str) -> freshness.RestoreTime | None:
    """As the newest good proof measured it."""
    last = kit.store.last_run(Task.PROVE, name, good=True)
    figures = kit.store.evidence(last[0].id, "proof") if last else None
    return freshness.restore_time(figures) if figures else None
