"""A base copy put into packs, some MiB each, stored beside the reading; and out of them again."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from opsd.drivers import increment, pieces
from opsd.drivers.increment import BLOCK, Increment
from opsd.drivers.process import Stop
from opsd.errors import RepositoryDamaged, SourceFailed
from opsd.extents import PIECE, CopiedFile, Extent, ExtentMap, changed, joined
from opsd.tasks.wal.layout import DATA, PLACES

PACK = 16 << 20  # bytes before they are compressed
_AT_ONCE = min(4, os.cpu_count() or 1)
_MOST_AT_ONCE = 128  # blocks
_NOTHING = ExtentMap({}, {})

Moved = Callable[[int], None]  # told of bytes that were moved; raises when it is not to go on


class Packer:
    """Parts of files, one behind the other in packs named `COPY/NUMBER`.

    A part is looked at before it is kept: what an earlier copy has needs no room. `store` is called
    from several threads, and says how many bytes it made of a pack. Leaving the block stores the
    last pack, and waits for all.
    """

    def __init__(self, copy: str, store: Callable[[str, memoryview], int], moved: Moved) -> None:
        self._copy, self._store, self._moved = copy, store, moved
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._free: SimpleQueue[bytearray] = SimpleQueue()
        for _ in range(_AT_ONCE):
            self._free.put(bytearray(PACK))
        self._filling = bytearray(PACK)
        self._filled = 0
        self._sent: list[Future[int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._filled:
                self._send()
        finally:
            self._pool.shutdown(cancel_futures=kind is not None)
        if kind is None:
            self._insist()

    def look(self, file: FileIO, begin: int, size: int) -> memoryview:
        """A part of a file, at most a pack. Raises `SourceFailed` where the file is shorter."""
        if self._filled + size > PACK:
            self._send()
        view = memoryview(self._filling)[self._filled : self._filled + size]
        file.seek(begin)
        at = 0
        while at < size:
            read = file.readinto(view[at:])
            if not read:
                raise SourceFailed("packs.short", path=file.name, bytes=begin + size)
            at += read
        self._moved(size)
        return view

    def keep(self, view: memoryview) -> tuple[str, int]:
        """Keep what was looked at last; its pack, and where it begins there."""
        at = self._filled
        self._filled += len(view)
        return f"{self._copy}/{len(self._sent):05}", at

    @property
    def added(self) -> int:
        """The bytes of all packs as they are stored, when the block was left."""
        return sum(one.result() for one in self._sent)

    def _send(self) -> None:
        self._insist()
        name = f"{self._copy}/{len(self._sent):05}"
        self._sent.append(self._pool.submit(self._stored, name, self._filling, self._filled))
        self._filling, self._filled = self._free.get(), 0

    def _stored(self, name: str, buffer: bytearray, filled: int) -> int:
        try:
            return self._store(name, memoryview(buffer)[:filled])
        finally:
            self._free.put(buffer)

    def _insist(self) -> None:
        """Raise what kept one from being stored."""
        for one in self._sent:
            if one.done():
                one.result()


def pack(home: Path, before: ExtentMap | None, packer: Packer) -> ExtentMap:
    """Put a base copy into packs, but for what an earlier one has; gives what it consists of.

    Files that hold only what changed are told as what they make of those before. Raises
    `RepositoryDamaged` where there are none before.
    """
    before = before or _NOTHING
    directories: dict[str, int] = {}
    files: dict[str, CopiedFile] = {}
    for path in _below(home):
        name, mode = str(path.relative_to(home)), path.lstat().st_mode
        if stat.S_ISDIR(mode):
            directories[name] = stat.S_IMODE(mode)
        elif stat.S_ISREG(mode):
            plain = increment.plain(name)
            with path.open("rb", buffering=0) as file:
                if plain == name:
                    files[name] = _whole(file, before.files.get(name), packer)
                else:
                    files[plain] = _changes(path, file, before.files.get(plain), packer)
    return ExtentMap(directories, files)


def _below(home: Path) -> Iterator[Path]:
    """The cluster, its tablespaces, and all in them, each directory before what is in it."""
    for top in (home / DATA, home / PLACES):
        yield top
        yield from sorted(top.rglob("*"))


def _whole(file: FileIO, before: CopiedFile | None, packer: Packer) -> CopiedFile:
    """A file of which all is there; pieces that an earlier copy has are taken from there."""
    seen = os.fstat(file.fileno())
    known = before.digests if before else ()
    digests: list[str] = []
    kept: list[Extent] = []
    shared: list[tuple[int, int]] = []
    for number, begin in enumerate(range(0, seen.st_size, PIECE)):
        view = packer.look(file, begin, min(PIECE, seen.st_size - begin))
        digests.append(pieces.digest(view))
        if number < len(known) and known[number] == digests[-1]:
            shared.append((begin, begin + len(view)))
        else:
            kept.append(Extent(begin, len(view), *packer.keep(view)))
    if before:
        kept = sorted([*kept, *before.between(shared)])
    return CopiedFile(stat.S_IMODE(seen.st_mode), seen.st_size, joined(kept), digests)


def _changes(path: Path, file: FileIO, before: CopiedFile | None, packer: Packer) -> CopiedFile:
    if before is None:
        raise RepositoryDamaged("base.no_before", path=path)
    found = increment.read(path)
    new = sorted(_kept(file, found, packer))
    mode = stat.S_IMODE(path.stat().st_mode)
    return changed(before, found.kept * BLOCK, found.blocks * BLOCK, new, mode)


def _kept(file: FileIO, found: Increment, packer: Packer) -> Iterator[Extent]:
    """The blocks that changed, many at a time: they lie behind one another."""
    for runs in found.grouped(_MOST_AT_ONCE):
        first, blocks = runs[0][0], sum(count for _, _, count in runs)
        pack, at = packer.keep(packer.look(file, found.begin + first * BLOCK, blocks * BLOCK))
        for here, there, count in runs:
            yield Extent(there * BLOCK, count * BLOCK, pack, at + (here - first) * BLOCK)


def unpack(
    found: ExtentMap, read: Callable[[str], bytes], target: Path, stop: Stop, moved: Moved
) -> None:
    """Let a directory become what a map says; only packs are read of which something lacks there.

    `read` gives what lies in a pack. Raises `RepositoryDamaged`, `ToolFailed` and `Cancelled`; the
    target is then something between the two.
    """
    pieces.lay(target, found)
    lacking: dict[str, list[tuple[str, Extent]]] = defaultdict(list)
    for name, extent in pieces.lacking(target, found.files, stop):
        lacking[extent.pack].append((name, extent))

    def bring(pack: str) -> int:
        content = memoryview(read(pack))
        for name, group in groupby(lacking[pack], key=lambda one: one[0]):
            pieces.write(target / name, _parts(content, [extent for _, extent in group]))
        return len(content)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for size in pool.map(bring, sorted(lacking)):
            moved(size)


def _parts(content: memoryview, extents: Sequence[Extent]) -> Iterator[tuple[int, memoryview]]:
    for extent in extents:
        yield extent.begin, content[extent.at : extent.at + extent.size]
