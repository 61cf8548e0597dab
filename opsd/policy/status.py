"""How good something is, in the four words that every monitoring system knows."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Status(IntEnum):
    """Nagios' four. Unknown is never good."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3

    @property
    def word(self) -> str:
        """The status as written in tables, labels and JSON."""
        return self.name.lower()


# From good to bad: a known fault outweighs what is not known.
_ORDER = (Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)


def worst(found: Iterable[Status]) -> Status:
    """The worst of all; of nothing, unknown."""
    return max(found, key=_ORDER.index, default=Status.UNKNOWN)
