"""Is the repository whole, and does its storage give back what was written?"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from opsd.drivers.storage import LocalStorage, Storage, StoredObject
from opsd.errors import RepositoryDamaged
from opsd.model import RecoveryPoint
from opsd.policy import sampling
from opsd.tasks import stock
from opsd.tasks.ahead import ahead
from opsd.tasks.kit import TAG
from opsd.tasks.proving.bench import Bench
from opsd.tasks.shelf import insist_on_snapshots, points_of

_NAMED = 5


def check_structure(bench: Bench) -> None:
    """All snapshots that the history knows are there, and restic's check finds nothing.

    `restic check` does not miss a snapshot that was deleted, so they are counted here.
    """
    repository = bench.point.repository
    listed = bench.kit.restic(repository).snapshots(TAG, f"set:{bench.point.backup_set}")
    present = {snapshot.id for snapshot in listed}
    points = (*bench.kit.store.points(bench.point.backup_set), bench.point)
    insist_on_snapshots(repository, points, present)
    _insist_that_the_repository_tells(bench.point, points_of(repository, listed))
    _check(bench)
    bench.figures["snapshots"] = len(present)


def _insist_that_the_repository_tells(point: RecoveryPoint, told: Iterable[RecoveryPoint]) -> None:
    """The repository alone must lead to the same snapshots: after a fire there is no history."""
    alone = next((found for found in told if found.id == point.id), None)
    if alone is None or _places(alone) != _places(point):
        raise RepositoryDamaged(
            "repository.tells_otherwise", repository=point.repository, point=point.id
        )


def _places(point: RecoveryPoint) -> frozenset[tuple[str, str, str]]:
    """Where a restore would look: each part with its snapshot and its root."""
    members = ((m.member, m.snapshot, m.root) for m in point.members)
    return frozenset((*members, ("", point.record, point.record_root)))


def read_back(bench: Bench) -> None:
    """Read what this run wrote, and of the rest as much as the budget allows, and hash it."""
    storage = bench.kit.storage(bench.point.repository)
    if storage is None:
        _read_by_restic(bench)
        return
    objects = sorted(storage.objects(), key=lambda o: o.name)
    written = _written(bench)
    budget = bench.backup_set.prove.read_budget
    part = sampling.choose(sum(o.size for o in objects), budget, bench.turn)
    packs = [o for o in objects if o.kind == "data"]
    if not packs:
        raise RepositoryDamaged("proof.read_nothing", repository=bench.point.repository)
    part = part.moved_on_to(o.name.encode() for o in packs)
    chosen = [o for o in objects if o.name in written or part.has(o.name.encode())]
    damaged = _damaged(bench, storage, chosen)
    stock.note(bench.journal, objects, (o.name for o in chosen), (o.name for o in damaged))
    bench.figures["read_objects"] = len(chosen)
    bench.figures["read_bytes"] = sum(o.size for o in chosen)
    bench.figures["read_whole"] = part.whole
    _tell(bench, part)
    if damaged:
        raise RepositoryDamaged(
            "repository.objects_damaged",
            repository=bench.point.repository,
            count=len(damaged),
            names=[f"{o.kind}/{o.name[:16]}" for o in damaged[:_NAMED]],
        )
    bench.canary("storage", caught=_canary(bench, storage, min(chosen, key=lambda o: o.size)))


def _read_by_restic(bench: Bench) -> None:
    """Where opsd cannot read the storage itself, restic reads it, slower but no less sure."""
    _check(bench, subset="100%")
    objects = list(stock.listed(bench.kit, bench.point.repository))
    stock.note(bench.journal, objects, (o.name for o in objects), ())
    bench.figures["read_whole"] = True
    _tell(bench, sampling.Part(0, 1))


def _tell(bench: Bench, part: sampling.Part) -> None:
    """Which part of the stored objects was read, and since when all of them were, if they were."""
    repository = bench.point.repository
    covered = bench.covered("packs", repository, part)
    bench.figures["packs"] = {
        repository: {
            "parts": part.parts,
            "numbers": sorted(part.numbers),
            "covered": covered.covered,
            "covered_since": covered.since.isoformat(),
        }
    }


def _check(bench: Bench, subset: str = "") -> None:
    """Restic's check. Its own cache lies in scratch: one that is killed leaves it behind."""
    restic = replace(bench.kit.restic(bench.point.repository), cache=bench.scratch)
    report = restic.check(limits=bench.limits, subset=subset)
    if report.complaints:
        raise RepositoryDamaged(
            "repository.damaged",
            repository=bench.point.repository,
            detail="\n".join(report.complaints[:_NAMED]),
        )


def _written(bench: Bench) -> frozenset[str]:
    """The objects that the backup run of this point wrote, as far as the history knows."""
    body = bench.kit.store.evidence(bench.point.id, "written")
    return frozenset(body["objects"]) if body else frozenset()


def _damaged(bench: Bench, storage: Storage, objects: Iterable[StoredObject]) -> list[StoredObject]:
    """Objects that are not what their names say, or that cannot be read."""
    chosen = list(objects)
    total, done, found = sum(o.size for o in chosen), 0, []
    for stored, sound in ahead(partial(stock.sound, storage), chosen):
        bench.kit.go_on()
        bench.insist_on_time()
        done += stored.size
        bench.kit.watcher.advance(done, total)
        if not sound:
            found.append(stored)
    return found


def _canary(bench: Bench, storage: Storage, stored: StoredObject) -> bool:
    """Flip one bit in a copy of an object: is it seen?"""
    home = bench.scratch / "canary"
    copy = LocalStorage(home)
    path = storage.fetch(stored, home)
    flip(path)
    caught = not stock.sound(copy, stored)
    shutil.rmtree(home)
    return caught


def flip(path: Path) -> None:
    """Change one bit in the middle of a file, and nothing else about it."""
    facts = path.stat()
    with path.open("r+b") as stream:
        stream.seek(facts.st_size // 2)
        byte = stream.read(1)
        stream.seek(facts.st_size // 2)
        stream.write(bytes([byte[0] ^ 1]))
