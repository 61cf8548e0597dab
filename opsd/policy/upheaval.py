"""Did much more change between two points than ever before, as when somebody destroys data?

A tree whose files were all written anew (encrypted, say), or of which half is gone; a database that
lost half of its rows. One night is compared with those before it, so that a site that always
changes much is not told of each night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsd.model import MemberKind, MemberSnapshot, RecoveryPoint

NEW = 0.5  # of all bytes of a tree, read anew
LOST = 0.5  # of all files or rows
_TIMES = 3  # more than the most of the nights before
_NIGHTS = 14
_FEW = 20  # files or rows below which a share says nothing


@dataclass(frozen=True, slots=True)
class Upheaval:
    """The member that it is about; `word` is `rewritten` or `lost`, `share` of how much."""

    member: str
    word: str
    share: float


def judge(point: RecoveryPoint, earlier: Sequence[RecoveryPoint]) -> Upheaval | None:
    """What happened to a point against those before it, newest first; None: nothing unusual."""
    for now in point.members:
        found = (one.member(now.member) for one in earlier[:_NIGHTS])
        before = [one for one in found if one is not None]
        if before and (told := _of(now, before)):
            return told
    return None


def _of(now: MemberSnapshot, before: Sequence[MemberSnapshot]) -> Upheaval | None:
    lost = 1 - _count(now) / max(1, _count(before[0]))
    if _count(before[0]) >= _FEW and lost >= LOST:
        return Upheaval(now.member, "lost", lost)
    # The first of all is new as a whole: it says nothing of what is usual.
    usual = max((_new(one) for one in before[:-1]), default=0.0)
    if _rewritable(now) and _new(now) >= max(NEW, _TIMES * usual):
        return Upheaval(now.member, "rewritten", _new(now))
    return None


def _rewritable(one: MemberSnapshot) -> bool:
    """A dump is written anew each night; what of it is new says little."""
    return one.kind is MemberKind.FILES and one.files >= _FEW


def _count(one: MemberSnapshot) -> int:
    return one.files if one.kind is MemberKind.FILES else one.rows


def _new(one: MemberSnapshot) -> float:
    return one.added_bytes / one.bytes if one.bytes else 0.0
