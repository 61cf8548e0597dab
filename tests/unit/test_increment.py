"""What changed of a file is written into it, in PostgreSQL's own form, and nothing else is."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from opsd.drivers.increment import BLOCK, HEAD, MAGIC, PREFIX, apply, of, plain, read
from opsd.errors import ToolFailed


def blocks(letters: str) -> bytes:
    """A block of each letter; of zeros for a dot."""
    return b"".join((b"\0" if one == "." else one.encode()) * BLOCK for one in letters)


def increment(numbers: Sequence[int], letters: str, kept: int) -> bytes:
    """An incremental file, its blocks written as letters."""
    head = HEAD.pack(MAGIC, len(numbers), kept) + array("I", numbers).tobytes()
    return head + (bytes(-len(head) % BLOCK) + blocks(letters) if numbers else b"")


MADE = {
    "nothing changed": ([], "", 4, "abcd"),
    "one in the middle": ([2], "X", 4, "abXd"),
    "apart and together": ([0, 2, 3], "XYZ", 4, "XbYZ"),
    "longer": ([4, 5], "XY", 4, "abcdXY"),
    "longer, with a hole": ([6], "X", 4, "abcd..X"),
    "shorter": ([], "", 2, "ab"),
    "shorter, and longer again": ([3], "X", 2, "ab.X"),
    "all of it went": ([], "", 0, ""),
    "more is left than there was": ([], "", 6, "abcd.."),
    "in any order": ([3, 0], "XY", 4, "YbcX"),
    "many in a row": (list(range(300)), "X" * 300, 4, "X" * 300),
}


@pytest.mark.parametrize("name", MADE)
def test_a_file_becomes_what_the_increment_says(tmp_path: Path, name: str) -> None:
    numbers, letters, kept, wanted = MADE[name]
    change, target = tmp_path / f"{PREFIX}16384", tmp_path / "16384"
    change.write_bytes(increment(numbers, letters, kept))
    target.write_bytes(blocks("abcd"))
    apply(change, target)
    assert target.read_bytes() == blocks(wanted)
    apply(change, target)  # once more changes nothing: a recovery may be begun again
    assert target.read_bytes() == blocks(wanted)


def test_what_did_not_change_is_not_opened_for_writing(tmp_path: Path) -> None:
    change, target = tmp_path / "change", tmp_path / "16384"
    change.write_bytes(increment([], "", 4))
    target.write_bytes(blocks("abcd"))
    before = target.stat().st_mtime_ns
    apply(change, target)
    assert target.stat().st_mtime_ns == before


GOOD = increment([1, 2], "XY", 4)
NONE = {
    "empty": b"",
    "cut in its head": GOOD[:11],
    "cut in its numbers": GOOD[:17],
    "cut in its blocks": GOOD[:-1],
    "longer than it says": GOOD + b"\0",
    "another magic": b"x" + GOOD[1:],
    "a whole file": blocks("ab"),
    "more blocks than any file has": HEAD.pack(MAGIC, 0xFFFFFFFF, 1),
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_increment_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    change, target = tmp_path / "change", tmp_path / "16384"
    change.write_bytes(NONE[name])
    target.write_bytes(blocks("abcd"))
    with pytest.raises(ToolFailed, match="change"):
        apply(change, target)
    assert target.read_bytes() == blocks("abcd")


def test_its_blocks_are_told_without_reading_them(tmp_path: Path) -> None:
    change = tmp_path / "change"
    change.write_bytes(GOOD)
    found = read(change)
    assert (list(found.numbers), found.kept, found.blocks) == ([1, 2], 4, 4)
    assert list(found.runs()) == [(0, 1, 2)]


def test_its_runs_come_many_at_once_and_none_is_left_out(tmp_path: Path) -> None:
    change = tmp_path / "change"
    numbers = [*range(0, 300, 2), *range(400, 700)]
    change.write_bytes(increment(numbers, "X" * len(numbers), 800))
    groups = list(read(change).grouped(128))
    assert all(sum(count for _, _, count in group) <= 128 for group in groups)
    at = 0
    for here, there, count in (run for group in groups for run in group):
        assert (here, numbers[here]) == (at, there)
        at += count
    assert at == len(numbers)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("cluster/base/5/INCREMENTAL.16384", "cluster/base/5/16384"),
        ("cluster/base/5/16384", "cluster/base/5/16384"),
        ("INCREMENTAL.1", "1"),
    ],
)
def test_the_file_that_is_made_has_the_name_without_the_word(path: str, wanted: str) -> None:
    assert plain(path) == wanted
    assert plain(of(wanted)) == wanted
