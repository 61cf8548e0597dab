"""What is known about a backup set, gathered from the history for policy.freshness to judge."""

from __future__ import annotations

from opsd.drivers import lock
from opsd.model import Run, Task
from opsd.policy import freshness
from opsd.policy.freshness import LastRun, Objectives, Retained, SetFacts
from opsd.policy.standing import Standing
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
    )


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


def last_over(kit: Kit, task: Task, name: str) -> LastRun | None:
    """The newest run that is over, be it by death."""
    for run, closing in kit.store.runs(task, name):
        if closing is not None or not lock.held(kit.run_lease(run.id)):
            return LastRun(run, closing)
    return None


def _restore_time(kit: Kit, name: str) -> freshness.RestoreTime | None:
    """As the newest good proof measured it."""
    last = kit.store.last_run(Task.PROVE, name, good=True)
    figures = kit.store.evidence(last[0].id, "proof") if last else None
    return freshness.restore_time(figures) if figures else None
