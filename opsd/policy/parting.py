"""Judging whether somebody's log and a server's are of one history.

A server that was put back to an earlier moment under its own timeline writes another history under
the same names. What is held there is compared at its end: records are chained by their checksums
and by the position of the one before, so that two histories that parted never agree there again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsd.wal import Segment

WINDOW = 1 << 16  # bytes at the end of a segment that are compared
ENOUGH = 1 << 13  # so many that are the same say that all before them are
_ALIGNED = 8
_SECTOR = 512


@dataclass(frozen=True, slots=True)
class Parted:
    """Log that is held from `begin` to `end` and is not the server's, which was at `server`."""

    timeline: int
    begin: int
    end: int
    server: int


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of what is written of a segment: where it begins, and its bytes."""

    begin: int
    content: bytes

    @property
    def end(self) -> int:
        """Where it ends: records end at multiples of eight."""
        return self.begin + -(-len(self.content) // _ALIGNED) * _ALIGNED

    @property
    def is_enough(self) -> bool:
        """Whether what is the same here was never parted before."""
        sectors = range(0, len(self.content), _SECTOR)
        written = (at for at in sectors if self.content[at : at + _SECTOR].strip(b"\0"))
        return sum(_SECTOR for _ in written) >= ENOUGH


def tail(content: bytes, start: int, until: int) -> Tail:
    """The end of a segment's content that is written before a position; behind it lie zeros."""
    written = content[: max(until - start, 0)].rstrip(b"\0")
    begin = max(len(written) - WINDOW, 0) // _SECTOR * _SECTOR
    return Tail(start + begin, written[begin:])


def shared(
    segments: Iterable[Segment], way: Mapping[int, int], size: int, flushed: int
) -> list[Segment]:
    """Those of the newest timeline held that led to the server, which it can have; newest first."""
    able = [s for s in segments if s.start(size) < min(way.get(s.timeline, 0), flushed)]
    newest = max((s.timeline for s in able), default=0)
    return sorted((s for s in able if s.timeline == newest), reverse=True)


def difference(mine: bytes, other: bytes) -> int | None:
    """Where two contents part, at the beginning of what may be a record; None: nowhere.

    A sector of zeros was never written before the power went: it says nothing.
    """
    for at in range(0, min(len(mine), len(other)), _SECTOR):
        one, two = mine[at : at + _SECTOR], other[at : at + _SECTOR]
        if one != two and one.strip(b"\0"):
            pairs = enumerate(zip(one, two, strict=False))
            first = next((index for index, (a, b) in pairs if a != b), None)
            if first is not None:
                return at + first // _ALIGNED * _ALIGNED
    return None
