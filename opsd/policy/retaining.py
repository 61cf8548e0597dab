"""What a server may still keep for its receivers, and whether it has the room for that.

The log is one file after the other: the slot that is furthest behind keeps for all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retaining:
    """What slots keep, how much more they may, and what is free; `spare` shall stay free."""

    kept: int
    more: int
    free: int
    spare: int

    @property
    def is_full(self) -> bool:
        """Whether the server's own disk is about to end it."""
        return self.free < self.spare

    @property
    def fits(self) -> bool:
        """Whether a slot is dropped before that disk is full."""
        return self.free >= self.more + self.spare


def retaining(kept: Iterable[int | None], limit: int, free: int, spare: int) -> Retaining:
    """What slots that keep so much, each, may come to under a limit."""
    most = max(filter(None, kept), default=0)
    return Retaining(most, max(limit - most, 0), free, spare)
