"""A file of which a base copy has only the blocks that changed since the copy before.

Numbers are of four bytes, in the order of the machine: a magic one, how many blocks there are, and
how many blocks of the file before are still of it; then where each block belongs, zeros to the end
of a block where there are any, and the blocks. What is neither there nor in the file before is
zeros. Source: `src/bin/pg_combinebackup/reconstruct.c` of PostgreSQL 17.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from opsd.errors import ToolFailed

PREFIX = "INCREMENTAL."
BLOCK = 8192  # bytes, as PostgreSQL is built everywhere
MAGIC = 0xD3AE1F0D
HEAD = Struct("=III")
_MOST_AT_ONCE = 128  # blocks


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
            if not follows or here - first == _MOST_AT_ONCE:
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
    above, slash, name = path.rpartition("/")
    return f"{above}{slash}{name.removeprefix(PREFIX)}"


def of(path: str) -> str:
    """The path of the incremental file that one is made of."""
    above, slash, name = path.rpartition("/")
    return f"{above}{slash}{PREFIX}{name}"


def read(path: Path) -> Increment:
    """What an incremental file says. Raises `OSError`, and `ToolFailed` where it is none."""
    with path.open("rb") as stream:
        size = path.stat().st_size
        head = stream.read(HEAD.size)
        magic, count, kept = HEAD.unpack(head.ljust(HEAD.size, b"\0"))
        numbers = array("I")
        begin = HEAD.size + count * numbers.itemsize
        begin += -begin % BLOCK if count else 0
        if magic != MAGIC or size != begin + count * BLOCK:
            raise ToolFailed("increment.unknown", path=path)
        numbers.fromfile(stream, count)
    return Increment(numbers, begin, kept)


def apply(path: Path, target: Path) -> None:
    """Let a file become what an incremental one makes of it; only what changed is written.

    Raises `OSError`, and `ToolFailed` where it is no incremental file: then nothing was written.
    """
    found, size = read(path), target.stat().st_size
    if not found.numbers and size == found.kept * BLOCK:
        return
    with path.open("rb", buffering=0) as source, target.open("r+b", buffering=0) as file:
        if size > found.kept * BLOCK:
            file.truncate(found.kept * BLOCK)
        file.truncate(found.blocks * BLOCK)
        for here, there, count in found.runs():
            blocks = os.pread(source.fileno(), count * BLOCK, found.begin + here * BLOCK)
            file.seek(there * BLOCK)
            while blocks:
                blocks = blocks[file.write(blocks) :]
