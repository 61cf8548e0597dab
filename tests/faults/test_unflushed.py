"""A disk that takes what it is given, and does not have it afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsd.drivers import pieces, tree
from opsd.drivers.tree import NOT_FLUSHED
from opsd.errors import ToolFailed
from opsd.extents import PIECE
from tests.disks import loop, run

WRITTEN = 40 << 20  # bytes


@contextmanager
def promised(directory: Path, room: str) -> Iterator[Path]:
    """A file system of 100 MiB on a disk with so much room, as where space is given on demand."""
    below = directory / "below"
    below.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={room}", "none", below)
    try:
        options = ("-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard")
        with loop(below, "100M", *options) as disk:
            yield disk.point
    finally:
        run("umount", "--lazy", below)


@pytest.mark.parametrize("asked_by_others", [False, True])
def test_what_the_disk_did_not_take_is_told_whoever_else_asked(
    tmp_path: Path, *, asked_by_others: bool
) -> None:
    with promised(tmp_path, "24m") as place, tree.flushing(place) as flush:
        fill(place)
        if asked_by_others:
            assert subprocess.run(
                ["sync", "-f", place], check=False, capture_output=True
            ).returncode
        with pytest.raises(ToolFailed, match=str(place)) as told:
            flush()
        assert told.value.key == NOT_FLUSHED


def test_what_the_disk_took_is_there(tmp_path: Path) -> None:
    with promised(tmp_path, "200m") as place, tree.flushing(place) as flush:
        fill(place)
        flush()


def fill(place: Path) -> None:
    """Write a file, piece by piece."""
    content = memoryview(bytes(range(256)) * (PIECE // 256))
    for begin in range(0, WRITTEN, PIECE):
        pieces.write(place / "file", 0o600, begin, content)
