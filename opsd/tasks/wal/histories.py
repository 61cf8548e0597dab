"""Whether the log that lies somewhere and a server's are of one history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opsd.drivers.postgres.stream import Source, Standpoint
from opsd.errors import DatabaseFailed, OpsdError, RepositoryDamaged
from opsd.policy import parting as policy
from opsd.policy.parting import Parted, Tail
from opsd.tasks.wal.archive import Archive
from opsd.tasks.wal.log import Log
from opsd.wal import Holdings, Segment, written


class Holding(Protocol):
    """Log that lies somewhere."""

    @property
    def segments(self) -> Iterable[Segment]:
        """What there is anything of."""
        ...

    def tail(self, segment: Segment, until: int) -> Tail:
        """The end of what is written of a segment before a position."""
        ...

    def whole(self, segment: Segment) -> bytes:
        """All of a segment, its unwritten end as zeros."""
        ...


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies in a receiver's directory."""

    paths: Mapping[Segment, Path]
    size: int

    @property
    def segments(self) -> Iterable[Segment]:
        return self.paths

    def tail(self, segment: Segment, until: int) -> Tail:
        return policy.tail(self.whole(segment), segment.start(self.size), until)

    def whole(self, segment: Segment) -> bytes:
        return self.paths[segment].read_bytes()


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies in a repository."""

    segments: tuple[Segment, ...]
    archive: Archive

    def tail(self, segment: Segment, until: int) -> Tail:
        try:
            begin, content = self.archive.end_of(segment, policy.ENOUGH, until)
        except (RepositoryDamaged, FileNotFoundError):  # told where it is read: the one before
            return Tail(segment.start(self.archive.size), b"")
        return policy.tail(content, begin, until)

    def whole(self, segment: Segment) -> bytes:
        return self.archive.read(segment)


def end_of(held: Holding, size: int) -> int:
    """Where what is held ends; 0 where there is nothing."""
    newest = max(held.segments, default=None)
    return held.tail(newest, newest.start(size) + size).end if newest is not None else 0


def parted_from(held: Holding, here: Standpoint, size: int, source: Source) -> Parted | None:
    """Where what is held and the server parted; None where it goes on from there.

    What the server has no more cannot be compared. A standby may be behind.
    """
    newest = max(held.segments, default=None)
    if newest is None:
        return None
    most = end_of(held, size)
    # Somebody may be receiving it just now: what he has, the server has.
    if most > here.flushed and not here.standby:
        here = source.standpoint()
    shared = policy.shared(held.segments, here.way, size, here.flushed)
    timeline = shared[0].timeline if shared else here.timeline
    limit = min(here.way[timeline], here.flushed)
    begin, end = _where(held, shared, size, limit, source), limit
    if newest.timeline >= here.timeline:
        timeline, end = here.timeline, most
        ahead = most > here.flushed or newest.timeline > here.timeline
        if begin is None and ahead and not here.standby:
            begin = min(limit, most)
    return None if begin is None else Parted(timeline, begin, end, here.flushed)


def _where(
    held: Holding, shared: Iterable[Segment], size: int, limit: int, source: Source
) -> int | None:
    """Where contents part before a position; None where they do not, as far as can be seen."""
    first: tuple[Segment, int] | None = None
    for segment in shared:
        mine = held.tail(segment, limit)
        other = mine.content and source.read(segment.timeline, mine.begin, len(mine.content))
        if other is None:
            break
        if policy.difference(mine.content, other) is not None:
            first = segment, min(mine.end, limit)
        elif first or mine.is_enough:
            break
    if first is None:
        return None
    segment, end = first
    start = segment.start(size)
    other = source.read(segment.timeline, start, end - start)
    at = policy.difference(held.whole(segment), other) if other else 0
    return start + (at or 0)


def source_of(log: Log, receiver: str = "") -> Source:
    """The way to the server's log for a short look, under a name that no commit waits for."""
    return Source(f"{log.connection(receiver)} application_name=opsd_look", log.passfile)


def insist(log: Log, archive: Archive, held: Holdings) -> None:
    """Raise `DatabaseFailed` where the server parted from what a repository has of its log."""
    source = source_of(log)
    here = source.standpoint()
    parted = parted_from(Kept(tuple(held.segments), archive), here, archive.size, source)
    if parted is not None and parted.timeline == here.timeline:
        raise refusal(parted)


def refusal(parted: Parted) -> OpsdError:
    """What is raised rather than mix two histories."""
    return DatabaseFailed("wal.went_back", detail="", **placed(parted))


def placed(parted: Parted) -> dict[str, object]:
    """From where on the log is not the server's, to where it is held, and where the server was."""
    return {
        "begin": written(parted.begin),
        "end": written(parted.end),
        "server": written(parted.server),
        "timeline": parted.timeline,
    }
