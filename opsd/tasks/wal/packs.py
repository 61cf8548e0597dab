"""A base copy put into packs, some MiB each, stored beside the reading; and out of them again."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import FileIO
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from opsd.drivers import increment, pieces
from opsd.drivers.increment import BLOCK, Increment
from opsd.drivers.pieces import memory
from opsd.drivers.process import Stop
from opsd.errors import Cancelled, RepositoryDamaged, SourceFailed
from opsd.extents import PIECE, UNKNOWN, ZEROS, CopiedFile, Extent, ExtentMap, changed, joined
from opsd.tasks.wal.layout import DATA, PLACES

PACK = 16 << 20  # bytes before they are compressed
_WRITTEN = 4 << 20  # bytes at once
MOST_OPEN = 10  # packs that stay: a part of a file lies in some of each night of a week
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
        self._pool = ThreadPoolExecutor(pieces.AT_ONCE)
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        for _ in range(pieces.AT_ONCE):
            self._free.put(memory(PACK))
        self._filling = memory(PACK)
        self._filled = self._number = 0
        self._sent: deque[Future[int]] = deque()
        self.added = 0  # bytes of packs as they are stored, of all of them when the block was left

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
        view = self._filling[self._filled : self._filled + size]
        if pieces.read_at(file, begin, view) < size:
            raise SourceFailed("packs.short", path=file.name, bytes=begin + size)
        self._moved(size)
        return view

    def keep(self, view: memoryview) -> tuple[str, int]:
        """Keep what was looked at last; its pack, and where it begins there."""
        at = self._filled
        self._filled += len(view)
        return self._name, at

    @property
    def _name(self) -> str:
        return f"{self._copy}/{self._number:05}"

    def _send(self) -> None:
        self._insist()
        self._sent.append(self._pool.submit(self._stored, self._name, self._filling, self._filled))
        self._filling, self._filled = self._free.get(), 0
        self._number += 1

    def _stored(self, name: str, buffer: memoryview, filled: int) -> int:
        try:
            return self._store(name, buffer[:filled])
        finally:
            self._free.put(buffer)

    def _insist(self) -> None:
        """Raise what kept one from being stored."""
        while self._sent and self._sent[0].done():
            self.added += self._sent.popleft().result()


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

    def fail(error: OSError) -> None:
        raise error

    for top in (home / DATA, home / PLACES):
        for directory, inside, files in os.walk(top, onerror=fail):
            inside.sort()
            yield Path(directory)
            yield from (Path(directory) / name for name in sorted(files))


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
        kept = sorted([*kept, *chain.from_iterable(before.between(shared))])
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
    for runs in found.grouped(increment.MOST_AT_ONCE):
        first, blocks = runs[0][0], sum(count for _, _, count in runs)
        pack, at = packer.keep(packer.look(file, found.begin + first * BLOCK, blocks * BLOCK))
        for here, there, count in runs:
            yield Extent(there * BLOCK, count * BLOCK, pack, at + (here - first) * BLOCK)


class Packs:
    """Packs that are read, the last ones of which stay; for one thread.

    `read` puts what lies in one into memory, and says how many bytes it is.
    """

    def __init__(self, read: Callable[[str, memoryview], int]) -> None:
        self._read = read
        self._there: dict[str, tuple[memoryview, int]] = {}

    def lay(self, extent: Extent, place: memoryview) -> None:
        """Put an extent into a place of its size. Raises `RepositoryDamaged` and others."""
        if extent.pack == ZEROS:
            place[:] = bytes(extent.size)
        else:
            pack = self._there.pop(extent.pack, None) or self._opened(extent.pack)
            self._there[extent.pack] = pack  # the last that was used
            content, size = pack
            end = extent.at + extent.size
            if end > size:
                raise RepositoryDamaged("base.no_pack", name=extent.pack)
            place[:] = content[extent.at : end]

    def _opened(self, name: str) -> tuple[memoryview, int]:
        if len(self._there) < MOST_OPEN:
            place = memory(PACK)
        else:
            place, _ = self._there.pop(next(iter(self._there)))
        return place, self._read(name, place)


def unpack(
    found: ExtentMap,
    read: Callable[[str, memoryview], int],
    target: Path,
    stop: Stop,
    moved: Moved,
) -> ExtentMap:
    """Let a directory become what a map says; only packs are read of which something lacks there.

    Gives the map with the digests of all pieces. `read` is that of
    `Packs`. Raises `RepositoryDamaged`, `ToolFailed` and `Cancelled`; the target is then something
    between the two.
    """
    pieces.lay(target, found)
    over = Stop(stop)  # one that fails ends the others
    digests = {name: [*file.digests] for name, file in found.files.items()}

    def bring(part: Sequence[_Region]) -> None:
        packs, buffer = Packs(read), memory(_WRITTEN)
        try:
            for region in part:
                if over.requested:
                    break
                content = buffer[: region.size]
                for extent in region.extents:
                    begin = extent.begin - region.begin
                    packs.lay(extent, content[begin : begin + extent.size])
                _judge(region, content, digests[region.name])
                mode = found.files[region.name].mode
                pieces.write(target / region.name, mode, region.begin, content)
                moved(region.size)
        except BaseException:
            over.request()
            raise

    lacking = pieces.lacking(target, found.files, stop)
    regions = [one for name, spans in lacking for one in _regions(name, found.files[name], spans)]
    pieces.each(bring, _parts(regions))
    if stop.requested:
        raise Cancelled("run.cancelled")
    files = {name: replace(file, digests=digests[name]) for name, file in found.files.items()}
    return replace(found, files=files)


def _judge(region: _Region, content: memoryview, digests: list[str]) -> None:
    """Hold each piece against its digest; one that is not known is noted."""
    for at in range(0, region.size, PIECE):
        number, seen = (region.begin + at) // PIECE, pieces.digest(content[at : at + PIECE])
        if digests[number] not in {UNKNOWN, seen}:
            raise RepositoryDamaged("base.other_bytes", path=region.name)
        digests[number] = seen


@dataclass(frozen=True, slots=True)
class _Region:
    """Some whole pieces of a file that are written at once, and what makes them up."""

    name: str
    begin: int
    size: int
    extents: Sequence[Extent]


def _regions(name: str, file: CopiedFile, spans: Sequence[tuple[int, int]]) -> Iterator[_Region]:
    together = [*_together(spans)]
    for (begin, end), extents in zip(together, file.between(together), strict=True):
        yield _Region(name, begin, end - begin, extents)


def _together(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans that follow one another, so many as one as are written at once."""
    begin = end = 0
    for first, last in spans:
        if first != end or last - begin > _WRITTEN:
            if end > begin:
                yield begin, end
            begin = first
        end = last
    if end > begin:
        yield begin, end


def _parts(regions: Sequence[_Region]) -> Iterator[Sequence[_Region]]:
    """One for each thread, about as large as the others; not small: neighbours share packs."""
    each = max(sum(region.size for region in regions) / pieces.AT_ONCE, 4 * PACK)
    part, size = list[_Region](), 0
    for region in regions:
        part.append(region)
        size += region.size
        if size >= each:
            yield part
            part, size = [], 0
    if part:
        yield part
