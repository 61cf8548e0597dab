"""What is known of a damaged repository, and the plan of its repair, as playbooks recall it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opsd.model import Task
from opsd.policy.repair import Damage
from opsd.tasks import damage, status, stock
from opsd.tasks.kit import Kit
from opsd.tasks.respond.means import Means

_INTEGRITY = "integrity"
_NAMED = 20


def damage_of(means: Means, backup_set: str) -> Mapping[str, object]:
    """The damage in the repository of a set; empty where none is known and no run found any."""
    kit = means.kit
    if backup_set not in kit.config.backup_sets:
        return {}
    repository = kit.backup_set(backup_set).repository
    suspected = any(_found(kit, task, backup_set) for task in (Task.BACKUP, Task.PROVE, Task.COVER))
    if not suspected and not stock.damaged(kit, repository):
        return {}
    found = damage.survey(kit, backup_set, suspected=suspected)
    return {
        "repository": repository,
        "steps": tuple({"step": s.name.value, "set": s.backup_set} for s in found.steps),
        "told": "\n".join(_told(found)),
    }


def _found(kit: Kit, task: Task, name: str) -> bool:
    last = status.last_over(kit, task, name)
    return last is not None and last.closing is not None and last.closing.reason == _INTEGRITY


def _told(found: Damage) -> Iterator[str]:
    yield from (f"{one.kind}/{one.name}" for one in found.objects[:_NAMED])
    for one in found.affected[:_NAMED]:
        names = ", ".join(one.names[:3])
        yield f"{one.point or one.snapshot[:8]}  {one.part}: {one.files}  {names}"
