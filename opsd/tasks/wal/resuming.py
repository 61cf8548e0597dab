"""A receiver whose place in the log the server no longer has goes on from where it can.

pg_receivewal goes on behind the newest file of its directory. When the server went back to an
earlier moment, what it left so is set aside. When the server gave up what comes next, the newest
whole segment that anybody has is put there, or else it begins where the server's log does; what
lies between stays with those who have it, and is a gap where nobody has it, which shipping tells.
Nothing is deleted, and what was not shipped yet still is.

Where the server left a timeline between two segments, it is given the next one to begin with.
Where one was killed, or its disk filled, while it made a file, it refuses that file for ever: a
file of zeros alone is emptied, so that it is made anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from opsd.errors import DatabaseFailed
from opsd.policy import wal as policy
from opsd.tasks.keys import opening
from opsd.tasks.wal.aside import set_aside
from opsd.tasks.wal.histories import source_of
from opsd.tasks.wal.log import Log, heading_of
from opsd.tasks.wal.stock import stock
from opsd.wal import PARTIAL, SEGMENT_BYTES, Segment

_GONE = re.compile(
    r"has already been removed|can no longer (get changes|access)|has been invalidated"
    r"|cannot read from .*replication slot"
)
_LEFT = re.compile(
    r"requested starting point .* is (not in this server's history|ahead of the WAL flush position)"
    r"|requested timeline \d+ is not in this server's history"
)
_BETWEEN = re.compile(r'could not send replication command "START_REPLICATION": *$', re.MULTILINE)
_CUT_SHORT = re.compile(r'write-ahead log file "(.+)" has \d+ bytes, should be 0 or \d+')


@dataclass(frozen=True, slots=True)
class Received:
    """The files of a receiver, oldest first, and what the first page of the newest says."""

    files: Sequence[tuple[Segment, Path]]
    head: policy.Heading | None

    @property
    def size(self) -> int:
        return self.head.size if self.head else SEGMENT_BYTES


def ended(log: Log, name: str, directory: Path, said: str) -> None:
    """A receiver ended, and said why. Where its place is gone, give it another."""
    if _LEFT.search(said) is not None:
        _follow(log, name, directory)
    elif _GONE.search(said) is not None:
        _resume(log, name, directory)
    elif _BETWEEN.search(said) is not None:
        _go_over(log, name, directory)
    elif (cut := _CUT_SHORT.search(said)) is not None:
        _make_anew(directory, Path(cut[1]).name, log.kit.clock())


def _go_over(log: Log, name: str, directory: Path) -> None:
    """Let a receiver that has all of a timeline begin the one that the server left it for.

    Where that was between two segments the server has nothing to send of the old one, says which
    comes next, and pg_receivewal takes that for a failure (`receivelog.c`).
    """
    there, mine = source_of(log, name).standpoint(), received(directory)
    if mine.head is None or mine.head.system != there.system:
        return
    newest, path = mine.files[-1]
    number = newest.number if _is_partial(path) else newest.number + 1
    following = min((one for one in there.way if one > newest.timeline), default=None)
    if following and there.way.get(newest.timeline) == number * mine.size:
        _begin(directory, Segment(following, number), mine.size)


def _make_anew(directory: Path, name: str, at: datetime) -> None:
    """Empty a file that was being made; one that holds anything is set aside, and received anew.

    pg_receivewal fills a new file with zeros before it writes any log into it (`walmethods.c`).
    """
    path = directory / name
    if any(path.read_bytes()):
        set_aside(directory, (path,), at)
    else:
        os.truncate(path, 0)


def _follow(log: Log, name: str, directory: Path) -> None:
    """Set aside what the server left when it went back to an earlier moment.

    Raises `DatabaseFailed` where it is another server: nobody follows that by himself.
    """
    there, mine = source_of(log, name).standpoint(), received(directory)
    if mine.head is not None and mine.head.system != there.system:
        raise DatabaseFailed(
            "wal.another_server", directory=directory, here=mine.head.system, there=there.system
        )
    left = [
        path
        for segment, path in mine.files
        if not policy.leads_on(segment, there.way, mine.size, whole=not _is_partial(path))
    ]
    set_aside(directory, left, log.kit.clock())


def _resume(log: Log, name: str, directory: Path) -> None:
    """Let the receiver go on from the newest that can be had.

    A slot that keeps nothing any more is made anew; it goes when all that may fail is done.
    """
    programs, connection, slot = log.programs(), log.connection(name), log.wal.slot(name)
    source, mine = source_of(log, name), received(directory)
    there, kept = source.standpoint(), _kept(programs.kept(connection, slot), mine)
    with TemporaryDirectory(prefix=".opsd-", dir=directory) as place:
        found = _fetch_newest(log, mine, there.way, Path(place))
        if kept is None:
            programs.drop_slot(connection, slot)
        for path in Path(place).iterdir():
            path.replace(directory / path.name)
    if found:
        return
    there = source.standpoint()
    segment = kept or Segment(there.timeline, there.flushed // mine.size)
    own = mine.head is not None and mine.head.system == there.system
    if own and _by_place(segment) > _by_place(mine.files[-1][0]):
        _begin(directory, segment, mine.size)
    else:
        set_aside(directory, [path for _, path in mine.files], log.kit.clock())


def _kept(kept: tuple[int, int] | None, mine: Received) -> Segment | None:
    """With which segment a slot goes on; None where the server has that no more.

    It may name one still that was removed: where it could begin, the receiver would not have ended.
    """
    segment = Segment(kept[0], kept[1] // mine.size) if kept else None
    newest = mine.files[-1][0] if mine.files else segment
    return segment if segment and newest and segment.number > newest.number else None


def _begin(directory: Path, segment: Segment, size: int) -> None:
    """Let a receiver begin with a segment, whatever lies there of those before it."""
    (directory / f"{segment.name(size)}{PARTIAL}").touch(mode=0o600)


def _fetch_newest(log: Log, mine: Received, way: Mapping[int, int], place: Path) -> bool:
    """Fetch the newest whole segment that leads on, where somebody has one that is newer."""
    if mine.head is None:
        return False
    with opening(log.kit, log.repositories) as keys:
        known = stock(log, mine.head.system, mine.size, keys)
    newest = max(
        (
            segment
            for segment, covered in known.held.segments.items()
            if covered.whole and policy.leads_on(segment, way, mine.size, whole=True)
        ),
        key=_by_place,
        default=None,
    )
    if newest is None or newest.number <= mine.files[-1][0].number:
        return False
    known.fetch((newest,), place)
    return True


def received(directory: Path) -> Received:
    """What lies in a receiver's directory."""
    named = ((_segment(path, SEGMENT_BYTES), path) for path in directory.iterdir())
    paths = [path for segment, path in named if segment is not None]
    head = next(filter(None, map(heading_of, sorted(paths, reverse=True))), None)
    size = head.size if head else SEGMENT_BYTES
    found = ((_segment(path, size), path) for path in paths)
    files = [(segment, path) for segment, path in found if segment is not None]
    return Received(sorted(files, key=lambda one: _by_place(one[0])), head)


def _segment(path: Path, size: int) -> Segment | None:
    return Segment.of(path.name.removesuffix(PARTIAL), size)


def _is_partial(path: Path) -> bool:
    return path.name.endswith(PARTIAL)


def _by_place(segment: Segment) -> tuple[int, int]:
    return segment.number, segment.timeline
