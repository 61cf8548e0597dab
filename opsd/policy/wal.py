"""Judging the log: is a segment what its name says, is the sequence whole, what can be recovered.

Pages of the log begin with a header (PostgreSQL's access/xlog_internal.h); the first of a segment
has a long one, which names the cluster.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opsd.model import RecoveryPoint
from opsd.wal import Base, Gap, Holdings, Need, Segment, path_of

_PAGE = 8192
_HEADER = struct.Struct("=HHIQI4xQII")
_SHORT = struct.Struct("=HHIQ")
_SHORT_BYTES = 24  # of a page's header, with what is left of a record and the end
_LONG = 0x0002
_ALIGNED = 8
_EPOCH = 1 << 32  # numbers of transactions in the log begin anew
_NOTHING = bytes(1 << 16)
_MOST_READ = 2.5  # times what a base copy holds: what a recovery may have to read
_MAJOR_OF_MAGIC: Mapping[int, int] = {0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18}


@dataclass(frozen=True, slots=True)
class Heading:
    """What the first page of a segment says of itself."""

    major: int | None
    system: str
    size: int


def heading(content: bytes) -> Heading | None:
    """The heading of a segment; None where there is none."""
    if len(content) < _HEADER.size:
        return None
    magic, marks, _, _, _, system, size, _ = _HEADER.unpack_from(content)
    if not marks & _LONG or not magic:
        return None
    return Heading(_MAJOR_OF_MAGIC.get(magic), str(system), size)


def misfit(content: bytes, segment: Segment, system: str) -> str:
    """Why bytes from the beginning of a segment are not of that segment; empty when they are.

    `empty` and `foreign` are about the first page; `torn` is a page that is not in its place.
    """
    found = heading(content)
    if found is None:
        return "empty"
    if found.system != system:
        return "foreign"
    magic = _SHORT.unpack_from(content)[0]
    start = segment.start(found.size)
    # Behind a switch to the next segment nothing is written: its pages stay zeros to the end.
    for at in range(0, filled(content, 0) - _SHORT.size + 1, _PAGE):
        mark, _, timeline, address = _SHORT.unpack_from(content, at)
        # After a switch a segment begins with a copy of what its parent timeline had.
        if mark != magic or address != start + at or not 0 < timeline <= segment.timeline:
            return "torn"
    return ""


def filled(content: bytes, known: int) -> int:
    """How far a segment under way is written: it lies in its file before a tail of zeros.

    `known` is what the server was told to be safe. Records end at multiples of eight.
    """
    end = len(content)
    while content.endswith(_NOTHING, 0, end):  # byte by byte 16 MiB take ten times as long
        end -= len(_NOTHING)
    begin = max(end - len(_NOTHING), 0)
    end = begin + len(content[begin:end].rstrip(b"\0"))
    return max(min(-(-end // _ALIGNED) * _ALIGNED, len(content)), min(known, len(content)))


def next_record(end: int, size: int) -> int:
    """Where the record behind one that ended at a position begins: behind a page's header."""
    if end % _PAGE:
        return end
    return end + (_HEADER.size if end % size == 0 else _SHORT_BYTES)


def lies_before(length: int, begin: int, end: int, size: int) -> bool:
    """Whether all of a record lies before a position, with the headers of pages in between."""
    at = begin
    while length > 0 and at < end:
        at = next_record(at, size)
        part = min(length, _PAGE - at % _PAGE)
        at, length = at + part, length - part
    return length <= 0 and at <= end


# ------------------------------------------------------------------------------ the sequence


@dataclass(frozen=True, slots=True)
class Chain:
    """The log from a position on: which segments in order, how far without a gap, and the gaps.

    `missing` are those that the gaps are made of.
    """

    segments: tuple[Segment, ...]
    end: int
    gaps: tuple[Gap, ...]
    timeline: int
    missing: tuple[Segment, ...]


def chain(held: Holdings, timeline: int, start: int, size: int, to: int = 0) -> Chain:
    """What of the log is there from a position on, along to the newest timeline that leads there.

    Of a segment in which a timeline began, the newer timeline's file counts. With `to` it goes to
    the end of that timeline, whether the server left it or not.
    """
    newest = to or _newest(held, timeline)
    way = [(t, until) for t, until in path_of(newest, held.switches) if t >= timeline]
    last = max((s.number for s in held.segments if s.timeline == way[-1][0]), default=None)
    if last is None:
        last = max((s.number for s in held.segments if s.timeline in dict(way)), default=-1)
    wanted = [Segment(_timeline_of(n, way, size), n) for n in range(start // size, last + 1)]
    gaps = tuple(_gaps(held, wanted, size))
    present = [s for s in wanted if s in held.segments]
    end = gaps[0].begin if gaps else _end(held, present, start, size)
    missing = tuple(
        s for s in wanted[:-1] if s not in held.segments or held.segments[s].bytes < size
    )
    return Chain(tuple(present), end, gaps, newest, missing)


def until(found: Chain, lsn: int, size: int) -> Chain:
    """The same log, as far as it must be read to reach a position; a record may go on behind it."""
    last = lsn // size + 1
    return replace(found, segments=tuple(s for s in found.segments if s.number <= last))


def pieces(
    segments: Sequence[Segment], looked: Collection[Segment], most: int
) -> Iterator[tuple[Segment, ...]]:
    """Those not looked at yet in runs without a gap, the newest first.

    Each run has the segment behind it too: into that one its last record may go on.
    """
    left = [segment for segment in segments if segment not in looked]
    while left:
        run = [left.pop()]
        while left and len(run) < most and _behind(left[-1]) == run[0]:
            run.insert(0, left.pop())
        behind = _behind(run[-1])
        yield (*run, behind) if behind in segments else tuple(run)


def _behind(segment: Segment) -> Segment:
    return replace(segment, number=segment.number + 1)


def leads_on(segment: Segment, way: Mapping[int, int], size: int, *, whole: bool) -> bool:
    """Whether a server has what comes next: behind a whole segment, or of one under way.

    `way` tells of each timeline that led to the server where it was left.
    """
    return segment.start(size) + (size if whole else 0) <= way.get(segment.timeline, -1)


def without(held: Holdings, damaged: Mapping[Segment, datetime]) -> Holdings:
    """The same log without what was found damaged and was not written again since."""
    segments = {s: one for s, one in held.segments.items() if damaged.get(s) != one.at}
    return replace(held, segments=segments)


def was_left(base: Base | Need, held: Holdings, to: int = 0) -> bool:
    """Whether the server went back to before a base copy: nothing newer can be reached from it.

    With `to`: whether the end of that timeline cannot.
    """
    way = dict(path_of(to or _living(held, base.timeline), held.switches))
    left = way.get(base.timeline, 0)
    return base.stop > min(left, held.left.get(base.timeline, left))


def _newest(held: Holdings, timeline: int) -> int:
    """The newest timeline that one leads to."""
    return max((t for t in timelines(held) if timeline in _ancestors(t, held)), default=timeline)


def _living(held: Holdings, timeline: int) -> int:
    """The newest timeline of which it is known whether one leads to it."""
    known = (t for t in timelines(held) if path_of(t, held.switches)[0][0] <= timeline)
    return max((timeline, *known))


def timelines(held: Holdings) -> set[int]:
    return {segment.timeline for segment in held.segments} | set(held.switches)


def _ancestors(timeline: int, held: Holdings) -> set[int]:
    return {found for found, _ in path_of(timeline, held.switches)}


def _timeline_of(number: int, way: Sequence[tuple[int, int]], size: int) -> int:
    """The newest timeline that had begun by a segment."""
    for (timeline, _), (_, begun) in zip(reversed(way[1:]), reversed(way[:-1]), strict=True):
        if begun // size <= number:
            return timeline
    return way[0][0]


def _end(held: Holdings, present: Sequence[Segment], start: int, size: int) -> int:
    return present[-1].start(size) + held.segments[present[-1]].bytes if present else start


def _gaps(held: Holdings, wanted: Sequence[Segment], size: int) -> Iterator[Gap]:
    """What is missing before the last segment, neighbouring pieces as one."""
    open_: Gap | None = None
    before: datetime | None = None
    for index, segment in enumerate(wanted):
        covered = held.segments.get(segment)
        begin, end = segment.start(size), segment.start(size) + size
        have = begin + covered.bytes if covered else begin
        if open_ is not None and covered is not None:
            # What was lost was written before what follows it.
            yield Gap(open_.timeline, open_.begin, begin, open_.since, covered.at)
            open_ = None
        if have < end and index < len(wanted) - 1 and open_ is None:
            following = _following(held, wanted[index:])
            since = covered.at if covered else before or following
            open_ = Gap(segment.timeline, have, end, since, following)
        before = covered.at if covered else before
    if open_ is not None:
        yield Gap(open_.timeline, open_.begin, wanted[-1].start(size), open_.since, open_.until)


def _following(held: Holdings, wanted: Sequence[Segment]) -> datetime:
    return next(held.segments[s].at for s in (*wanted[1:], *held.segments) if s in held.segments)


# ------------------------------------------------------------------------------ recovering


def base_for(
    bases: Sequence[Base], *, until: datetime | None = None, lsn: int | None = None
) -> Base | None:
    """The newest base copy that is consistent by a moment and by a position."""
    fitting = [
        base
        for base in bases
        if (until is None or base.until <= until) and (lsn is None or base.stop <= lsn)
    ]
    return max(fitting, key=lambda base: base.until, default=None)


def meeting(commits: Iterable[tuple[int, int]], snapshot: str) -> int | None:
    """The commit before which the log holds exactly what a snapshot sees; None where none is so.

    A commit is the number of its transaction (32 bits of it) and its position, in their order;
    `snapshot` is what `pg_current_snapshot()` gives: `xmin:xmax:xip,...`.
    """
    _, most, going = snapshot.split(":")
    end = int(most)
    open_ = {int(one) % _EPOCH for one in going.split(",") if one}
    first: int | None = None
    for transaction, lsn in commits:
        seen = (end - 1 - transaction) % _EPOCH < _EPOCH // 2 and transaction not in open_
        if not seen and first is None:
            first = lsn
        elif seen and first is not None:
            return None
    return first


def files_for(points: Sequence[RecoveryPoint], moment: datetime) -> RecoveryPoint | None:
    """The point whose files fit a database that was brought to a moment.

    The first one taken at or after it: every file that a row names is there, unless it was removed
    in between. Where there is none, the last before: what came since is missing.
    """
    later = [point for point in points if point.at >= moment]
    if later:
        return min(later, key=lambda point: point.at)
    return max(points, key=lambda point: point.at, default=None)


def next_of(repositories: Sequence[str], last: str | None) -> str:
    """The one behind the last, in a circle."""
    at = repositories.index(last) + 1 if last in repositories else 0
    return repositories[at % len(repositories)]


def due(last: int | None, today: int, most: int) -> range:
    """The days whose part is to be done today: those since the last time, of the newest `most`."""
    since = today - 1 if last is None or last >= today else max(last, today - most)
    return range(since + 1, today + 1)


def spare_bases(
    bases: Sequence[Base], horizon: datetime, left: Collection[Base] = ()
) -> tuple[Base, ...]:
    """Those that no moment since `horizon` needs: all but the last that is older, and the newer.

    Those that the server `left` lead to no moment behind them: the last of the others stays.
    """
    old = sorted((b for b in bases if b.until <= horizon), key=lambda base: base.until)
    kept = [base for base in old if base not in left][-1:]
    return tuple(base for base in old if base not in kept)


def parent_for(bases: Sequence[Base], system: str, whole_since: datetime) -> Base | None:
    """The base copy that the next one may share with: the newest, unless what it shares is old.

    Or much more would have to be read than it holds: of a pack all is read, for a page of it too.
    """
    newest = max(bases, key=lambda base: base.until, default=None)
    if newest is None or newest.system != system or newest.whole <= whole_since:
        return None
    return newest if newest.read <= newest.bytes * _MOST_READ else None


def spare_segments(held: Holdings, bases: Sequence[Base], size: int) -> tuple[Segment, ...]:
    """Segments that no base copy needs, for they are older than all."""
    if not bases:
        return ()
    oldest = min(bases, key=lambda base: base.start)
    return tuple(sorted(s for s in held.segments if s.number < oldest.start // size))


def keep_here(
    finished: Sequence[Segment], kept_everywhere: set[Segment], most: int
) -> tuple[Segment, ...]:
    """Which finished segments of a receiver may go: kept everywhere, and not of the newest."""
    newest = sorted(finished)[-most:] if most else []
    return tuple(s for s in sorted(finished) if s in kept_everywhere and s not in newest)
