"""What a base copy shares with an earlier one, and its bytes from wherever they lie."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from opsd.drivers import pieces
from opsd.drivers.increment import BLOCK, HEAD, MAGIC, of
from opsd.drivers.process import NEVER, Stop
from opsd.errors import Cancelled, RepositoryDamaged, StorageFailed
from opsd.extents import (
    PIECE,
    UNKNOWN,
    CopiedFile,
    Extent,
    ExtentMap,
    completed,
    decode,
    decode_packs,
    encode,
    joined,
)
from opsd.tasks.wal.layout import DATA, PLACES
from opsd.tasks.wal.packs import PACK, Arrived, Packer, Packing, digested, unpack


class Shelf:
    """Packs in memory, and which were read."""

    def __init__(self) -> None:
        self.packs: dict[str, bytes] = {}
        self.read: list[str] = []

    def keep(self, name: str, content: bytes | memoryview) -> None:
        """Keep one, as somebody else's memory is not."""
        assert name not in self.packs
        self.packs[name] = bytes(content)

    def open(self, name: str, place: memoryview) -> int:
        """Put what was kept into a place."""
        self.read.append(name)
        content = self.packs[name]
        place[: len(content)] = content
        return len(content)


def nothing(_: int) -> None:
    """Nobody looks."""


def home(base: Path, **files: bytes) -> Path:
    """A cluster with these files."""
    made = base / DATA / "global"
    made.mkdir(parents=True)
    (base / PLACES).mkdir()
    for name, content in files.items():
        (made / name).write_bytes(content)
    return base


def packed(shelf: Shelf, copy: str, place: Path, before: ExtentMap | None = None) -> ExtentMap:
    """A copy put into packs; as it is read again."""
    with Packer(copy, shelf.keep, nothing) as packer:
        found = taken_in(packer, place, before)
    return decode(*encode(found))


def taken_in(packer: Packer, place: Path, before: ExtentMap | None = None) -> ExtentMap:
    """What lies in a directory, as if it came from a server."""
    packing = Packing(packer, before)
    for path in (place / DATA, place / PLACES, *sorted((place / DATA).rglob("*"))):
        name, state = str(path.relative_to(place)), path.stat()
        mode = state.st_mode & 0o7777
        if path.is_dir():
            packing.directory(name, mode)
        else:
            with path.open("rb") as file:
                packing.file(Arrived(name, mode, state.st_size, file.readinto))
    return packing.found


def back(shelf: Shelf, found: ExtentMap, target: Path) -> dict[str, bytes]:
    """The files of a copy, unpacked."""
    target.mkdir(exist_ok=True)
    unpack(found, shelf.open, target, NEVER, nothing)
    return {path.name: path.read_bytes() for path in (target / DATA / "global").iterdir()}


def increment(blocks: dict[int, bytes], kept: int) -> bytes:
    """An incremental file: these blocks, and so many of the file before."""
    head = HEAD.pack(MAGIC, len(blocks), kept) + array("I", blocks).tobytes()
    return head + (bytes(-len(head) % BLOCK) + b"".join(blocks.values()) if blocks else b"")


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that are like no others."""
    return random.Random(seed).randbytes(size)


def test_what_did_not_change_is_not_kept_again(tmp_path: Path) -> None:
    shelf, large = Shelf(), noise(4 * PIECE + 99)
    first = packed(shelf, "a", home(tmp_path / "1", one=large, same=b"same", gone=b"gone"))
    other = bytearray(large)
    other[PIECE + 5] ^= 1
    second = packed(shelf, "b", home(tmp_path / "2", one=bytes(other), same=b"same"), first)
    assert sum(len(c) for name, c in shelf.packs.items() if name.startswith("b")) == PIECE
    assert back(shelf, second, tmp_path / "back") == {"one": bytes(other), "same": b"same"}
    assert back(shelf, first, tmp_path / "back") == {"one": large, "same": b"same", "gone": b"gone"}
    assert second.packs == {"a/00000", "b/00000"}


def test_a_copy_is_cut_into_packs_and_a_file_may_lie_in_several(tmp_path: Path) -> None:
    shelf, large = Shelf(), noise(2 * PACK + PIECE // 2)
    found = packed(shelf, "a", home(tmp_path / "1", one=large, two=b"two"))
    assert [len(one) for _, one in sorted(shelf.packs.items())] == [PACK, PACK, PIECE // 2 + 3]
    assert back(shelf, found, tmp_path / "back") == {"one": large, "two": b"two"}
    assert found.size == len(large) + 3


def test_changes_come_back_as_what_they_make_of_the_copies_before(tmp_path: Path) -> None:
    chance, shelf = random.Random(1), Shelf()
    content = noise(100 * BLOCK)
    found = packed(shelf, "0", home(tmp_path / "0", **{"16384": content}))
    for number in range(1, 12):
        size = len(content) // BLOCK
        kept = chance.randint(0, size + 5) if number % 3 == 0 else size
        changed = sorted(chance.sample(range(size + 40), chance.randint(0, 60)))
        blocks = {at: chance.randbytes(BLOCK) for at in changed}
        if number % 4 == 0:
            blocks = dict(reversed(blocks.items()))
        made = bytearray(content[: kept * BLOCK].ljust(kept * BLOCK, b"\0"))
        made.extend(bytes(max(0, max(changed, default=-1) + 1 - kept) * BLOCK))
        for at, block in blocks.items():
            made[at * BLOCK : (at + 1) * BLOCK] = block
        content = bytes(made)
        place = home(tmp_path / str(number), **{of("16384"): increment(blocks, kept)})
        found = packed(shelf, str(number), place, found)
        (file,) = found.files.values()
        assert back(shelf, found, tmp_path / "back") == {"16384": content}
        assert file.size == len(content)
        assert sum(extent.size for extent in file.extents) == len(content)
        for begin, length, known in file.pieces():
            assert known in {UNKNOWN, pieces.digest(content[begin : begin + length])}
    assert back(shelf, found, tmp_path / "fresh") == {"16384": content}


def test_digests_that_somebody_else_knows_are_told(tmp_path: Path) -> None:
    shelf, content = Shelf(), noise(3 * PIECE)
    first = packed(shelf, "0", home(tmp_path / "0", **{"16384": content}))
    assert completed(first, first) is None
    block = increment({1: noise(BLOCK, 1)}, len(content) // BLOCK)
    found = packed(shelf, "1", home(tmp_path / "1", **{of("16384"): block}), first)
    target = tmp_path / "back"
    target.mkdir()
    known = unpack(found, shelf.open, target, NEVER, nothing)
    assert known.files.keys() == found.files.keys()
    told, whole = completed(found, known), back(shelf, found, target)
    assert told == known
    shelf.read.clear()
    assert back(shelf, found, target) == whole
    assert shelf.read, "a piece without a digest is not known to be there"
    shelf.read.clear()
    assert back(shelf, told, target) == whole
    assert not shelf.read
    assert back(shelf, told, tmp_path / "fresh") == whole
    # So they are where it was only read.
    shelf.read.clear()
    assert digested(found, shelf.open, NEVER, nothing) == known
    assert shelf.read
    shelf.read.clear()
    assert digested(known, shelf.open, NEVER, nothing) == known
    assert not shelf.read


@pytest.mark.parametrize("number", [0, 16, 17])
def test_what_does_not_come_out_as_its_digest_says_is_refused(tmp_path: Path, number: int) -> None:
    shelf = Shelf()
    found = packed(shelf, "0", home(tmp_path / "0", **{"16384": noise(17 * PIECE + 1)}))
    name, file = next(iter(found.files.items()))
    digests = [*file.digests]
    digests[number] = pieces.digest(b"others")
    wrong = replace(found, files={name: replace(file, digests=digests)})
    with pytest.raises(RepositoryDamaged, match="16384"):
        back(shelf, wrong, tmp_path / "back")


def test_only_packs_of_what_lacks_are_read(tmp_path: Path) -> None:
    shelf, one, two = Shelf(), noise(PACK), noise(PACK, 1)
    found = packed(shelf, "a", home(tmp_path / "1", one=one, two=two))
    back(shelf, found, tmp_path / "back")
    assert sorted(set(shelf.read)) == ["a/00000", "a/00001"]
    shelf.read.clear()
    (tmp_path / "back" / DATA / "global" / "two").write_bytes(two[:-1] + b"x")
    assert back(shelf, found, tmp_path / "back") == {"one": one, "two": two}
    assert shelf.read == ["a/00001"]


def test_changes_of_a_file_that_was_not_there_are_refused(tmp_path: Path) -> None:
    place = home(tmp_path / "1", **{of("16384"): increment({0: noise(BLOCK)}, 1)})
    with pytest.raises(RepositoryDamaged, match="16384"):
        packed(Shelf(), "a", place, ExtentMap({}, {}))


def test_what_keeps_a_pack_from_being_stored_is_told(tmp_path: Path) -> None:
    def full(name: str, content: memoryview) -> None:
        raise StorageFailed("storage.put_failed", path=name, detail=str(len(content)))

    place = home(tmp_path / "1", one=noise(9 * PACK))
    with pytest.raises(StorageFailed), Packer("a", full, nothing) as packer:
        taken_in(packer, place)


def test_who_fails_ends_the_others_and_an_end_that_is_asked_for_is_told(tmp_path: Path) -> None:
    shelf = Shelf()
    files = {f"f{number}": noise(PACK, number) for number in range(12)}
    found = packed(shelf, "a", home(tmp_path / "1", **files))
    del shelf.packs["a/00000"]
    with pytest.raises(KeyError, match="a/00000"):
        back(shelf, found, tmp_path / "back")
    assert len(set(shelf.read)) < len(files)
    stop = Stop()

    def asked(_: int) -> None:
        stop.request()

    shelf.keep("a/00000", noise(PACK, 0))
    (tmp_path / "stopped").mkdir()
    with pytest.raises(Cancelled):
        unpack(found, shelf.open, tmp_path / "stopped", stop, asked)


E1 = Extent(0, 10, "a", 0)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([E1, Extent(10, 5, "a", 10)], [Extent(0, 15, "a", 0)]),
        ([E1, Extent(10, 5, "a", 20)], None),
        ([E1, Extent(10, 5, "b", 10)], None),
        ([E1, Extent(11, 5, "a", 10)], None),
        ([Extent(0, 4, "", 0), Extent(4, 4, "", 0)], [Extent(0, 8, "", 0)]),
        ([], []),
    ],
)
def test_extents_that_follow_one_another_are_one(
    given: Sequence[Extent], wanted: Sequence[Extent] | None
) -> None:
    assert list(joined(given)) == (given if wanted is None else wanted)


@pytest.mark.parametrize("kept", [b"{}", b"[]", b"no JSON", b'{"format": 2}'])
def test_what_is_no_map_is_refused(kept: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode(b"[]", kept)
    with pytest.raises(ValueError, match=r".*"):
        decode_packs(b'{"no": "list"}')


def test_parts_of_a_file_are_told_by_where_they_lie() -> None:
    file = CopiedFile(0, 30, [E1, Extent(10, 10, "b", 5), Extent(20, 10, "a", 50)], [])
    found = list(file.between([(2, 4), (8, 22), (29, 30)]))
    assert found == [
        [Extent(2, 2, "a", 2)],
        [Extent(8, 2, "a", 8), Extent(10, 10, "b", 5), Extent(20, 2, "a", 50)],
        [Extent(29, 1, "a", 59)],
    ]
    assert list(file.between([(0, 30)])) == [file.extents]
    assert list(replace(file, extents=[]).between([(0, 30), (3, 4)])) == [[], []]


def test_a_pack_that_many_need_is_read_once_and_what_keeps_it_from_that_is_told(
    tmp_path: Path,
) -> None:
    shelf, large = Shelf(), noise(PACK - 5 * PIECE)
    found = packed(shelf, "a", home(tmp_path / "1", one=large))
    back(shelf, found, tmp_path / "back")
    assert shelf.read == ["a/00000"]
    shelf.packs.clear()
    with pytest.raises(KeyError):
        back(shelf, found, tmp_path / "none")
