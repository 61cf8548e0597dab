"""What lies whole in a repository is read again: each segment once a week, a part for each night.

That they are there is seen every 20 seconds; that they are still what was written only by reading.
What is damaged counts as missing from then on, and is read each night until it is whole again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsd.errors import RepositoryDamaged
from opsd.model import Severity
from opsd.policy import wal as policy
from opsd.tasks.journal import Journal
from opsd.tasks.wal.archive import open_archive
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Planned
from opsd.wal import Segment

NIGHTS = 7
_REREAD = "reread"


@dataclass(frozen=True, slots=True)
class Reread:
    """How many segments were read, and which are not what was written, with when they were."""

    segments: int
    damaged: Mapping[Segment, datetime]


def reread(log: Log, planned: Planned, repository: str, nights: Iterable[int]) -> Reread:
    """Read the parts of nights. Raises `StorageFailed` when the repository does not answer."""
    size, system = planned.stock.size, planned.stock.system
    archive = open_archive(log, repository, system, size)
    archive.keys.insist()
    held = archive.holdings().segments
    parts, known = {night % NIGHTS for night in nights}, damage(log, repository, system, size)
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
    return Reread(len(mine), damaged)


def damage(log: Log, repository: str, system: str, size: int) -> Mapping[Segment, datetime]:
    """The segments that were damaged when a repository was last read, with when they were written.

    Who finds one written at another time has another one.
    """
    told = _last(log, repository) or {}
    if told.get("system") != system:
        return {}
    found = ((Segment.of(name, size), at) for name, at in told["damaged"].items())
    return {segment: datetime.fromisoformat(at) for segment, at in found if segment}


def tell(
    journal: Journal, log: Log, planned: Planned, repository: str, *, everything: bool = False
) -> None:
    """Read the parts of the nights since this repository's last turn, and tell what is damaged."""
    today, last = journal.kit.clock().toordinal(), _last(log, repository)
    until = int(last["until"]) if last else None
    nights = range(NIGHTS) if everything else policy.due(until, today, NIGHTS)
    found = reread(log, planned, repository, nights)
    damaged = {s.name(planned.stock.size): at.isoformat() for s, at in found.damaged.items()}
    if damaged:
        journal.find(Severity.FAULT, "replay.damaged", repository=repository, names=list(damaged))
    journal.evidence(
        _REREAD,
        {
            "member": log.name,
            "repository": repository,
            "system": planned.stock.system,
            "segments": found.segments,
            "damaged": damaged,
            "nights": len(nights),
            "until": today,
        },
    )


def _last(log: Log, repository: str) -> Mapping[str, Any] | None:
    """What the last turn that a member had with a repository told."""
    return log.kit.last_told(log.backup_set, _REREAD, member=log.name, repository=repository)
