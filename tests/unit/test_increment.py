"""What changed of a file is written into it, in PostgreSQL's own form, and nothing else is."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import pytest

from opsd.drivers import pieces
from opsd.drivers.increment import BLOCK, HEAD, MAGIC, PREFIX, Blocks, of, plain, read
from opsd.drivers.process import NEVER
from opsd.errors import RepositoryDamaged, ToolFailed
from opsd.extents import PIECE, CopiedFile, Extent, changed


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


def told(content: bytes) -> CopiedFile:
    """A file as a map tells it."""
    digests = [pieces.digest(content[at : at + PIECE]) for at in range(0, len(content), PIECE)]
    return CopiedFile(0o600, len(content), (), digests)


def patched(change: Path, target: Path) -> CopiedFile:
    """Let a file become what the increment says."""
    had = told(target.read_bytes())
    with Blocks(change) as new:
        found = read(change)
        wanted = changed(had, new.kept, found.blocks * BLOCK, extents(change), 0o600)
        return pieces.patch(target, had, wanted, new, NEVER)


def extents(change: Path) -> list[Extent]:
    """What is new, each block alone."""
    return [Extent(number * BLOCK, BLOCK, "a", 0) for number in sorted(read(change).numbers)]


@pytest.mark.parametrize("name", MADE)
def test_a_file_becomes_what_the_increment_says(tmp_path: Path, name: str) -> None:
    numbers, letters, kept, wanted = MADE[name]
    change, target = tmp_path / f"{PREFIX}16384", tmp_path / "16384"
    change.write_bytes(increment(numbers, letters, kept))
    target.write_bytes(blocks("abcd"))
    assert patched(change, target).digests == told(blocks(wanted)).digests
    assert target.read_bytes() == blocks(wanted)


def test_what_did_not_change_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, target = tmp_path / "change", tmp_path / "16384"
    content = blocks("a") * 40 + blocks("b") * 40
    change.write_bytes(increment([70], "X", 80))
    target.write_bytes(content)
    written: list[int] = []
    write = pieces._write

    def counting(file: FileIO, begin: int, piece: memoryview) -> None:
        written.append(begin)
        write(file, begin, piece)

    monkeypatch.setattr(pieces, "_write", counting)
    patched(change, target)
    assert written == [2 * PIECE]
    assert target.read_bytes() == content[: 70 * BLOCK] + blocks("X") + content[71 * BLOCK :]


def test_a_piece_that_is_damaged_gets_no_new_digest(tmp_path: Path) -> None:
    change, target = tmp_path / "change", tmp_path / "16384"
    change.write_bytes(increment([1], "X", 4))
    target.write_bytes(blocks("abcd"))
    had = told(target.read_bytes())
    target.write_bytes(blocks("abce"))
    wanted = changed(had, 4 * BLOCK, 4 * BLOCK, extents(change), 0o600)
    with Blocks(change) as new, pytest.raises(RepositoryDamaged, match="16384"):
        pieces.patch(target, had, wanted, new, NEVER)


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
        Blocks(change)
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
        ("cluster/global/INCREMENTAL.1262_vm.1", "cluster/global/1262_vm.1"),
        ("tablespaces/7/PG_17_202406281/5/INCREMENTAL.9", "tablespaces/7/PG_17_202406281/5/9"),
    ],
)
def test_the_file_that_is_made_has_the_name_without_the_word(path: str, wanted: str) -> None:
    assert plain(path) == wanted
    assert plain(of(wanted)) == wanted


@pytest.mark.parametrize(
    "path",
    ["cluster/INCREMENTAL.1", "cluster/base/5/INCREMENTAL.notes", "base/5/16384.INCREMENTAL.1"],
)
def test_a_file_of_somebody_keeps_its_name(path: str) -> None:
    assert plain(path) == path
