"""Reads the bytes of a binary log: where its events end, when they are from, what is wrong."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opsd.binlog import BaseCopy, Kept, LogFile, Spot, Strand, strand

MAGIC = b"\xfebin"
_HEADER = struct.Struct("<IBIIIH")  # when, what, which server, how long, where the next, flags
_ROTATE, _STOP, _DESCRIPTION = 4, 3, 15
_CHECKSUM = 4
_DESCRIBES_CHECKSUM = 5  # the last bytes of a description: which checksum, and its own


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a log was read in whole events, and why no further, where it is damaged.

    `checked` says whether its events bear checksums: the first one tells.
    """

    kept: Kept = field(default_factory=Kept)
    checked: bool = False
    wrong: str = ""


def walk(content: bytes, before: Walked | None = None) -> Walked:
    """Look at every event behind what was read `before`: whole, in its place, as its checksum says.

    `content` are the bytes from there on.
    """
    before = before or Walked()
    begin, last, closed = before.kept.bytes, before.kept.last, before.kept.closed
    checked, at = before.checked, 0
    if not begin:
        if content[: len(MAGIC)] != MAGIC:
            return Walked(wrong="" if MAGIC.startswith(content) else "magic")
        at = len(MAGIC)
    wrong = ""
    while at + _HEADER.size <= len(content) and not wrong:
        when, kind, _, length, following, _ = _HEADER.unpack_from(content, at)
        if length < _HEADER.size or following != begin + at + length or closed:
            wrong = f"event at {begin + at}"
            break
        if at + length > len(content):
            break
        event = content[at : at + length]
        if kind == _DESCRIPTION:
            checked = event[-_DESCRIBES_CHECKSUM] == 1
        elif checked and zlib.crc32(event[:-_CHECKSUM]) != int.from_bytes(event[-4:], "little"):
            wrong = f"checksum at {begin + at}"
            break
        closed = kind in {_ROTATE, _STOP}
        at += length
        if when:
            last = datetime.fromtimestamp(when, UTC)
    return Walked(Kept(begin + at, last, closed), checked, wrong)


def base_for(
    found: Sequence[BaseCopy], *, until: datetime | None, spot: Spot | None
) -> BaseCopy | None:
    """The newest base copy from which a goal can be reached."""
    fitting = (
        base
        for base in found
        if (until is None or base.at <= until) and (spot is None or base.spot <= spot)
    )
    return max(fitting, key=lambda base: base.at, default=None)


def spare_bases(found: Sequence[BaseCopy], begins: datetime) -> list[BaseCopy]:
    """Base copies that no moment since `begins` needs: all before it but the newest of these."""
    before = sorted((base for base in found if base.at <= begins), key=lambda base: base.at)
    return before[:-1]


def worth(files: Mapping[LogFile, Kept], spots: Sequence[Spot]) -> tuple[Strand, Spot | None]:
    """What of a log hangs together from the oldest base copy on, and to where the newest can go.

    `spots` are where the base copies stand, the newest last; of these that one counts which has
    the log from there on. Without any the log is judged from its first file. What begins behind
    all that there is may still come.
    """
    if not spots:
        found = strand(files)
        return found, found.end
    oldest, newest = min(spot.file for spot in spots), max(files, default=None)
    whole = strand(files, oldest) if newest is not None and newest >= oldest else Strand()
    ends = ((spot, strand(files, spot.file).end) for spot in reversed(spots))
    return whole, next((end for spot, end in ends if end is not None and end >= spot), None)
