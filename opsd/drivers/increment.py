"""A file of which a base copy has only the blocks that changed since the copy before.

Numbers are of four bytes, in the order of the machine: a magic one, how many blocks there are, and
how many blocks of the file before are still of it; then where each block belongs, zeros to the end
of a block where there are any, and the blocks. What is neither there nor in the file before is
zeros. Source: `src/bin/pg_combinebackup/reconstruct.c` of PostgreSQL 17.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Self

from opsd.errors import ToolFailed

PREFIX = "INCREMENTAL."
_OF_RELATION = re.compile(
    r"((?:^|/)(?:global|\d+)/)" + re.escape(PREFIX) + r"(\d+(?:_[a-z]+)?(?:\.\d+)?)$"
)
BLOCK = 8192  # bytes, as PostgreSQL is built everywhere
MAGIC = 0xD3AE1F0D
HEAD = Struct("=III")
_NUMBER = array("I").itemsize
MOST_AT_ONCE = 128  # blocks


@dataclass(frozen=True, slots=True)
class Increment:
    """What such a file says: which blocks it has, from where on, and how many others are left."""

    numbers: Sequence[int]
    begin: int
    kept: int

    @property
    def blocks(self) -> int:
        """How many blocks the file has that is made of it."""
        return max(self.kept, max(self.numbers, default=-1) + 1)

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Blocks that follow one another: from which here, to which there, how many."""
        first = 0
        for here, number in enumerate(self.numbers, 1):
            follows = here < len(self.numbers) and self.numbers[here] == number + 1
            if not follows or here - first == MOST_AT_ONCE:
                yield first, self.numbers[first], here - first
                first = here

    def grouped(self, most: int) -> Iterator[Sequence[tuple[int, int, int]]]:
        """The same runs, so many together as come to `most` blocks."""
        group: list[tuple[int, int, int]] = []
        for run in self.runs():
            if group and run[0] + run[2] - group[0][0] > most:
                yield group
                group = []
            group.append(run)
        if group:
            yield group


def plain(path: str) -> str:
    """The path of the file that is made of an incremental one; of another it is its own."""
    return _OF_RELATION.sub(r"\1\2", path)


def of(path: str) -> str:
    """The path of the incremental file that one is made of."""
    above, slash, name = path.rpartition("/")
    return f"{above}{slash}{PREFIX}{name}"


def read(path: Path) -> Increment:
    """What an incremental file says. Raises `OSError`, and `ToolFailed` where it is none."""
    with path.open("rb") as stream:
        return begun(path, path.stat().st_size, stream.readinto)


def begun(path: Path | str, size: int, fill: Callable[[memoryview], object]) -> Increment:
    """The same of one that comes; its blocks are what comes next."""
    head = bytearray(min(HEAD.size, size))
    fill(memoryview(head))
    magic, count, kept = HEAD.unpack(head.ljust(HEAD.size, b"\0"))
    begin = HEAD.size + count * _NUMBER
    begin += -begin % BLOCK if count else 0
    if magic != MAGIC or size != begin + count * BLOCK:
        raise ToolFailed("increment.unknown", path=path)
    told = bytearray(begin - HEAD.size)
    fill(memoryview(told))
    return Increment(array("I", bytes(told[: count * _NUMBER])), begin, kept)


class Blocks:
    """The blocks of an incremental file, by where they belong. Raises as `read` does."""

    def __init__(self, path: Path) -> None:
        self._found = read(path)
        numbers = self._found.numbers
        order = sorted(range(len(numbers)), key=numbers.__getitem__)
        self._places = [(numbers[here], here) for here in order]
        self._file = path.open("rb", buffering=0)
        self._buffer = memoryview(bytearray(MOST_AT_ONCE * BLOCK))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def kept(self) -> int:
        """How many bytes of the file before are still of it."""
        return self._found.kept * BLOCK

    def lay(self, begin: int, piece: memoryview) -> None:
        """Put those that belong there into a piece that begins at a place of the file.

        A piece has at most 1 MiB.
        """
        first = bisect_left(self._places, (begin // BLOCK, 0))
        last = bisect_left(self._places, (-(-(begin + len(piece)) // BLOCK), 0))
        wanted = self._places[first:last]
        together = bool(wanted) and wanted[-1][1] - wanted[0][1] == last - first - 1
        for group in [wanted] if together else [[one] for one in wanted]:
            at = group[0][1]
            self._file.seek(self._found.begin + at * BLOCK)
            size = len(group) * BLOCK
            if self._file.readinto(self._buffer[:size]) != size:
                raise ToolFailed("increment.unknown", path=self._file.name)
            for number, here in group:
                place, part = number * BLOCK - begin, (here - at) * BLOCK
                piece[place : place + BLOCK] = self._buffer[part : part + BLOCK]
