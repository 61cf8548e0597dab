"""Which moments the log of a server leads to: not those that it left when it went back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsd.policy.wal import Chain
from opsd.wal import Holdings, path_of


@dataclass(frozen=True, slots=True)
class Span:
    """Between two commits that follow one another on the server's way: nothing in between is."""

    begin: datetime
    end: datetime


def began_anew(found: Chain, held: Holdings, start: int) -> tuple[int, ...]:
    """Where on its way from a position the server began a timeline, or wrote one anew."""
    way = path_of(found.timeline, held.switches)
    places = {until for _, until in way[:-1]}
    places |= {
        held.left[timeline] for timeline, until in way if held.left.get(timeline, until) < until
    }
    return tuple(sorted(place for place in places if start < place <= found.end))


def span(commits: Iterable[tuple[datetime, int]], place: int, whole: Span) -> Span:
    """Between the last commit before a place and the first behind it, as far as they are known."""
    begin, end = whole.begin, whole.end
    for at, lsn in commits:
        if lsn >= place:
            end = min(end, at)
            break
        begin = max(begin, at)
    return Span(begin, max(begin, end))


def is_left(at: datetime, spans: Iterable[Span]) -> bool:
    """Whether a moment is in none of the server's history."""
    return any(one.begin < at < one.end for one in spans)


def pick(whole: Span, spans: Sequence[Span], share: float) -> datetime | None:
    """A moment of a span that is not left, by a share of what remains; None where nothing does."""
    parts, begin = [], whole.begin
    for one in sorted(spans, key=lambda one: one.begin):
        if one.begin > begin:
            parts.append((begin, min(one.begin, whole.end)))
        begin = max(begin, one.end)
    parts.append((begin, whole.end))
    parts = [(first, last) for first, last in parts if first < last]
    left = sum((last - first for first, last in parts), timedelta()) * share
    for first, last in parts:
        if left < last - first:
            return first + left
        left -= last - first
    return None
