"""Repairing a damaged repository, each step by itself; the order is that of `opsd.policy.repair`.

What is overwritten is kept aside first, nothing is dropped, and what could not be read is kept too:
restic writes it into the same place.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from opsd.drivers.restic import Limits, Restic
from opsd.drivers.storage import LocalStorage, Storage, StoredObject
from opsd.errors import Refused, RepositoryDamaged
from opsd.keeping import Object
from opsd.policy.repair import KEPT
from opsd.tasks import coverage, damage, stock
from opsd.tasks.kit import Kit

_LIMITS = Limits(timedelta(hours=12))
_HOLDER = "repair"
_REPAIRED = "repaired"
# What `check` says of packs and index; that a blob is "not found in index" is its loss, and stays.
_OF_THE_INDEX = re.compile(r"in any index|several indexes|does not exist|load(ing)? index")


def keep_index(kit: Kit, name: str) -> Path:
    """Copy what restic may rewrite beside the history. Gives where."""
    with _held(kit, name) as (_, storage):
        place = _place(kit, name) / f"{kit.clock():%Y%m%dT%H%M%SZ}"
        place.mkdir(parents=True, mode=0o700)
        if isinstance(storage, LocalStorage):
            for part in KEPT:
                source = storage.root / part
                copy = shutil.copytree if source.is_dir() else shutil.copy2
                copy(source, place / part)
        else:
            for stored in storage.objects():
                if stored.kind in KEPT:
                    storage.fetch(stored, place)
    return place


def kept(kit: Kit, name: str) -> tuple[Path, ...]:
    """What was kept aside of a set's repository, oldest first."""
    place = _place(kit, name)
    return tuple(sorted(place.iterdir())) if place.is_dir() else ()


def kept_since(kit: Kit, name: str, since: datetime) -> bool:
    """Whether something was kept aside since a moment."""
    return any(f"{since:%Y%m%dT%H%M%SZ}" <= place.name for place in kept(kit, name))


def damaged(kit: Kit, name: str) -> tuple[str, ...]:
    """The packs that were read as damaged, and still are there and not what their name says."""
    storage = _storage(kit, name)
    known = stock.damaged(kit, kit.backup_set(name).repository)
    return tuple(one.name for one in known if one.kind == "data" and not _fine(storage, one))


def repair_packs(kit: Kit, name: str) -> int:
    """Save what can be read of damaged packs. Gives how many there were."""
    found = damaged(kit, name)
    if found:
        with _held(kit, name) as (restic, _):
            restic.repair_packs(found, kept(kit, name)[-1], limits=_LIMITS)
    return len(found)


def repair_index(kit: Kit, name: str) -> None:
    """Let the index name what is there, and nothing else."""
    with _held(kit, name) as (restic, _):
        restic.repair_index(limits=_LIMITS)


def index_is_whole(kit: Kit, name: str) -> bool:
    """Whether restic finds no pack that the index lacks, or names in vain."""
    report = _restic(kit, name).check(limits=_LIMITS)
    return not any(map(_OF_THE_INDEX.search, report.complaints))


def read_again(kit: Kit, name: str) -> int:
    """Read what was damaged, and what waits longest. Gives how much is damaged still."""
    try:
        return coverage.cover(kit, name).covered.damaged
    except RepositoryDamaged:
        return len(stock.damaged(kit, kit.backup_set(name).repository))


def repair_snapshots(kit: Kit, name: str) -> bool:
    """Add snapshots without what is lost, where something still is; the old ones stay."""
    if whole(kit, name):
        return False
    with _held(kit, name) as (restic, _):
        restic.repair_snapshots(limits=_LIMITS)
    return True


def repaired_since(kit: Kit, name: str, since: datetime) -> bool:
    """Whether a repaired snapshot was added since a moment: restic marks it."""
    del since  # it keeps the time of the original
    return any(_REPAIRED in snapshot.tags for snapshot in _restic(kit, name).snapshots())


def whole(kit: Kit, name: str) -> bool:
    """Whether restic complains of nothing that snapshots need."""
    return not _restic(kit, name).check(limits=_LIMITS).complaints


def _restic(kit: Kit, name: str) -> Restic:
    return kit.restic(kit.backup_set(name).repository)


def _storage(kit: Kit, name: str) -> Storage:
    """Raises `Refused` where opsd cannot see the objects itself: a person repairs there."""
    repository = kit.backup_set(name).repository
    storage = kit.storage(repository)
    if storage is None:
        raise Refused("repair.not_seen", repository=repository)
    return storage


def _place(kit: Kit, name: str) -> Path:
    return kit.config.state / damage.KEPT / kit.backup_set(name).repository


@contextmanager
def _held(kit: Kit, name: str) -> Iterator[tuple[Restic, Storage]]:
    """The repository, with nothing else of ours at work on it."""
    repository = kit.backup_set(name).repository
    wait = kit.config.repositories[repository].lock_wait
    storage = _storage(kit, name)
    with kit.queue(repository, _HOLDER, wait):
        yield kit.restic(repository), storage


def _fine(storage: Storage, one: Object) -> bool:
    """Whether an object is what its name says, or is gone: what it held is elsewhere by then."""
    try:
        return storage.digest(StoredObject(one.kind, one.name, one.size)) == one.name
    except FileNotFoundError:
        return True
    except OSError:
        return False
