"""Let go of the recovery points that no rule keeps, and give their space back.

What goes is written into the history before the first snapshot is removed: from then on nobody
counts on it, and whatever a death leaves behind the next run removes. restic is given explicit
snapshot ids, never a rule of its own. The record of a point goes first, so that a point of which a
part is gone is a point no more, even for whoever has the repository alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from opsd.config.retention import Retention
from opsd.drivers.restic import Limits, Restic, Snapshot
from opsd.errors import (
    Refused,
    RepositoryDamaged,
    StorageFailed,
    TimedOut,
    UsageError,
)
from opsd.keeping import Drop
from opsd.model import Closing, Severity, Task
from opsd.policy import leftovers
from opsd.policy.retention import Fate
from opsd.policy.standing import Standing
from opsd.store import OPSD
from opsd.tasks import coverage, holding, keeping, locks, means, shelf, status, sweep, way
from opsd.tasks.journal import Journal, opened
from opsd.tasks.kit import PROOF_RECORD, TAG, Kit, tagged
from opsd.tasks.turn import turn

_AT_ONCE = 500  # snapshots that one restic removes: an argv has its limits
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended, and the fate of each point."""

    closing: Closing
    fates: tuple[Fate, ...]


def retain(kit: Kit, name: str) -> Result:
    """Drop what no rule keeps. Raises `Refused` while something stands against it, and records it.

    What lies in another repository than the set's own is left alone.
    """
    backup_set = kit.backup_set(name)
    if backup_set.retention is None:
        raise UsageError("retention.not_configured", name=name)
    sweep.sweep(kit)
    with opened(kit, Task.RETAIN, name, backup_set.repository) as journal, turn(journal):
        with journal.phase("preflight"):
            fates = _planned(journal)
            kit.reach(backup_set.repository)
            locks.settle(journal)
        with way.giving(journal) as yielding:
            _carry_out(yielding, fates)
            _prune(yielding, backup_set.retention)
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return Result(journal.closing, fates)


def _planned(journal: Journal) -> tuple[Fate, ...]:
    """The plan, when nothing stands against it."""
    kit, name = journal.kit, journal.run.backup_set
    way.insist(journal)
    found = keeping.plan(kit, name, journal.run.id)
    frozen = keeping.freeze(kit, name, found.obstacles)
    journal.findings += [freeze.said for freeze in frozen]
    if frozen:
        causes = sorted({freeze.cause.value for freeze in frozen})
        raise Refused("retention.frozen", name=name, causes=causes)
    if found.refusal is not None:
        raise found.refusal
    return found.fates


def _carry_out(journal: Journal, fates: Sequence[Fate]) -> None:
    """Record what is given up, then remove its snapshots, and those of earlier nights."""
    kit, run = journal.kit, journal.run
    restic = kit.restic(run.repository)
    with journal.phase("forget", run.repository):
        listed = restic.snapshots(TAG, f"set:{run.backup_set}")
        holding.keep(kit, run.backup_set, listed)
        present = frozenset(snapshot.id for snapshot in listed)
        shelf.insist_on_snapshots(run.repository, kit.store.points(run.backup_set), present)
        going = [f.standing for f in fates if not f.kept]
        drops = [_drop(journal, one, listed) for one in going if _here(journal, one)]
        if drops:
            kit.store.drop(drops)
        every = kit.store.dropped_from(run.repository, run.backup_set)
        first = [drop.record for drop in every] + list(holding.over(kit, run.backup_set, listed))
        left = _clear(journal, listed)
        owed = frozenset((*first, *left, *(s for drop in every for s in drop.snapshots))) & present
        said = _forget(journal, restic, [one for one in first if one in owed])
        said += _forget(journal, restic, sorted(owed.difference(first)))
        if owed:
            _insist(journal, present, owed, said)
    kept = sum(fate.kept for fate in fates)
    journal.evidence(
        "retained", {"kept": kept, "dropped": len(drops), "snapshots_removed": len(owed)}
    )


def _clear(journal: Journal, listed: Sequence[Snapshot]) -> tuple[str, ...]:
    """What runs left that died before they closed a point; told before it goes."""
    kit, run = journal.kit, journal.run
    rules = keeping.rules_of(kit, run.backup_set)
    assert rules is not None  # noqa: S101  (retention is configured)
    left = leftovers.going(
        shelf.leftovers(kit, run.repository, listed),
        status.standings(kit, run.backup_set),
        kit.clock(),
        rules,
    )
    for one in left:
        told = {"run": one.run, "repository": run.repository, "snapshots": list(one.snapshots)}
        kit.store.tell(kit.clock(), "clear", OPSD, told)
        journal.find(Severity.NOTE, "retention.cleared", run=one.run, count=len(one.snapshots))
    return tuple(snapshot for one in left for snapshot in one.snapshots)


def _here(journal: Journal, standing: Standing) -> bool:
    return standing.point.repository == journal.run.repository


def _drop(journal: Journal, standing: Standing, listed: Iterable[Snapshot]) -> Drop:
    """A point with all that goes with it: its members, its record and the records of its proofs."""
    point, kit = standing.point, journal.kit
    proofs = {reached.run for reached in standing.proofs}
    proved = (
        snapshot.id
        for snapshot in listed
        if tagged(snapshot.tags, "part") == PROOF_RECORD and tagged(snapshot.tags, "run") in proofs
    )
    members = (member.snapshot for member in point.members)
    return Drop(
        point=point.id,
        backup_set=point.backup_set,
        repository=point.repository,
        run=journal.run.id,
        at=kit.clock(),
        snapshots=(point.record, *members, *proved),
        record=point.record,
    )


def _forget(journal: Journal, restic: Restic, snapshots: Sequence[str]) -> str:
    """Remove snapshots; gives what restic says of those that stay."""
    limits, said = _limits(journal), ""
    for begin in range(0, len(snapshots), _AT_ONCE):
        journal.kit.go_on()
        said += restic.forget(snapshots[begin : begin + _AT_ONCE], limits=limits)
    return said


def _limits(journal: Journal) -> Limits:
    kit, run = journal.kit, journal.run
    return kit.limits(run.repository, kit.backup_set(run.backup_set).timeout)


def _insist(journal: Journal, before: frozenset[str], owed: frozenset[str], said: str) -> None:
    """Is gone what had to go, and nothing else? restic's exit code does not tell."""
    run = journal.run
    listed = journal.kit.restic(run.repository).snapshots(TAG, f"set:{run.backup_set}")
    after = frozenset(snapshot.id for snapshot in listed)
    if lost := sorted(before - owed - after):
        names = [name[:8] for name in lost[:_NAMED]]
        raise RepositoryDamaged(
            "repository.snapshots_gone", repository=run.repository, count=len(lost), names=names
        )
    if left := sorted(owed & after):
        raise StorageFailed(
            "retention.not_removed", repository=run.repository, count=len(left), detail=said[:2000]
        )


def _prune(journal: Journal, wanted: Retention) -> None:
    """Give space back, where something was dropped since the last prune that came to its end."""
    kit, repository = journal.kit, journal.run.repository
    up_to = kit.store.last_drop(repository)
    if up_to <= kit.store.pruned_up_to(repository):
        return
    means.judge_prune(journal)
    before = _bytes(journal)
    refused, finished = _pruned(journal, wanted)
    freed = before - _bytes(journal)
    told = {"up_to": up_to, "finished": finished, "freed_bytes": freed, "refused": len(refused)}
    _check(journal)
    coverage.read_new(journal)
    journal.evidence("pruned", told)
    if refused:
        raise StorageFailed(
            "retention.not_removed",
            repository=repository,
            count=len(refused),
            detail="\n".join(refused[:_NAMED]),
        )


def _pruned(journal: Journal, wanted: Retention) -> tuple[tuple[str, ...], bool]:
    """What the storage would not remove, and whether prune came to its end in its time."""
    kit, repository = journal.kit, journal.run.repository
    limits = kit.limits(repository, wanted.prune_time)
    with journal.phase("prune", repository):
        try:
            refused = kit.restic(repository).prune(wanted.prune_repack, limits=limits)
        except TimedOut:
            journal.find(Severity.NOTE, "retention.prune_goes_on", limit=wanted.prune_time)
            return (), False
    return refused, not refused


def _bytes(journal: Journal) -> int:
    storage = journal.kit.storage(journal.run.repository)
    return sum(found.size for found in storage.objects()) if storage else 0


def _check(journal: Journal) -> None:
    """After something was removed, whatever remains must still be whole."""
    repository = journal.run.repository
    cache = journal.workplace()
    try:
        with journal.phase("structure", repository):
            restic = replace(journal.kit.restic(repository), cache=cache)
            report = restic.check(limits=_limits(journal))
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    if report.complaints:
        raise RepositoryDamaged(
            "repository.damaged",
            repository=repository,
            detail="\n".join(report.complaints[:_NAMED]),
        )
