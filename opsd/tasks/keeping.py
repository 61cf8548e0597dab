"""What of a set stays and what goes, and what stands against letting anything go."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from opsd.drivers import system
from opsd.errors import UsageError
from opsd.keeping import Freeze, Hold, Word
from opsd.model import Closing, Finding, Outcome, Run, Severity, Task
from opsd.policy import retention
from opsd.policy.retention import Facts, Obstacle, Planned, Rules
from opsd.tasks import stock
from opsd.tasks.kit import Kit
from opsd.tasks.status import last_over, runs_so_far, standings

_LACKING = {"proof.incomplete", "reconcile.not_possible"}


def rules_of(kit: Kit, name: str) -> Rules | None:
    """The rules of a set, as configured."""
    found = kit.backup_set(name).retention
    if found is None:
        return None
    return Rules(
        min_age=found.min_age,
        min_points=found.min_points,
        daily=found.daily,
        weekly=found.weekly,
        monthly=found.monthly,
        yearly=found.yearly,
    )


def plan(kit: Kit, name: str, run: str = "") -> Planned:
    """What retention would do now. `run` is the run that asks, when one does. Changes nothing."""
    rules, found = rules_of(kit, name), standings(kit, name)
    fates = retention.plan(found, kit.store.holds(name), kit.clock(), kit.config.zone, rules)
    if rules is None:
        return Planned(fates)
    store = kit.store
    every = store.freezes(name, ended=True)
    freezes = [freeze for freeze in every if freeze.ended_at is None]
    facts = Facts(
        now=kit.clock(),
        max_offset=kit.config.clock.max_offset,
        synchronised=system.clock_synchronised(),
        sync_required=kit.config.sync_required,
        rules=rules,
        standings=found,
        taken=store.taken(name),
        last_proof=last_over(kit, Task.PROVE, name),
        failed=_failed(kit, name, run),
        open=freezes,
        settled={(f.cause, f.about) for f in every if f.ended_at is not None and f.about},
        damaged=len(stock.damaged(kit, kit.backup_set(name).repository)),
    )
    return Planned(fates, freezes, retention.obstacles(facts), retention.refusal(facts))


def freeze(kit: Kit, name: str, found: Sequence[Obstacle]) -> Sequence[Freeze]:
    """Freeze retention for each obstacle; gives all that freezes it now."""
    for one in found:
        said = Finding(Severity.FAULT, one.error.key, one.error.fields, one.error.detail)
        at = kit.clock()
        kit.store.freeze(Freeze(new_id(at), name, at, one.cause, one.about, said))
    return kit.store.freezes(name)


def acknowledge(kit: Kit, name: str, word: Word) -> Sequence[Freeze]:
    """A person has looked at all that freezes retention, also at what nobody told of yet."""
    found = freeze(kit, name, plan(kit, name).obstacles)
    if not found:
        raise UsageError("retention.not_frozen", name=name)
    kit.store.thaw(found, word)
    return found


def hold(kit: Kit, name: str, point: str, word: Word) -> Hold:
    """Hold a point, by the beginning of its id, or with an empty one all points of a set."""
    kit.backup_set(name)
    found = [one.id for one in kit.store.points(name) if one.id.startswith(point)] if point else []
    if point and len(found) != 1:
        raise UsageError("point.unknown", name=name, point=point)
    made = Hold(new_id(word.at), name, found[0] if point else "", word.at, word.reason, word.who)
    kit.store.add_hold(made)
    return made


def release(kit: Kit, hold_id: str, word: Word) -> Hold:
    """What a hold covered need not stay any more."""
    for name in kit.config.backup_sets:
        for found in kit.store.holds(name):
            if found.id == hold_id:
                kit.store.release_hold(hold_id, word)
                return found
    raise UsageError("hold.unknown", id=hold_id)


def new_id(at: datetime) -> str:
    """A short id that people can type."""
    return f"{at:%Y%m%d}-{secrets.token_hex(3)}"


def _failed(kit: Kit, name: str, run: str) -> Run | None:
    """The newest failed proof since retention last looked; before it ever did, the last proof."""
    looked = [one.opened_at for one, _ in runs_so_far(kit, Task.RETAIN, name) if one.id != run]
    for proof, closing in runs_so_far(kit, Task.PROVE, name):
        if closing is not None and closing.outcome is Outcome.FAILED and not _lacking(closing):
            return proof if not looked or proof.opened_at >= looked[0] else None
        if closing is not None and not looked:
            return None
    return None


def _lacking(closing: Closing) -> bool:
    """Whether a proof found no more than its backup had told: the point lacks a member."""
    faults = {found.key for found in closing.findings if found.severity is Severity.FAULT}
    return "proof.incomplete" in faults and faults <= _LACKING
