"""What the log in a place is worth: how far it leads from base copies, and until which moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from opsd.policy.wal import chain, timelines, was_left
from opsd.wal import Covered, Gap, Holdings, Need, Segment, path_of


@dataclass(frozen=True, slots=True)
class Worth:
    """What can be made of the log in a repository.

    To `end` the newest base copy can be brought that has what it needs; 0: none can. The gaps are
    those that any base copy meets, once what is coming is there.
    """

    timeline: int = 0
    end: int = 0
    gaps: tuple[Gap, ...] = ()
    unlinked: int = 0  # a timeline whose history is missing: the one before does not lead to it
    headless: bool = False  # what the oldest base copy begins with is missing
    missing: tuple[Segment, ...] = ()  # what the gaps are made of, oldest first


def worth(
    held: Holdings,
    needs: Sequence[Need],
    size: int,
    coming: Mapping[Segment, Covered] = MappingProxyType({}),
) -> Worth:
    """Judge a log by what base copies need, the newest of these last.

    Without any it is judged from its first segment.
    """
    if not needs:
        first = min(held.segments, key=lambda s: (s.number, s.timeline), default=None)
        if first is None:
            return Worth()
        needs = (Need(first.timeline, first.start(size), first.start(size)),)
    oldest = min(needs, key=lambda need: need.start)
    newest = max(timelines(held), default=oldest.timeline)
    way = path_of(newest, held.switches)
    ends = (_reached(held, need, dict(way), size) for need in reversed(needs))
    soon = replace(held, segments={**held.segments, **coming})
    found = chain(soon, oldest.timeline, oldest.start, size)
    return Worth(
        newest,
        next(filter(None, ends), 0),
        found.gaps,
        way[0][0] if way[0][0] > oldest.timeline else 0,
        headless=any(gap.begin <= oldest.start for gap in found.gaps),
        missing=found.missing,
    )


def _reached(held: Holdings, need: Need, way: Mapping[int, int], size: int) -> int:
    """How far along the way a base copy can be brought; 0: it cannot be used."""
    if was_left(need, held):
        return 0
    found = chain(held, need.timeline, need.start, size)
    return found.end if need.stop <= min(found.end, way.get(need.timeline, 0)) else 0


@dataclass(frozen=True, slots=True)
class Reach:
    """How far somebody has the log, and until when that holds every commit; None: not known."""

    end: int
    at: datetime | None


def reach(
    beats: Iterable[tuple[datetime, int]], end: int, before: Reach | None, *, back: bool
) -> Reach:
    """Judge it by beats, the newest last: moments with a position behind all commits until then.

    What was known stays known beyond the oldest beat. With `back` it ends where the log became
    shorter; one who only begins to say anew how much there is has not lost it.
    """
    known = [at for at, behind in beats if behind <= end][-1:]
    if before is not None and before.at is not None and not (back and end < before.end):
        known.append(before.at)
    return Reach(end, max(known, default=None))
