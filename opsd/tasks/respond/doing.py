"""What opsd can do to backups and repositories as a step of a plan."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from opsd.errors import Refused
from opsd.keeping import Word
from opsd.policy.locks import Owner
from opsd.tasks import keeping, locks, repairing
from opsd.tasks.respond.means import Means
from opsd.tasks.restore import plan, recorded
from opsd.tasks.restoring.terms import Door, Request
from opsd.tasks.retain import retain as _retain

Parameters = Mapping[str, str]
_ITSELF = "opsd"


def retain(means: Means, parameters: Parameters) -> str:
    """Drop what no rule keeps, as each night does."""
    return _retain(means.kit, parameters["set"]).closing.outcome.value


def unlock(means: Means, parameters: Parameters) -> str:
    """Remove the locks of the dead. Raises `Refused` where another one lies beside them."""
    repository = means.kit.backup_set(parameters["set"]).repository
    found = locks.owners(means.kit, repository)
    stays = [lock for lock, whose in found if whose not in {Owner.DEAD, Owner.UNKNOWN}]
    if stays:
        owner = f"{stays[0].user}@{stays[0].host}"
        raise Refused("lock.somebodys", repository=repository, owner=owner)
    means.kit.restic(repository).unlock()
    return ", ".join(lock.id[:8] for lock, _ in found)


def unlocked(means: Means, parameters: Parameters, since: datetime) -> bool:
    """Whether none lies there any more."""
    del since
    return not locks.listed(means.kit, means.kit.backup_set(parameters["set"]).repository)


def hold_point(means: Means, parameters: Parameters) -> str:
    """Put a point on hold: it is not dropped until a person releases it."""
    if not held(means, parameters, means.now):
        word = Word(means.now, _ITSELF, parameters.get("reason", "playbook"))
        keeping.hold(means.kit, parameters["set"], parameters["point"], word)
    return ""


def held(means: Means, parameters: Parameters, since: datetime) -> bool:
    """Whether something holds it."""
    del since
    holds = means.kit.store.holds(parameters["set"])
    return any(hold.covers(parameters["point"]) for hold in holds)


def restore_member(means: Means, parameters: Parameters) -> str:
    """Restore one member into a new directory, compared with its manifest."""
    kit = means.kit
    found = kit.backup_set(parameters["set"])
    kit.reach(found.repository)
    door = Door(kit.restic(found.repository), kit.config.host or platform.node(), stop=kit.stop)
    request = Request(
        parameters["set"],
        Path(parameters["target"]),
        point=parameters["point"],
        member=parameters["member"],
    )
    done = recorded(kit, door, plan(door, request))
    return f"{done.files} files, {done.tables} tables, {done.bytes} bytes"


def keep_index(means: Means, parameters: Parameters) -> str:
    """Copy what a repair may rewrite."""
    return str(repairing.keep_index(means.kit, parameters["set"]))


def kept(means: Means, parameters: Parameters, since: datetime) -> bool:
    """Whether that was done."""
    return repairing.kept_since(means.kit, parameters["set"], since)


def repair_packs(means: Means, parameters: Parameters) -> str:
    """Save what can be read of damaged packs."""
    return str(repairing.repair_packs(means.kit, parameters["set"]))


def packs_are_sound(means: Means, parameters: Parameters, since: datetime) -> bool:
    """Whether every pack is what its name says."""
    del since
    return not repairing.damaged(means.kit, parameters["set"])


def repair_index(means: Means, parameters: Parameters) -> str:
    """Let the index name what is there."""
    repairing.repair_index(means.kit, parameters["set"])
    return ""


def index_is_whole(means: Means, parameters: Parameters, since: datetime) -> bool:
    """Whether it does."""
    del since
    return repairing.index_is_whole(means.kit, parameters["set"])


def read_again(means: Means, parameters: Parameters) -> str:
    """Read again what was damaged: what became of it the history says."""
    return f"{repairing.read_again(means.kit, parameters['set'])} damaged"


def repair_snapshots(means: Means, parameters: Parameters) -> str:
    """Add snapshots without what stayed lost, where something did."""
    return "repaired" if repairing.repair_snapshots(means.kit, parameters["set"]) else "not needed"


def snapshots_repaired(means: Means, parameters: Parameters, since: datetime) -> bool:
    """Whether nothing is lacking, or a repaired snapshot is younger than that."""
    if repairing.whole(means.kit, parameters["set"]):
        return True
    return repairing.repaired_since(means.kit, parameters["set"], since)
