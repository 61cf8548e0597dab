"""What a repository itself tells about recovery points, without any history."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from opsd.drivers.restic import Restic, Snapshot
from opsd.errors import RepositoryDamaged, RepositoryMissing, StorageFailed, ToolFailed
from opsd.model import (
    Finding,
    MemberKind,
    MemberSnapshot,
    RecoveryPoint,
    Run,
    Severity,
    Task,
)
from opsd.policy.leftovers import Leftover
from opsd.tasks.kit import (
    HOLDS,
    PROOF_RECORD,
    RECORD,
    RECORD_FILE,
    TAG,
    Kit,
    begun_at,
    is_run_id,
    tagged,
)
from opsd.tasks.wal.layout import members

log = logging.getLogger(__name__)

_NAMED = 5


def points_in(repository: Restic, backup_set: str = "") -> tuple[RecoveryPoint, ...]:
    """All recovery points that a record closed, newest first; of one set, or of all."""
    chosen = (TAG, f"set:{backup_set}") if backup_set else (TAG,)
    return points_of(repository.name, repository.snapshots(*chosen))


def points_of(repository: str, snapshots: Iterable[Snapshot]) -> tuple[RecoveryPoint, ...]:
    """The points that snapshots make up, told by their tags."""
    runs: dict[str, list[Snapshot]] = defaultdict(list)
    for snapshot in snapshots:
        if tagged(snapshot.tags, "part") != PROOF_RECORD:
            runs[tagged(snapshot.tags, "run")].append(snapshot)
    points = [_told(repository, run, found) for run, found in runs.items() if run]
    known = (point for point in points if point is not None)
    return tuple(sorted(known, key=lambda point: (point.at, point.id), reverse=True))


def make(kit: Kit, repository: str, missing: RepositoryMissing) -> bool:
    """Make a repository where there is none, and never was one of ours, whichever the set.

    Whether it was made here: of two who find none one makes it, else it had two keys, of which
    either opens half. Raises `StorageFailed` where the history knows of anything in it: its disk
    is not mounted.
    """
    points, bases = kit.store.points_in(repository), kit.store.bases_in(repository)
    if points or bases:
        raise StorageFailed(
            "repository.lost", repository=repository, points=len(points)
        ) from missing
    restic = kit.restic(repository)
    with kit.making(repository):
        try:
            restic.snapshots()
        except RepositoryMissing:
            restic.init()
            return True
    return False


def insist_on_ours(kit: Kit, repository: str) -> None:
    """Raise `StorageFailed` when nothing of what any set wrote to a repository is in it."""
    if not (kit.store.points_in(repository) or kit.store.bases_in(repository)):
        return
    present = {snapshot.id for snapshot in kit.restic(repository).snapshots()}
    points = kit.store.points_in(repository)  # what was dropped by now may be gone
    if not (present or _has_copies(kit, repository)) or (
        points and not any(point.record in present for point in points)
    ):
        raise _replaced(repository, points)


def _has_copies(kit: Kit, repository: str) -> bool:
    """Whether there is a base copy of any PostgreSQL server."""
    storage = kit.storage(repository)
    return storage is not None and bool(members(storage))


def missed(
    kit: Kit, repository: str, backup_set: str, listed: Iterable[Snapshot]
) -> tuple[Finding, ...]:
    """What a repository lost of a set whose snapshots are `listed`; the next point is not stopped.

    Raises `StorageFailed` when it lost all: another repository is in its place.
    """
    present = {snapshot.id for snapshot in listed}
    points = [p for p in kit.store.points(backup_set) if p.repository == repository]
    if not points:
        insist_on_ours(kit, repository)
    elif not any(point.record in present for point in points):
        raise _replaced(repository, points)
    try:
        insist_on_snapshots(repository, points, present)
    except RepositoryDamaged as lost:
        return (Finding(Severity.CHANGE, lost.key, lost.fields),)
    return ()


def _replaced(repository: str, points: Sequence[RecoveryPoint]) -> StorageFailed:
    return StorageFailed("repository.replaced", repository=repository, points=len(points))


def insist_on_snapshots(
    repository: str, points: Iterable[RecoveryPoint], present: Collection[str]
) -> None:
    """Raise `RepositoryDamaged` when a repository lacks snapshots of its points."""
    known = {
        snapshot
        for point in points
        if point.repository == repository
        for snapshot in (point.record, *(member.snapshot for member in point.members))
    }
    if missing := sorted(known.difference(present)):
        raise RepositoryDamaged(
            "repository.snapshots_gone",
            repository=repository,
            count=len(missing),
            names=[name[:8] for name in missing[:_NAMED]],
        )


def leftovers(kit: Kit, repository: str, snapshots: Iterable[Snapshot]) -> tuple[Leftover, ...]:
    """What backups left that closed no point, oldest first: by the time in the id of the run.

    So did what a point did not hold that was dropped since (`HOLDS`). What has no `part:` is none
    of theirs: a base copy has a life of its own.
    """
    sets = kit.config.backup_sets
    drops = [one for name in sets for one in kit.store.dropped_from(repository, name)]
    gone, owed = {one.point for one in drops}, {s for one in drops for s in one.snapshots}
    alive = {run.id for run in kit.store.unclosed_runs()}
    runs: dict[str, list[Snapshot]] = defaultdict(list)
    for snapshot in snapshots:
        if tagged(snapshot.tags, "part") not in {"", PROOF_RECORD} and snapshot.id not in owed:
            runs[tagged(snapshot.tags, "run")].append(snapshot)
    return tuple(
        Leftover(
            run=run,
            at=begun_at(run),
            snapshots=tuple(one.id for one in found),
            over=kit.store.run(run) is not None and run not in alive,
            ours=all(one.host == kit.config.host for one in found),
        )
        for run, found in sorted(runs.items())
        if is_run_id(run)
        and (run in gone or kit.store.point(run) is None)
        and _of_a_backup(kit.store.run(run))
        and not any(tagged(one.tags, "part") == RECORD for one in found)
    )


def _of_a_backup(run: Run | None) -> bool:
    """Whether a run was a backup, as far as the history knows it."""
    return run is None or run.task is Task.BACKUP


def read_record(repository: Restic, point: RecoveryPoint) -> Mapping[str, Any]:
    """What the record of a point says. Raises `RepositoryDamaged` when it cannot be read."""
    text = repository.read_file(point.record, f"{point.record_root}/{RECORD_FILE}")
    try:
        found: Mapping[str, Any] = json.loads(text)
    except ValueError as error:
        raise ToolFailed("restic.odd_answer", command="dump", detail=str(error)) from error
    return found


def _told(repository: str, run: str, snapshots: list[Snapshot]) -> RecoveryPoint | None:
    """The point, or nothing where tags are odd: one strange snapshot must not hide the others."""
    try:
        return _point(repository, run, snapshots)
    except ValueError as odd:
        log.warning("run %s in %s has tags that are not understood: %s", run, repository, odd)
        return None


def _point(repository: str, run: str, snapshots: list[Snapshot]) -> RecoveryPoint | None:
    record = next((s for s in snapshots if tagged(s.tags, "part") == RECORD), None)
    if record is None:
        return None
    held = {tag.removeprefix(HOLDS) for tag in record.tags if tag.startswith(HOLDS)}
    parts = [s for s in snapshots if s is not record]
    found = (_member(s) for s in parts if not held or tagged(s.tags, "part") in held)
    # Trees last, as everywhere: which snapshot was done first is chance.
    members = tuple(sorted(found, key=lambda m: (m.kind is MemberKind.FILES, m.member)))
    return RecoveryPoint(
        id=run,
        backup_set=tagged(record.tags, "set"),
        repository=repository,
        host=record.host,
        at=datetime.fromisoformat(tagged(record.tags, "at")),
        members=members,
        complete=tagged(record.tags, "complete") == "yes",
        record=record.id,
        record_root=record.paths[0],
    )


def _member(snapshot: Snapshot) -> MemberSnapshot:
    return MemberSnapshot(
        member=tagged(snapshot.tags, "part"),
        kind=MemberKind(tagged(snapshot.tags, "kind")),
        snapshot=snapshot.id,
        root=snapshot.paths[0],
        files=snapshot.files,
        bytes=snapshot.bytes,
        rows=0,
        added_bytes=snapshot.added_bytes,
        elapsed=timedelta(),
    )
