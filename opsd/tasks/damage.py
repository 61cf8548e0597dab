"""Which recovery points, and which files in them, need what is damaged in a repository.

The index tells what lay in a damaged pack, restic finds who needs it; the packs themselves are not
read. Nothing is changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from opsd.clock import Stopwatch
from opsd.drivers.restic import Restic, Snapshot
from opsd.errors import OpsdError
from opsd.keeping import Object
from opsd.policy import repair
from opsd.policy.repair import Affected, Damage
from opsd.tasks import stock
from opsd.tasks.kit import TAG, Kit, tagged

KEPT = "repair"
_NAMED = 20  # files of a snapshot that are named
_AT_ONCE = 20_000  # answers of restic that are held in memory


def survey(kit: Kit, name: str, *, suspected: bool = False) -> Damage:
    """Look whom the damage in the repository of the set `name` affects, and plan its repair.

    `suspected`: also where no damaged object is known.
    """
    watch, repository = Stopwatch(), kit.backup_set(name).repository
    objects = stock.damaged(kit, repository)
    affected: tuple[Affected, ...] = ()
    unplaced: tuple[str, ...] = ()
    if objects:
        restic = kit.restic(repository)
        affected, unplaced = _affected(kit, restic, objects)
    return Damage(
        repository=repository,
        objects=objects,
        affected=affected,
        unplaced=unplaced,
        steps=repair.plan(replace(_facts(kit, repository, objects, affected), suspected=suspected)),
        elapsed=watch.elapsed(),
    )


def _facts(
    kit: Kit, repository: str, objects: Sequence[Object], affected: Iterable[Affected]
) -> repair.Facts:
    restic = kit.restic(repository)
    sets = [n for n, one in kit.config.backup_sets.items() if one.repository == repository]
    return repair.Facts(
        url=restic.url,
        password_file=restic.password_file,
        restic=restic.program,
        env=restic.env,
        sets=sets,
        damaged=objects,
        affected=[one.snapshot for one in affected],
        kept=kit.config.state / KEPT / repository,
    )


def _affected(
    kit: Kit, restic: Restic, objects: Sequence[Object]
) -> tuple[tuple[Affected, ...], tuple[str, ...]]:
    packs = frozenset(one.name for one in objects if one.kind == "data")
    placed = restic.contents(packs) if packs else {}
    blobs = sorted({blob for found in placed.values() for blob, kind in found if kind == "data"})
    trees = sorted({blob for found in placed.values() for blob, kind in found if kind == "tree"})
    lost = {one.name for one in objects if one.kind == "snapshots"}
    snapshots = [one for one in _snapshots(restic) if one.id not in lost]
    found = _Found(kit, restic)
    found.look("blob", blobs, snapshots)
    found.look("tree", trees, snapshots)
    unplaced = tuple(sorted(packs.difference(placed)))
    return (*_told(found, snapshots), *_gone(kit, lost)), unplaced


def _snapshots(restic: Restic) -> Sequence[Snapshot]:
    return restic.snapshots(TAG)


class _Found:
    """Asks restic who needs what, by so many snapshots at once that the answer has bounds."""

    def __init__(self, kit: Kit, restic: Restic) -> None:
        self._kit = kit
        self._restic = restic
        self.paths: defaultdict[str, set[str]] = defaultdict(set)
        self.whole: set[str] = set()

    def look(self, kind: str, ids: Sequence[str], snapshots: Sequence[Snapshot]) -> None:
        many = max(1, _AT_ONCE // max(1, len(ids)))
        for begin in range(0, len(snapshots) if ids else 0, many):
            self._kit.go_on()
            self._ask(kind, ids, [one.id for one in snapshots[begin : begin + many]])

    def _ask(self, kind: str, ids: Sequence[str], snapshots: Sequence[str]) -> None:
        """One at a time where restic cannot read through all of them: which cannot it read?"""
        try:
            told = self._restic.find(kind, ids, snapshots)
        except OpsdError:
            if len(snapshots) == 1:
                self.whole.add(snapshots[0])
                return
            for one in snapshots:
                self._ask(kind, ids, [one])
            return
        for snapshot, path in told:
            if kind == "tree":
                self.whole.add(snapshot)
            self.paths[snapshot].add(path)


def _told(found: _Found, snapshots: Sequence[Snapshot]) -> Iterator[Affected]:
    for one in reversed(snapshots):
        names = sorted(found.paths.get(one.id, ()))
        if names or one.id in found.whole:
            yield Affected(
                point=tagged(one.tags, "run"),
                part=tagged(one.tags, "part"),
                snapshot=one.id,
                files=len(names),
                names=tuple(names[:_NAMED]),
                whole=one.id in found.whole,
            )


def _gone(kit: Kit, lost: Iterable[str]) -> Iterator[Affected]:
    """Snapshots that cannot be read themselves, as the history knows them."""
    known: Mapping[str, tuple[str, str]] = {
        snapshot: (point.id, part)
        for name in kit.config.backup_sets
        for point in kit.store.points(name)
        for snapshot, part in (
            (point.record, "record"),
            *((member.snapshot, member.member) for member in point.members),
        )
    }
    for one in sorted(lost):
        point, part = known.get(one, ("", ""))
        yield Affected(point, part, one, 0, (), whole=True)
