"""What a receiver has of a timeline from behind where its server left it: the server lacks that.

A standby was promoted before it had everything, or somebody recovered the server to an earlier
moment. What was acknowledged behind that place stays where the receiver has it, in its directory or
aside, until a person moves it elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from opsd.drivers.postgres.stream import Standpoint
from opsd.errors import OpsdError
from opsd.policy import wal as policy
from opsd.tasks.wal.aside import places_aside
from opsd.tasks.wal.histories import Lying, end_of
from opsd.tasks.wal.log import Log, heading_of
from opsd.tasks.wal.resuming import received
from opsd.wal import SEGMENT_BYTES, Segment, switches

_COUNTED = 64 << 20  # bytes of the log that are looked through: a receiver waits to begin meanwhile


@dataclass(frozen=True, slots=True)
class Left:
    """Log of a timeline that a server lacks which is on the timeline `to`; and where it lies.

    There are at least so many commits in it that opsd did not make itself.
    """

    timeline: int
    begin: int
    end: int
    to: int
    commits: int
    places: tuple[Path, ...]

    @property
    def bytes(self) -> int:
        """How much it is."""
        return self.end - self.begin

    @property
    def is_there(self) -> bool:
        """Whether nobody has moved it elsewhere."""
        return any(place.exists() for place in self.places)


def left_behind(log: Log, place: Path, here: Standpoint, known: Left | None) -> Left | None:
    """The newest of it; None where nothing is left that anybody may have been told of.

    What is `known` already is not looked through again.
    """
    held, size = _held(place, here.system)
    for timeline in sorted({s.timeline for s in held} - {here.timeline}, reverse=True):
        begin = _left_at(place, timeline, here)
        own = {
            segment: path
            for segment, path in held.items()
            if segment.timeline == timeline and segment.start(size) + size > begin
        }
        end = end_of(Lying(own, size), size)
        if end <= begin:
            continue
        places = tuple(sorted({p if p.parent == place else p.parent for p in own.values()}))
        if known and (known.timeline, known.begin, known.end) == (timeline, begin, end):
            return replace(known, to=here.timeline, places=places)
        commits = _commits(log, place, own, begin, size)
        if commits != 0 or end - begin > _COUNTED:
            return Left(timeline, begin, end, here.timeline, commits or 0, places)
    return None


def _held(place: Path, system: str) -> tuple[dict[Segment, Path], int]:
    """The files of a receiver, aside too, and how long a segment is; of two the fuller one."""
    held: dict[Segment, Path] = {}
    size = SEGMENT_BYTES
    for directory in (place, *places_aside(place)):
        found = received(directory)
        if found.head is None or found.head.system != system:
            continue
        size = found.size
        for segment, path in found.files:
            other = held.get(segment)
            if other is None or _filled(path) > _filled(other):
                held[segment] = path
    return held, size


def _filled(path: Path) -> int:
    return policy.filled(path.read_bytes(), 0)


def _left_at(place: Path, timeline: int, here: Standpoint) -> int:
    """From where on a server lacks a timeline; all of one that does not lead to where it is."""
    if timeline in here.way:
        return here.way[timeline]
    path = place / f"{timeline:08X}.history"
    histories = {timeline: path.read_text(encoding="utf-8")} if path.exists() else {}
    return switches(histories).get(timeline, (0, 0))[1]


def _commits(
    log: Log, place: Path, own: Mapping[Segment, Path], begin: int, size: int
) -> int | None:
    """How many there are behind a position, in the first part; None where that cannot be read."""
    wanted = [segment for segment in own if segment.start(size) < begin + _COUNTED]
    head = heading_of(own[min(own)])
    with TemporaryDirectory(prefix=".opsd-", dir=place) as scratch:
        for segment in wanted:
            (Path(scratch) / segment.name(size)).symlink_to(own[segment])
        try:
            found = log.programs(head.major if head else None).commits(Path(scratch))
            return sum(one.lsn >= begin and not one.is_beat for one in found)
        except OpsdError:
            return None
