"""Objects of opsd's own in a directory: safe on the disk under their names, or nothing of them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from opsd.drivers.storage import OWN, LocalStorage
from opsd.errors import SpaceExhausted, StorageFailed

Put = Callable[[LocalStorage, str, bytes], None]


def files(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("put", [LocalStorage.put, LocalStorage.put_new])
@pytest.mark.parametrize(
    ("what", "told"),
    [
        (OSError(errno.ENOSPC, "full"), SpaceExhausted),
        (OSError(errno.EIO, "broken"), StorageFailed),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["full", "broken", "interrupted"],
)
def test_nothing_is_left_of_what_could_not_be_written(
    put: Put,
    what: BaseException,
    told: type[BaseException],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage = LocalStorage(tmp_path)
    storage.put("wal/other", b"content")
    real = os.fsync

    def fail(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            raise what
        real(handle)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(told):
        put(storage, "wal/a", b"content")
    assert files(tmp_path) == {"other"}


@pytest.mark.parametrize(
    ("put", "told"), [(LocalStorage.put, StorageFailed), (LocalStorage.put_new, FileExistsError)]
)
def test_nothing_is_left_of_what_could_not_take_its_name(
    put: Put, told: type[Exception], tmp_path: Path
) -> None:
    (tmp_path / OWN / "wal" / "a").mkdir(parents=True)
    with pytest.raises(told):
        put(LocalStorage(tmp_path), "wal/a", b"content")
    assert files(tmp_path) == set()


def test_each_new_directory_is_safe_in_the_one_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def sync(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        real(handle)

    monkeypatch.setattr(os, "fsync", sync)
    root = tmp_path.resolve()
    storage, own = LocalStorage(root), root / OWN
    storage.put("wal/one/a", b"content")
    assert {root, own, own / "wal", own / "wal" / "one"} <= set(synced)
    synced.clear()
    storage.put("wal/one/b", b"content")
    assert [one for one in synced if one.is_dir()] == [own / "wal" / "one"]
    storage.put("wal/two/a", b"content")
    assert own / "wal" in synced


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / OWN).mkdir()
    (tmp_path / OWN / "base").write_bytes(b"a file where a directory should be")
    storage = LocalStorage(tmp_path)
    with pytest.raises(StorageFailed, match="base/one"):
        storage.remove("base/one")
    storage.remove("two")  # it is not there
