"""What opsd itself can do as a step of a plan: a literal table.

Each knows by itself how one sees that it was done since a moment, also after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from opsd.keeping import Cause, Freeze
from opsd.model import Finding, Severity, Task
from opsd.playbook import Effect
from opsd.tasks import keeping
from opsd.tasks.backup import back_up
from opsd.tasks.prove import prove
from opsd.tasks.respond import doing
from opsd.tasks.respond.means import Means

Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do. `do` gives what is told of it, or raises an `OpsdError`."""

    effect: Effect
    do: Callable[[Means, Parameters], str]
    done: Callable[[Means, Parameters, datetime], bool]


def _sets(means: Means, parameters: Parameters) -> tuple[str, ...]:
    """The set that is named, or all of them."""
    name = parameters.get("set", "")
    if name:
        means.kit.backup_set(name)
    return (name,) if name else tuple(means.kit.config.backup_sets)


def _freeze(means: Means, parameters: Parameters) -> str:
    about = parameters.get("about", "")
    at = means.now
    said = Finding(Severity.FAULT, "retention.suspicion", {"about": about})
    for name in _sets(means, parameters):
        if not means.kit.store.freezes(name):
            means.kit.store.freeze(
                Freeze(keeping.new_id(at), name, at, Cause.SUSPICION, about, said)
            )
    return ""


def _frozen(means: Means, parameters: Parameters, since: datetime) -> bool:
    del since
    return all(means.kit.store.freezes(name) for name in _sets(means, parameters))


def _back_up(means: Means, parameters: Parameters) -> str:
    closing = back_up(means.kit, parameters["set"]).closing
    return closing.outcome.value


def _prove(means: Means, parameters: Parameters) -> str:
    closing = prove(means.kit, parameters["set"], parameters.get("point")).closing
    return closing.outcome.value


def _since(task: Task, *, good: bool = True) -> Callable[[Means, Parameters, datetime], bool]:
    def done(means: Means, parameters: Parameters, since: datetime) -> bool:
        last = means.kit.store.last_ended(task, parameters["set"], good=good)
        return last is not None and last[0].opened_at >= since

    return done


ACTIONS: Final[Mapping[str, Action]] = {
    "freeze_retention": Action(Effect.CHANGE, _freeze, _frozen),
    "back_up": Action(Effect.CHANGE, _back_up, _since(Task.BACKUP)),
    "prove": Action(Effect.CHANGE, _prove, _since(Task.PROVE)),
    "retain": Action(Effect.CHANGE, doing.retain, _since(Task.RETAIN)),
    "unlock": Action(Effect.CHANGE, doing.unlock, doing.unlocked),
    "hold_point": Action(Effect.CHANGE, doing.hold_point, doing.held),
    "restore_member": Action(Effect.CHANGE, doing.restore_member, _since(Task.RESTORE)),
    "keep_index": Action(Effect.CHANGE, doing.keep_index, doing.kept),
    "repair_packs": Action(Effect.CHANGE, doing.repair_packs, doing.packs_are_sound),
    "repair_index": Action(Effect.CHANGE, doing.repair_index, doing.index_is_whole),
    "read_again": Action(Effect.CHANGE, doing.read_again, _since(Task.COVER, good=False)),
    "repair_snapshots": Action(Effect.CHANGE, doing.repair_snapshots, doing.snapshots_repaired),
}
EFFECTS: Final[Mapping[str, Effect]] = {name: action.effect for name, action in ACTIONS.items()}
