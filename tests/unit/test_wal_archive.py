"""The log in a repository: its end is read alone, and what is set aside is no log any more."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from opsd.drivers import seal
from opsd.drivers.storage import LocalStorage
from opsd.errors import RepositoryDamaged, StorageFailed
from opsd.tasks.keys import Keys
from opsd.tasks.wal import archive as archives
from opsd.tasks.wal.archive import Archive
from opsd.wal import Segment
from tests.logs import spoil

SIZE = 1 << 20
ROOT = "wal/dossiers/database/1"
FIRST, SECOND, THIRD = (Segment(1, number) for number in (1, 2, 3))
CONTENT = bytes(1 + at % 251 for at in range(SIZE))
PIECES = (0, 3000, 9000, 9100, 20_000)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """A whole segment, and one that is still being written, in pieces."""
    (tmp_path / "password").write_text("a password\n")
    keys, _ = seal.new(tmp_path / "password")
    storage = LocalStorage(tmp_path / "repository")
    found = Archive(
        storage, cast("Keys", SimpleNamespace(seal=keys, repository="main")), ROOT, SIZE
    )
    found.keep_whole(FIRST, CONTENT)
    for begin, end in pairwise(PIECES):
        found.keep_piece(SECOND, begin, CONTENT[:end])
    return found


@pytest.mark.parametrize(
    ("most", "until", "begin", "end"),
    [
        (100, SIZE, 9100, 20_000),
        (11_000, SIZE, 9000, 20_000),
        (SIZE, SIZE, 0, 20_000),
        (40, 9050, 9000, 9050),
        (100, 9050, 3000, 9050),
        (100, 9000, 3000, 9000),
        (100, 0, 0, 0),
    ],
)
def test_of_pieces_only_the_last_are_read(
    archive: Archive, most: int, until: int, begin: int, end: int
) -> None:
    start = SECOND.start(SIZE)
    archive.holdings()
    assert archive.end_of(SECOND, most, start + until) == (start + begin, CONTENT[begin:end])


def test_a_segment_that_is_finished_meanwhile_is_read_whole(archive: Archive) -> None:
    archive.holdings()
    other = Archive(archive.storage, archive.keys, ROOT, SIZE)
    other.holdings()
    other.keep_whole(SECOND, CONTENT)
    start = SECOND.start(SIZE)
    assert archive.end_of(SECOND, 100, start + SIZE) == (start, CONTENT)
    assert archive.end_of(FIRST, 100, FIRST.start(SIZE) + 40) == (FIRST.start(SIZE), CONTENT[:40])


def test_many_small_pieces_become_one_for_whoever_reads_meanwhile(archive: Archive) -> None:
    archive.keep_whole(THIRD, CONTENT)
    other = archive.again()
    other.holdings()
    most = 0
    for end in range(20_001, 20_201):
        archive.keep_piece(SECOND, end - 1, CONTENT[:end])
        most = max(most, sum(SECOND.name(SIZE) in one.name for one in archive.storage.own(ROOT)))
        held = archive.holdings().segments[SECOND]
        assert held.bytes == end
    assert most <= archives._MOST_SMALL + 1
    # Who listed them before reads what there is now.
    assert other.read(SECOND).rstrip(b"\0") == CONTENT[:20_200]
    assert archive.read(SECOND).rstrip(b"\0") == CONTENT[:20_200]
    archive.drop([SECOND])
    assert set(archive.holdings().segments) == {FIRST, THIRD}


class Keeping(LocalStorage):
    """A bucket that lets nobody delete."""

    def remove(self, name: str) -> None:
        raise StorageFailed("s3.failed", detail=name)


def test_where_nothing_may_be_deleted_pieces_stay_apart(archive: Archive, tmp_path: Path) -> None:
    archive.storage = Keeping(tmp_path / "repository")
    for end in range(20_001, 20_201):
        archive.keep_piece(SECOND, end - 1, CONTENT[:end])
    assert len(list(archive.storage.own(ROOT))) == len(PIECES) + 200
    archive.holdings()
    assert archive.read(SECOND).rstrip(b"\0") == CONTENT[:20_200]
    archive.keep_whole(SECOND, CONTENT)
    assert archive.holdings().segments[SECOND].whole


def test_large_pieces_are_not_written_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_SMALL", 100)
    for end in range(20_001, 20_201):
        archive.keep_piece(SECOND, end - 1, CONTENT[:end])
    names = [one.name.rpartition(".")[2] for one in archive.storage.own(ROOT)]
    assert {
        f"{begin:08x}-{end:08x}" for begin, end in pairwise(PIECES) if end - begin >= 100
    } <= set(names)
    assert archive.holdings().segments[SECOND].bytes == 20_200


def test_what_is_set_aside_is_kept_and_is_no_log_any_more(archive: Archive, tmp_path: Path) -> None:
    archive.keep_whole(THIRD, CONTENT)
    since = SECOND.start(SIZE) + 4000
    archive.leave(1, since, SECOND.start(SIZE) + 9000)
    held = archive.holdings()
    assert set(held.segments) == {FIRST, THIRD}
    assert held.left == {1: since}
    place = tmp_path / "repository" / "opsd-objects" / ROOT / f"left-00000001-{since:016X}"
    (kept,) = place.iterdir()
    name = f"{ROOT}/{place.name}/{kept.name}"
    opened = archive.keys.seal.open(name, kept.read_bytes())
    assert (kept.name, opened.rstrip(b"\0")) == (SECOND.name(SIZE), CONTENT[:20_000])
    # Written anew it is the log, and what was earlier given up counts.
    archive.keep_whole(SECOND, CONTENT)
    archive.leave(1, FIRST.start(SIZE), FIRST.start(SIZE) + 8)
    assert archive.holdings().left == {1: FIRST.start(SIZE)}
    assert set(archive.holdings().segments) == {SECOND, THIRD}


def overwritten(path: Path) -> None:
    spoil(path)
    path.touch()


def exchanged(path: Path) -> None:
    """What stands there is a good object of another name."""
    path.write_bytes(path.with_name(THIRD.name(SIZE)).read_bytes())


def touched(path: Path) -> None:
    os.utime(path, (0, 0))


class Failing(LocalStorage):
    """A disk that gives nothing back."""

    def get(self, name: str) -> bytes:
        raise OSError(errno.EIO, "Input/output error", name)


def test_a_piece_that_the_disk_does_not_give_back_is_none(archive: Archive, tmp_path: Path) -> None:
    archive.holdings()
    archive.keep_piece(SECOND, 20_000, CONTENT[:20_040])
    archive.storage = Failing(tmp_path / "repository")
    for _ in range(2):
        held = archive.holdings().segments
        assert (held[FIRST].whole, held[SECOND].bytes) == (True, 20_000)


@pytest.mark.parametrize(
    ("damage", "is_good"), [(overwritten, False), (exchanged, False), (touched, True)]
)
def test_what_is_another_object_than_before_is_looked_into(
    archive: Archive, tmp_path: Path, damage: Callable[[Path], None], *, is_good: bool
) -> None:
    place = tmp_path / "repository" / "opsd-objects" / ROOT
    archive.keep_whole(THIRD, CONTENT)
    archive.holdings()
    damage(place / FIRST.name(SIZE))
    damage(place / f"{SECOND.name(SIZE)}.{3000:08x}-{9000:08x}")
    for _ in range(2):
        held = archive.holdings().segments
        assert (FIRST in held) is is_good
        assert held[SECOND].bytes == (20_000 if is_good else 3000)
    # It is kept again; what nobody can open stays, and is of no harm.
    archive.keep_whole(FIRST, CONTENT)
    archive.keep_piece(SECOND, 3000, CONTENT[:20_100])
    for one in (archive, archive.again()):
        held = one.holdings().segments
        assert held[FIRST].whole
        assert held[SECOND].bytes == 20_100
        assert one.read(SECOND).rstrip(b"\0") == CONTENT[:20_100]


def test_a_piece_that_was_damaged_before_it_was_ever_listed_is_found(
    archive: Archive, tmp_path: Path
) -> None:
    archive.holdings()
    archive.keep_piece(SECOND, 20_000, CONTENT[:20_040])
    place = tmp_path / "repository" / "opsd-objects" / ROOT
    spoil(place / f"{SECOND.name(SIZE)}.{20_000:08x}-{20_040:08x}")
    assert archive.holdings().segments[SECOND].bytes == 20_000
    again = archive.again()
    again.holdings()
    with pytest.raises(RepositoryDamaged):
        again.read(SECOND)


def test_of_much_that_changed_some_is_looked_into_at_a_time(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_LOOKED_INTO", 1)
    archive.keep_whole(THIRD, CONTENT)
    archive.holdings()
    place = tmp_path / "repository" / "opsd-objects" / ROOT
    for segment in (FIRST, THIRD):
        overwritten(place / segment.name(SIZE))
    found = [len(archive.holdings().segments) for _ in range(3)]
    assert found == [2, 1, 1]
