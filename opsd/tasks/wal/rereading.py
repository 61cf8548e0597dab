"""What lies whole in a repository is read again: each segment once a week, a part each night.

That they are there is seen every 20 seconds; that they are still what was written only by reading.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsd.errors import RepositoryDamaged
from opsd.model import Severity
from opsd.policy import wal as policy
from opsd.tasks.journal import Journal
from opsd.tasks.wal.archive import open_archive
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Planned

NIGHTS = 7


@dataclass(frozen=True, slots=True)
class Reread:
    """How many segments were read, and which are not what was written."""

    segments: int
    damaged: tuple[str, ...]


def reread(log: Log, planned: Planned, repository: str, night: int) -> Reread:
    """Read the part of a night. Raises `StorageFailed` when the repository does not answer."""
    size, system = planned.stock.size, planned.stock.system
    archive = open_archive(log, repository, system, size)
    archive.keys.insist()
    held = archive.holdings().segments
    mine = [s for s, c in held.items() if c.whole and s.number % NIGHTS == night % NIGHTS]
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
    """Read the part of this night, and tell what is damaged."""
    found = reread(log, planned, repository, journal.kit.clock().toordinal())
    if found.damaged:
        journal.find(
            Severity.FAULT, "replay.damaged", repository=repository, names=list(found.damaged)
        )
    journal.evidence("reread", {"repository": repository, "segments": found.segments})
