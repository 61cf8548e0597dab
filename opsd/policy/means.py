"""How much of this machine the work of a night may take."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import Protocol, TypeVar

# restic 0.18 holds every blob of the index several times while it prunes; an index is stored
# compressed. Measured: docs/adr/0023-nights.md
_PRUNE_BASE = 128 << 20
_PRUNE_OF_INDEX = 16
_TIGHT = 0.7


class Cached(Protocol):
    """A file of a cache."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    @property
    def used(self) -> float:
        """When it was last used, in seconds since 1970."""
        ...


File = TypeVar("File", bound=Cached)


def beyond(files: Iterable[File], bound: int) -> tuple[File, ...]:
    """The files that go so that the others keep to the bound: those unused for longest."""
    kept, going = 0, list[File]()
    for one in sorted(files, key=lambda one: one.used, reverse=True):
        kept += one.size
        if kept > bound:
            going.append(one)
    return tuple(going)


class Fit(Enum):
    """Whether something fits into the memory there is."""

    WELL = auto()
    BARELY = auto()
    NOT = auto()


def prune_memory(index: int) -> int:
    """Memory that a prune needs, by the stored bytes of the index: an estimate on the safe side."""
    return _PRUNE_BASE + _PRUNE_OF_INDEX * index


def fits(needed: int, free: int) -> Fit:
    """Whether it fits, with some room for what else goes on."""
    if needed > free:
        return Fit.NOT
    return Fit.BARELY if needed > _TIGHT * free else Fit.WELL
