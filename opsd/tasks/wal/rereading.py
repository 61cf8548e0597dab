"""What lies whole in a repository is read again: each segment once a week, a part for each night.

That they are there is seen every 20 seconds; that they are still what was written only by reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opsd.errors import RepositoryDamaged
from opsd.model import Severity
from opsd.policy import wal as policy
from opsd.tasks.journal import Journal
from opsd.tasks.wal.archive import open_archive
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Planned

NIGHTS = 7
_REREAD = "reread"


@dataclass(frozen=True, slots=True)
class Reread:
    """How many segments were read, and which are not what was written."""

    segments: int
    damaged: tuple[str, ...]


def reread(log: Log, planned: Planned, repository: str, nights: Iterable[int]) -> Reread:
    """Read the parts of nights. Raises `StorageFailed` when the repository does not answer."""
    size, system = planned.stock.size, planned.stock.system
    archive = open_archive(log, repository, system, size)
    archive.keys.insist()
    held = archive.holdings().segments
    parts = {night % NIGHTS for night in nights}
    mine = [s for s, c in held.items() if c.whole and s.number % NIGHTS in parts]
    damaged = []
    for segment in sorted(mine):
        log.kit.go_on()
        try:
            wrong = policy.misfit(archive.read(segment), segment, system)
        except (RepositoryDamaged, FileNotFoundError):
            wrong = "broken"
        if wrong:
            damaged.append(segment.name(size))
    return Reread(len(mine), tuple(damaged))


def tell(journal: Journal, log: Log, planned: Planned, repository: str) -> None:
    """Read the parts of the nights since this repository's last turn, and tell what is damaged."""
    today = journal.kit.clock().toordinal()
    nights = policy.due(_last(log, repository), today, NIGHTS)
    found = reread(log, planned, repository, nights)
    if found.damaged:
        journal.find(
            Severity.FAULT, "replay.damaged", repository=repository, names=list(found.damaged)
        )
    journal.evidence(
        _REREAD,
        {
            "member": log.name,
            "repository": repository,
            "segments": found.segments,
            "nights": len(nights),
            "until": today,
        },
    )


def _last(log: Log, repository: str) -> int | None:
    """The night of the last turn that a member had with a repository."""
    of = {"member": log.name, "repository": repository}
    told = log.kit.last_told(log.backup_set, _REREAD, **of)
    return int(told["until"]) if told else None
