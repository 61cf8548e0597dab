"""A history on a disk that is full is told, and told to be well again when there is room."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from opsd.errors import StorageFailed
from opsd.store import Store, Watch
from tests.disks import loop


@pytest.mark.parametrize("kind", [Store, Watch])
def test_a_full_disk_is_seen_by_trying_to_write(kind: type[Store | Watch], tmp_path: Path) -> None:
    with loop(tmp_path, "8M") as disk, closing(kind(disk.point / "opsd.sqlite")) as book:
        book.try_writing()
        with pytest.raises(OSError, match="No space"):
            fill(disk.point / "fill")
        with pytest.raises(StorageFailed):
            again_and_again(book)
        (disk.point / "fill").unlink()
        book.try_writing()


def again_and_again(book: Store | Watch) -> None:
    """The log beside the file has room of its own for a while."""
    for _ in range(100):
        book.try_writing()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as sink:
        while True:
            sink.write(bytes(4096))
