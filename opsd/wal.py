"""The nouns of PostgreSQL's log (WAL): positions, segments, timelines, and what covers them.

What each word means: docs/glossary.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

SEGMENT_BYTES = 16 << 20  # initdb's default
PARTIAL = ".partial"
HEARTBEAT = "opsd"  # the prefix of opsd's own messages in the log
_NAME = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})")
_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")
_HISTORY = re.compile(r"^\s*(\d+)\s+([0-9A-F]{1,8}/[0-9A-F]{1,8})", re.MULTILINE)
_HIGH = 1 << 32


def position(text: str) -> int:
    """`16/B374D848` as a number of bytes. Raises `ValueError`."""
    found = _LSN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return (int(found[1], 16) << 32) + int(found[2], 16)


def is_position(text: str) -> bool:
    """Whether a text is a position in the log, as PostgreSQL writes it."""
    return _LSN.fullmatch(text) is not None


def written(at: int) -> str:
    """A position as PostgreSQL writes it."""
    return f"{at >> 32:X}/{at & (_HIGH - 1):X}"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of the log: its timeline, and its number counted from the beginning of the log."""

    timeline: int
    number: int

    @staticmethod
    def of(name: str, size: int = SEGMENT_BYTES) -> Segment | None:
        """The segment of a file's name; None where it is no segment's."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        return Segment(int(found[1], 16), int(found[2], 16) * (_HIGH // size) + int(found[3], 16))

    def name(self, size: int = SEGMENT_BYTES) -> str:
        """The name of its file."""
        per = _HIGH // size
        return f"{self.timeline:08X}{self.number // per:08X}{self.number % per:08X}"

    def start(self, size: int = SEGMENT_BYTES) -> int:
        """Where it begins."""
        return self.number * size


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of a segment is there: bytes from its beginning. `at` is when that was written."""

    bytes: int
    at: datetime
    whole: bool = False  # as one checked object, and not in pieces


@dataclass(frozen=True, slots=True)
class Holdings:
    """The log that is somewhere: segments, and the histories of timelines.

    `switches` tells of each timeline which one it left, and where. `left` tells of a timeline from
    where on the server wrote it twice: base copies from behind that may be of what it gave up.
    """

    segments: Mapping[Segment, Covered] = field(default_factory=dict)
    switches: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    left: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of the log that is missing: its positions, and between which times it was written."""

    timeline: int
    begin: int
    end: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Base:
    """A copy of a whole cluster: what the log is replayed onto.

    It is consistent from `stop` on, a position that the server reached at `until`. What did not
    change since its `parent` lies in packs of earlier copies, and is read from there: the oldest of
    them was taken at `whole`, and all that must be read comes to `read` bytes.
    """

    id: str  # the run that took it
    repository: str
    system: str
    version: int
    timeline: int
    start: int
    stop: int
    until: datetime
    superuser: str
    bytes: int
    segment_bytes: int  # of the server's log
    parent: str  # its id; empty: it shares nothing
    whole: datetime
    read: int


@dataclass(frozen=True, slots=True)
class Need:
    """What a base copy needs of the log: from `start` on, and at least until `stop`."""

    timeline: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """A time in which commits waited for nobody: from which position on, and until when."""

    id: str
    backup_set: str
    member: str
    began: datetime
    begin: int
    ended: datetime | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One statement, why it is needed, and whether it counts only after a restart of the server."""

    statement: str
    why: str  # key of the catalogue
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """Something for a person: what opsd cannot or will not do itself."""

    key: str
    fields: Mapping[str, object]


def switches(histories: Mapping[int, str]) -> dict[int, tuple[int, int]]:
    """Which timeline each one left, and where, from the contents of history files.

    A timeline is newer than the one it left, or PostgreSQL reads no such file either: so each way
    back ends.
    """
    found = {}
    for timeline, content in histories.items():
        lines = _HISTORY.findall(content)
        if lines and int(lines[-1][0]) < timeline:
            found[timeline] = (int(lines[-1][0]), position(lines[-1][1]))
    return found


def is_history(name: str, content: str) -> bool:
    """Whether a file tells where the timeline of its name left another one."""
    timeline = timeline_of_history(name)
    return timeline is not None and bool(switches({timeline: content}))


def way_in(timeline: int, history: str) -> dict[int, int]:
    """Where each timeline on the way to this one was left, by its history file; itself never."""
    found, until = {timeline: _HIGH << 32}, _HIGH << 32
    for number, at in reversed(_HISTORY.findall(history)):
        until = min(until, position(at))  # as in `path_of`
        found[int(number)] = until
    return found


def timeline_of_history(name: str) -> int | None:
    """The timeline that a history file is about; None for another file."""
    found = re.fullmatch(r"([0-9A-F]{8})\.history", name)
    return int(found[1], 16) if found else None


def path_of(timeline: int, parents: Mapping[int, tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """Timelines from the first to this one, each with where it was left (the last: never).

    One that was left before it began, as PostgreSQL tells of a recovery along it to before that,
    was never gone along: those before it were left there.
    """
    way, until = [], _HIGH << 32
    at: int | None = timeline
    while at is not None:
        way.append((at, until))
        at, left = parents.get(at, (None, 0))
        until = min(until, left)
    return tuple(reversed(way))
