"""What a base copy consists of: its files, and where the bytes of each lie.

An extent is a run of bytes of a file that lies together in a pack, in that of the copy or of an
earlier one: no copy needs another to be read first. How a map is written:
docs/repository-format.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import NamedTuple

PIECE = 1 << 18  # bytes of a file that have one digest: a page changes, and with it one piece
ZEROS = ""  # the pack of what is nowhere, for it is zeros
UNKNOWN = ""  # the digest of a piece of which only some pages were seen
_FORMAT = 1


class Extent(NamedTuple):
    """So many bytes of a file from `begin` on, and where they begin in a pack."""

    begin: int
    size: int
    pack: str
    at: int

    @property
    def end(self) -> int:
        """Behind its last byte, in the file."""
        return self.begin + self.size

    def part(self, begin: int, end: int) -> Extent:
        """What lies between two places of the file, both within it."""
        return Extent(begin, end - begin, self.pack, self.at + begin - self.begin)


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file: its extents in order, which make up all of it, and the digest of each piece."""

    mode: int
    size: int
    extents: Sequence[Extent]
    digests: Sequence[str]

    def pieces(self) -> Iterator[tuple[int, int, str]]:
        """Where each piece begins, its bytes, and its digest."""
        for number, digest in enumerate(self.digests):
            begin = number * PIECE
            yield begin, min(PIECE, self.size - begin), digest

    def spans(self, known: str) -> Sequence[tuple[int, int]]:
        """From where to where each piece with this digest reaches."""
        return [(begin, begin + size) for begin, size, told in self.pieces() if told == known]

    def between(self, spans: Iterable[tuple[int, int]]) -> Iterator[list[Extent]]:
        """What makes up each of these parts of the file: from where to where, in their order."""
        left = iter(self.extents)
        extent = next(left, None)
        for begin, end in spans:
            parts: list[Extent] = []
            while extent is not None and extent.begin < end:
                if extent.begin >= begin and extent.end <= end:
                    parts.append(extent)
                elif extent.end > begin:
                    parts.append(extent.part(max(begin, extent.begin), min(end, extent.end)))
                if extent.end > end:
                    break
                extent = next(left, None)
            yield parts


@dataclass(frozen=True, slots=True)
class ExtentMap:
    """All of a base copy, paths as below its directory."""

    directories: Mapping[str, int]  # with their modes
    files: Mapping[str, CopiedFile]

    @property
    def size(self) -> int:
        """The bytes of all its files."""
        return sum(file.size for file in self.files.values())

    @property
    def packs(self) -> AbstractSet[str]:
        """The packs that something of it lies in."""
        return self.reach.keys()

    @property
    def reach(self) -> Mapping[str, int]:
        """How many bytes of each pack must be read."""
        found: dict[str, int] = {}
        for file in self.files.values():
            for extent in file.extents:
                if extent.pack != ZEROS:
                    end = extent.at + extent.size
                    found[extent.pack] = max(end, found.get(extent.pack, 0))
        return found


def copies_of(packs: Iterable[str]) -> AbstractSet[str]:
    """The copies that were the first to have what lies in these packs."""
    return {pack.partition("/")[0] for pack in packs if pack != ZEROS}


def changed(
    before: CopiedFile, kept: int, size: int, new: Sequence[Extent], mode: int
) -> CopiedFile:
    """A file of which only `new` is new: of the one before so many bytes are kept, then zeros."""
    kept = min(kept, before.size, size)
    old = next(before.between([(0, kept)]))
    if kept < size:
        old.append(Extent(kept, size - kept, ZEROS, 0))
    known = [*before.digests[: kept // PIECE], *[UNKNOWN] * (_pieces(size) - kept // PIECE)]
    if kept == before.size == size:
        known = [*before.digests]
    for extent in new:
        for number in range(extent.begin // PIECE, _pieces(extent.end)):
            known[number] = UNKNOWN
    return CopiedFile(mode, size, joined(_overlaid(old, new)), tuple(known))


def alike(one: ExtentMap, other: ExtentMap) -> bool:
    """Whether both tell the same files in the same places; one may know more digests."""
    return {name: _where(file) for name, file in one.files.items()} == {
        name: _where(file) for name, file in other.files.items()
    }


def _where(file: CopiedFile) -> tuple[int, int, Sequence[Extent]]:
    return file.mode, file.size, file.extents


def completed(found: ExtentMap, known: ExtentMap) -> ExtentMap | None:
    """The same files with all digests, from a map that knows them; nothing if there were all."""
    lacking = {name for name, file in found.files.items() if UNKNOWN in file.digests}
    files = {
        name: replace(file, digests=known.files[name].digests) if name in lacking else file
        for name, file in found.files.items()
    }
    return replace(found, files=files) if lacking else None


def _pieces(size: int) -> int:
    return -(-size // PIECE)


def _overlaid(old: Iterable[Extent], new: Iterable[Extent]) -> Iterator[Extent]:
    """The new ones, and of the old ones what lies between them; both in order."""
    rest = iter(old)
    under = next(rest, None)
    for over in new:
        while under is not None and under.begin < over.end:
            if under.begin < over.begin:
                yield under.part(under.begin, min(under.end, over.begin))
            if under.end > over.end:
                under = under.part(over.end, under.end)
                break
            under = next(rest, None)
        yield over
    while under is not None:
        yield under
        under = next(rest, None)


def joined(extents: Iterable[Extent]) -> Sequence[Extent]:
    """The same, those as one that follow one another in the file and in a pack."""
    found: list[Extent] = []
    for one in extents:
        last = found[-1] if found else None
        follows = last is not None and one.begin == last.end and one.pack == last.pack
        if last is not None and follows and (one.pack == ZEROS or one.at == last.at + last.size):
            found[-1] = Extent(last.begin, last.size + one.size, last.pack, last.at)
        else:
            found.append(one)
    return found


def encode(extents: ExtentMap) -> tuple[bytes, bytes]:
    """A map as it is kept: the names of the packs, and the files, which tell packs by number."""
    packs = sorted(extents.packs)
    number = {ZEROS: -1} | {name: n for n, name in enumerate(packs)}
    files = [
        {
            "path": path,
            "mode": file.mode,
            "size": file.size,
            "extents": [n for e in file.extents for n in (e.size, number[e.pack], e.at)],
            "digests": file.digests,
        }
        for path, file in extents.files.items()
    ]
    body = {"format": _FORMAT, "directories": dict(extents.directories), "files": files}
    return _json(packs), _json(body)


def decode(packs: bytes, kept: bytes) -> ExtentMap:
    """The map again. Raises `ValueError` where it is none, or was written by a later opsd."""
    body = json.loads(kept)
    if body["format"] != _FORMAT:
        raise ValueError("written by a later opsd")
    names = [*decode_packs(packs), ZEROS]  # the last one is -1
    files = {
        one["path"]: CopiedFile(
            one["mode"], one["size"], _extents(one["extents"], names), one["digests"]
        )
        for one in body["files"]
    }
    return ExtentMap(body["directories"], files)


def decode_packs(kept: bytes) -> Sequence[str]:
    """The names of the packs alone. Raises `ValueError` where they are none."""
    found = json.loads(kept)
    if not isinstance(found, list):
        raise ValueError("no list")  # noqa: TRY004  (one error for all that is wrong with it)
    return found


def _extents(numbers: Sequence[int], names: Sequence[str]) -> Sequence[Extent]:
    """Three numbers an extent: its size, its pack, where it begins there."""
    found, begin, rest = [], 0, iter(numbers)
    for size, pack, at in zip(rest, rest, rest, strict=True):
        found.append(Extent(begin, size, names[pack], at))
        begin += size
    return found


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
