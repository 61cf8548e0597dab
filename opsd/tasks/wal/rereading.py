"""What lies whole in a repository is read again: each object once a week, a part for each night.

That they are there is seen every 20 seconds; that they are still what was written only by reading.
What is damaged counts as missing from then on, and is read each night until it is whole again.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsd.drivers.pieces import memory
from opsd.errors import RepositoryDamaged
from opsd.model import Severity
from opsd.policy import wal as policy
from opsd.tasks.journal import Journal
from opsd.tasks.wal.archive import Archive, open_archive
from opsd.tasks.wal.copies import Copies, open_copies
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.packs import PACK
from opsd.tasks.wal.stock import Stock
from opsd.wal import Segment

NIGHTS = 7
_REREAD = "reread"


@dataclass(frozen=True, slots=True)
class Reread:
    """How many objects were read, and which are not what was written.

    Of a segment with when it was written, of base copies the names of packs, and of whole copies.
    """

    segments: int
    damaged: Mapping[Segment, datetime]
    packs: int
    damaged_packs: Collection[str]


def reread(log: Log, stock: Stock, repository: str, nights: Iterable[int]) -> Reread:
    """Read the parts of nights. Raises `StorageFailed` when the repository does not answer."""
    archive = open_archive(log, repository, stock.system, stock.size)
    archive.keys.insist()
    parts = {night % NIGHTS for night in nights}
    segments, damaged = _segments(log, archive, stock.system, parts)
    packs, broken = _packs(log, open_copies(log, repository, archive.keys), parts)
    return Reread(segments, damaged, packs, broken)


def _segments(
    log: Log, archive: Archive, system: str, parts: AbstractSet[int]
) -> tuple[int, Mapping[Segment, datetime]]:
    held = archive.holdings().segments
    known = damage(log, archive.keys.repository, system, archive.size)
    mine = [s for s, c in held.items() if c.whole and (s.number % NIGHTS in parts or s in known)]
    damaged = {}
    for segment in sorted(mine):
        log.kit.go_on()
        try:
            wrong = policy.misfit(archive.read(segment), segment, system)
        except (RepositoryDamaged, OSError):  # a disk that gives no more of it
            wrong = "broken"
        if wrong:
            damaged[segment] = held[segment].at
    return len(mine), damaged


def _packs(log: Log, copies: Copies, parts: AbstractSet[int]) -> tuple[int, Collection[str]]:
    """Of base copies also what tells of them; a pack that is needed and not there is damaged."""
    copied, damaged = copies.listed()
    there, needed, known = copies.packs(), _needed(copies), damaged_packs(log, copies.repository)
    mine = [p for p in {*there, *needed} if _part(p) in parts or p in known or p not in there]
    place, broken = memory(PACK), []
    for pack in sorted(mine):
        log.kit.go_on()
        try:
            copies.pack(pack, place)
        except RepositoryDamaged:
            broken.append(pack)
    maps = [base.id for base in copied if _part(base.id) in parts]
    lost = [name for name in maps if not _is_read(copies, name)]
    if broken:  # what went meanwhile is not missing
        still = {*copies.packs(), *_needed(copies)}
        broken = [pack for pack in broken if pack in still]
    return len(mine), [*damaged, *lost, *broken]


def _part(name: str) -> int:
    """In which of the nights it is read: by its name, which others that go do not change."""
    return zlib.crc32(name.encode()) % NIGHTS


def _needed(copies: Copies) -> AbstractSet[str]:
    try:
        return copies.needed()
    except RepositoryDamaged:  # told of the copy
        return set()


def _is_read(copies: Copies, copy: str) -> bool:
    try:
        copies.map(copy)
    except RepositoryDamaged:
        return copy not in {base.id for base in copies.bases()}  # gone meanwhile
    return True


def damage(log: Log, repository: str, system: str, size: int) -> Mapping[Segment, datetime]:
    """The segments that were damaged when a repository was last read, with when they were written.

    Who finds one written at another time has another one.
    """
    told = _last(log, repository) or {}
    if told.get("system") != system:
        return {}
    found = ((Segment.of(name, size), at) for name, at in told["damaged"].items())
    return {segment: datetime.fromisoformat(at) for segment, at in found if segment}


def damaged_packs(log: Log, repository: str) -> AbstractSet[str]:
    """The packs that were damaged when a repository was last read."""
    return set((_last(log, repository) or {}).get("damaged_packs", ()))


def tell(
    journal: Journal, log: Log, stock: Stock, repository: str, *, everything: bool = False
) -> None:
    """Read the parts of the nights since this repository's last turn, and tell what is damaged."""
    today, last = journal.kit.clock().toordinal(), _last(log, repository)
    until = int(last["until"]) if last else None
    nights = range(NIGHTS) if everything else policy.due(until, today, NIGHTS)
    found = reread(log, stock, repository, nights)
    damaged = {s.name(stock.size): at.isoformat() for s, at in found.damaged.items()}
    if names := [*damaged, *found.damaged_packs]:
        journal.find(Severity.FAULT, "replay.damaged", repository=repository, names=names)
    journal.evidence(
        _REREAD,
        {
            "member": log.name,
            "repository": repository,
            "system": stock.system,
            "segments": found.segments,
            "damaged": damaged,
            "packs": found.packs,
            "damaged_packs": [*found.damaged_packs],
            "nights": len(nights),
            "until": today,
        },
    )


def _last(log: Log, repository: str) -> Mapping[str, Any] | None:
    """What the last turn that a member had with a repository told."""
    return log.kit.last_told(log.backup_set, _REREAD, member=log.name, repository=repository)
