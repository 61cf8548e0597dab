"""What is said of a stored object that cannot be read: damaged, gone, or nothing at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from opsd.drivers import tree
from opsd.drivers.storage import LocalStorage, StoredObject
from opsd.errors import StorageFailed
from opsd.manifest import UNREADABLE
from opsd.tasks import stock
from opsd.tasks.proving.tree import hashed

NAME = hashlib.sha256(b"content").hexdigest()
OBJECT = StoredObject("index", NAME, 7)


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    found = LocalStorage(tmp_path)
    path = found.path(OBJECT)
    path.parent.mkdir()
    path.write_bytes(b"content")
    return found


def answering(
    monkeypatch: pytest.MonkeyPatch, *errors: type[OSError] | None
) -> list[type[OSError] | None]:
    """A storage whose reads fail so, one after the other. Gives what is left of them."""
    real, left = LocalStorage.digest, list(errors)

    def digest(self: LocalStorage, stored: StoredObject) -> str:
        if (error := left.pop(0)) is not None:
            raise error(5, "on purpose")
        return real(self, stored)

    monkeypatch.setattr(LocalStorage, "digest", digest)
    return left


def test_an_object_is_what_its_name_says_or_damaged_or_gone(storage: LocalStorage) -> None:
    assert stock.sound(storage, OBJECT) is True
    storage.path(OBJECT).write_bytes(b"CONTENT")
    assert stock.sound(storage, OBJECT) is False
    storage.path(OBJECT).unlink()
    assert stock.sound(storage, OBJECT) is None


def test_a_disk_that_fails_once_is_asked_again(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = answering(monkeypatch, OSError, None, OSError, OSError)
    assert stock.sound(storage, OBJECT) is True
    assert stock.sound(storage, OBJECT) is False
    assert left == []


def test_what_may_not_be_read_is_not_called_damaged(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, PermissionError)
    with pytest.raises(StorageFailed, match=NAME):
        stock.sound(storage, OBJECT)


def test_a_place_that_nobody_can_look_into_is_told_as_the_repositorys(
    storage: LocalStorage, tmp_path: Path
) -> None:
    (tmp_path / "locks").write_text("no directory")
    with pytest.raises(StorageFailed) as caught:
        storage.locks()
    assert caught.value.key == "repository.unreadable"
    storage.path(OBJECT).unlink()
    with pytest.raises(StorageFailed) as caught:
        storage.fetch(OBJECT, tmp_path / "scratch")
    assert caught.value.key == "repository.unreadable"


def test_what_was_restored_and_cannot_be_listed_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    entries = (one._replace(state=UNREADABLE) for one in tree.walk(tmp_path))
    with pytest.raises(OSError, match="inside"):
        list(hashed(entries, tmp_path))
