"""What every storage of a repository promises, asked of each with the real thing under it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.drivers import s3 as door
from opsd.drivers.storage import KINDS, LocalStorage, Storage, StoredObject
from opsd.errors import StorageFailed
from tests.s3 import Server, put, storage_of

pytestmark = pytest.mark.xdist_group("s3")

Filled = Callable[[dict[str, bytes]], Storage]


@pytest.fixture(params=["local", "s3"])
def filled(request: pytest.FixtureRequest, tmp_path: Path, s3: Server) -> Filled:
    """Makes a storage that holds objects, given by their path in the repository."""
    server = s3 if request.param == "s3" else None
    prefix = f"contract/{secrets.token_hex(4)}"

    def fill(objects: dict[str, bytes]) -> Storage:
        put(server, tmp_path / "repository", prefix, objects)
        return storage_of(server, tmp_path / "repository", prefix)

    return fill


def named(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def place(kind: str, name: str) -> str:
    return f"{kind}/{name[:2]}/{name}" if kind == "data" else f"{kind}/{name}"


def repository(*contents: bytes) -> dict[str, bytes]:
    """Each content as an object of each kind, named as restic names it."""
    return {place(kind, named(one)): one for kind in KINDS for one in contents}


CONTENTS = (b"", b"x", b"some more", secrets.token_bytes(300_000))


def test_all_objects_of_the_four_kinds_are_told_with_their_sizes(filled: Filled) -> None:
    others = {"config": b"c", "locks/ab": b"l", "tmp/x": b"t", "snapshots.bak/y": b"y"}
    found = list(filled({**repository(*CONTENTS), **others}).objects())
    assert len(found) == len(KINDS) * len(CONTENTS)
    assert set(found) == {
        StoredObject(kind, named(one), len(one)) for kind in KINDS for one in CONTENTS
    }


def test_what_a_killed_restic_was_writing_is_no_object(tmp_path: Path) -> None:
    """It writes beside the place, then renames: what is left is named after nothing in it."""
    left = tmp_path / "repository" / "data" / "ab" / f"{'ab' * 32}-tmp-2718281828"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half of a pa")
    assert list(LocalStorage(tmp_path / "repository").objects()) == []
    left.rename(left.with_name("ab" * 32 + "-stray"))
    assert len(list(LocalStorage(tmp_path / "repository").objects())) == 1


def test_locks_are_told_by_name_and_are_no_objects(filled: Filled) -> None:
    locks = {named(b"one"), named(b"another")}
    odd = {"locks/short": b"l", f"locks/{named(b'x')}-tmp-1": b"l"}  # restic passes over them
    storage = filled({**{f"locks/{name}": b"l" for name in locks}, **odd})
    assert set(storage.locks()) == locks
    assert list(storage.objects()) == []


def test_a_storage_without_locks_has_none(filled: Filled) -> None:
    assert filled(repository(b"x")).locks() == ()


def test_a_storage_without_objects_has_none(filled: Filled) -> None:
    assert list(filled({"config": b"c"}).objects()) == []


def test_a_long_list_comes_whole(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_PAGE", 3)
    contents = [f"content {number}".encode() for number in range(20)]
    found = list(filled({place("index", named(one)): one for one in contents}).objects())
    assert sorted(o.name for o in found) == sorted(map(named, contents))


def test_what_is_sound_has_the_digest_that_its_name_says(filled: Filled) -> None:
    storage = filled(repository(*CONTENTS))
    for stored in storage.objects():
        assert storage.digest(stored) == stored.name


def test_what_was_altered_has_another_digest(filled: Filled) -> None:
    name = named(b"as written")
    storage = filled({place("data", name): b"as altered"})
    (stored,) = storage.objects()
    assert storage.digest(stored) == named(b"as altered") != stored.name


def test_what_is_not_there_cannot_be_read(filled: Filled, tmp_path: Path) -> None:
    storage = filled(repository(b"x"))
    gone = StoredObject("data", named(b"gone"), 4)
    with pytest.raises(OSError):  # noqa: PT011  (which one is the storage's own affair)
        storage.digest(gone)
    with pytest.raises(StorageFailed):
        storage.fetch(gone, tmp_path / "copy")


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_the_same_and_lies_in_a_storage(
    kind: str, filled: Filled, tmp_path: Path
) -> None:
    content = CONTENTS[-1]
    storage = filled({place(kind, named(content)): content})
    (stored,) = storage.objects()
    path = storage.fetch(stored, tmp_path / "copy")
    assert path.read_bytes() == content
    copy = LocalStorage(tmp_path / "copy")
    assert list(copy.objects()) == [stored]
    assert copy.digest(stored) == stored.name


def test_several_are_read_at_once(filled: Filled) -> None:
    storage = filled(repository(*CONTENTS))
    found = list(storage.objects())
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(storage.digest, found)) == [stored.name for stored in found]


def test_a_storage_that_is_there_answers(filled: Filled) -> None:
    filled(repository(b"x")).reach()


# ------------------------------------------------------------------------------ opsd's own objects


def test_an_object_of_opsds_own_comes_back_as_it_was_put(filled: Filled) -> None:
    storage = filled(repository(b"x"))
    storage.put("wal/one/a", b"first")
    storage.put("wal/one/a", b"second")
    storage.put("wal/other", b"")
    assert storage.get("wal/one/a") == b"second"
    assert storage.get("wal/other") == b""
    assert [(o.name, o.size) for o in storage.own("wal/one")] == [("wal/one/a", 6)]
    assert {o.name for o in storage.own("wal")} == {"wal/one/a", "wal/other"}
    ago = datetime.now(UTC) - next(storage.own("wal/one")).at
    assert abs(ago) < timedelta(minutes=5)


def test_of_many_who_make_one_object_the_first_stays_and_the_others_are_told(
    filled: Filled,
) -> None:
    storage = filled({})
    told = []

    def make(number: int) -> None:
        try:
            storage.put_new("wal/key", b"%d" % number)
            told.append(number)
        except FileExistsError:
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(16)))
    assert storage.get("wal/key") == b"%d" % told[0]
    assert len(told) == 1
    assert [one.name for one in storage.own("wal")] == ["wal/key"]


def test_an_object_of_opsds_own_that_is_gone_is_told_and_can_go_again(filled: Filled) -> None:
    storage = filled({})
    storage.put("wal/a", b"content")
    storage.remove("wal/a")
    storage.remove("wal/a")
    assert list(storage.own("wal")) == []
    with pytest.raises(FileNotFoundError):
        storage.get("wal/a")


def test_objects_of_opsds_own_are_none_of_restics(filled: Filled) -> None:
    storage = filled({})
    storage.put("data/x", b"content")
    assert list(storage.objects()) == []
    assert storage.locks() == ()
