"""A base copy put into packs, some MiB each, stored beside the reading; and out of them again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from opsd.drivers import increment, pieces
from opsd.drivers.increment import BLOCK, Increment
from opsd.drivers.pieces import memory
from opsd.drivers.process import Stop
from opsd.errors import Cancelled, RepositoryDamaged
from opsd.extents import (
    PIECE,
    UNKNOWN,
    ZEROS,
    CopiedFile,
    Extent,
    ExtentMap,
    changed,
    copies_of,
    joined,
)

PACK = 16 << 20  # bytes before they are compressed
_WRITTEN = 4 << 20  # bytes at once
MOST_OPEN = 10  # packs that stay: a part of a file lies in some of each night of a week

Moved = Callable[[int], None]  # told of bytes that were moved; raises when it is not to go on


class Packer:
    """Parts of files, one behind the other in packs named `COPY/NUMBER`.

    A part is looked at before it is kept: what an earlier copy has needs no room. `store` is called
    from several threads. Leaving the block stores the last pack, and waits for all.
    """

    def __init__(self, copy: str, store: Callable[[str, memoryview], None], moved: Moved) -> None:
        self._copy, self._store, self._moved = copy, store, moved
        self._pool = ThreadPoolExecutor(pieces.AT_ONCE)
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        for _ in range(pieces.AT_ONCE):
            self._free.put(memory(PACK))
        self._filling = memory(PACK)
        self._filled = self._number = 0
        self._sent: deque[Future[None]] = deque()

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

    def room(self, size: int) -> memoryview:
        """Room for a part of a file, at most a pack, to be looked at before it is kept."""
        if self._filled + size > PACK:
            self._send()
        self._moved(size)
        return self._filling[self._filled : self._filled + size]

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

    def _stored(self, name: str, buffer: memoryview, filled: int) -> None:
        try:
            self._store(name, buffer[:filled])
        finally:
            self._free.put(buffer)

    def _insist(self) -> None:
        """Raise what kept one from being stored."""
        while self._sent and self._sent[0].done():
            self._sent.popleft().result()


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file as it comes: `fill` puts its next bytes into a place. Its name is that in the copy."""

    name: str
    mode: int
    size: int
    fill: Callable[[memoryview], object]


class Packing:
    """A copy on its way into packs, but for what an earlier one has.

    A file that holds only what changed is told as what it makes of that before.
    """

    def __init__(self, packer: Packer, before: ExtentMap | None = None) -> None:
        self._directories: dict[str, int] = {}
        self._files: dict[str, CopiedFile] = {}
        self._packer, self._before = packer, before.files if before else {}

    def directory(self, name: str, mode: int) -> None:
        """Let there be a directory, what it lies in having been told."""
        self._directories[name] = mode

    def file(self, arrived: Arrived) -> None:
        """Take in a file. Raises `RepositoryDamaged` where changes are of none before."""
        plain = increment.plain(arrived.name)
        before = self._before.get(plain)
        take = self._whole if plain == arrived.name else self._changes
        self._files[plain] = take(arrived, before)

    @property
    def found(self) -> ExtentMap:
        """What it consists of."""
        return ExtentMap(self._directories, dict(sorted(self._files.items())))

    def _whole(self, arrived: Arrived, before: CopiedFile | None) -> CopiedFile:
        """A file of which all comes; pieces that an earlier copy has are taken from there."""
        known = before.digests if before else ()
        digests: list[str] = []
        kept: list[Extent] = []
        shared: list[tuple[int, int]] = []
        for number, begin in enumerate(range(0, arrived.size, PIECE)):
            view = self._packer.room(min(PIECE, arrived.size - begin))
            arrived.fill(view)
            digests.append(pieces.digest(view))
            if number < len(known) and known[number] == digests[-1]:
                shared.append((begin, begin + len(view)))
            else:
                kept.append(Extent(begin, len(view), *self._packer.keep(view)))
        if before:
            kept = sorted([*kept, *chain.from_iterable(before.between(shared))])
        return CopiedFile(arrived.mode, arrived.size, joined(kept), digests)

    def _changes(self, arrived: Arrived, before: CopiedFile | None) -> CopiedFile:
        if before is None:
            raise RepositoryDamaged("base.no_before", path=arrived.name)
        found = increment.begun(arrived.name, arrived.size, arrived.fill)
        new = sorted(self._kept(arrived, found))
        return changed(before, found.kept * BLOCK, found.blocks * BLOCK, new, arrived.mode)

    def _kept(self, arrived: Arrived, found: Increment) -> Iterator[Extent]:
        """The blocks that changed, many at a time: they lie behind one another."""
        for runs in found.grouped(increment.MOST_AT_ONCE):
            first, blocks = runs[0][0], sum(count for _, _, count in runs)
            view = self._packer.room(blocks * BLOCK)
            arrived.fill(view)
            pack, at = self._packer.keep(view)
            for here, there, count in runs:
                yield Extent(there * BLOCK, count * BLOCK, pack, at + (here - first) * BLOCK)


class Packs:
    """Packs that are read, the last ones of which stay, so many; for one thread.

    `read` puts what lies in one into memory, and says how many bytes it is.
    """

    def __init__(self, read: Callable[[str, memoryview], int], most: int = 1) -> None:
        self._read, self._most = read, most
        self._there: dict[str, tuple[memoryview, int]] = {}

    def lay(self, extent: Extent, place: memoryview) -> None:
        """Put an extent into a place of its size. Raises `RepositoryDamaged` and others."""
        place[:] = bytes(extent.size) if extent.pack == ZEROS else self.view(extent)

    def view(self, extent: Extent) -> memoryview:
        """An extent that lies in a pack, where it lies in memory until the next one is asked for.

        Raises as `lay` does.
        """
        pack = self._there.pop(extent.pack, None) or self._opened(extent.pack)
        self._there[extent.pack] = pack  # the last that was used
        content, size = pack
        end = extent.at + extent.size
        if end > size:
            raise RepositoryDamaged("base.no_pack", name=extent.pack)
        return content[extent.at : end]

    def _opened(self, name: str) -> tuple[memoryview, int]:
        if len(self._there) < self._most:
            place = memory(PACK)
        else:
            place, _ = self._there.pop(next(iter(self._there)))
        return place, self._read(name, place)


Read = Callable[[str, memoryview], int]  # as that of `Packs`


def unpack(found: ExtentMap, read: Read, target: Path, stop: Stop, moved: Moved) -> ExtentMap:
    """Let a directory become what a map says; only packs are read of which something lacks there.

    Gives the map with the digests of all pieces. Raises `RepositoryDamaged`, `ToolFailed` and
    `Cancelled`; the target is then something between the two.
    """

    def write(region: _Region, content: memoryview) -> None:
        mode = found.files[region.name].mode
        pieces.write(target / region.name, mode, region.begin, content)
        moved(region.size)

    with pieces.laying(target, found):
        lacking = [*pieces.lacking(target, found.files, stop)]
    return _assembled(found, lacking, (read, write), stop)


def digested(found: ExtentMap, read: Read, stop: Stop, moved: Moved) -> ExtentMap:
    """The map with the digests of all pieces: those without one are read, out of their packs.

    Raises `RepositoryDamaged` and `Cancelled`.
    """
    unknown = ((name, file.spans(UNKNOWN)) for name, file in found.files.items())

    def count(region: _Region, _: memoryview) -> None:
        moved(region.size)

    return _assembled(found, unknown, (read, count), stop)


def _assembled(
    found: ExtentMap,
    wanted: Iterable[tuple[str, Sequence[tuple[int, int]]]],
    doing: tuple[Read, Callable[[_Region, memoryview], None]],
    stop: Stop,
) -> ExtentMap:
    """Read parts of files and do something with each; the map with the digests of these."""
    read, take = doing
    over = Stop(stop)  # one that fails ends the others
    digests = {name: [*file.digests] for name, file in found.files.items()}

    def bring(part: Sequence[_Region]) -> None:
        packs, buffer = Packs(read, most), memory(_WRITTEN)
        try:
            for region in part:
                if over.requested:
                    break
                content = _content(region, packs, buffer)
                _judge(region, content, digests[region.name])
                take(region, content)
        except BaseException:
            over.request()
            raise

    regions = [one for name, spans in wanted for one in _regions(name, found.files[name], spans)]
    needed = {extent.pack for region in regions for extent in region.extents}
    most = min(len(copies_of(needed)) + 1, MOST_OPEN)  # a part of a file lies in each copy's
    pieces.each(bring, _parts(regions))
    if stop.requested:
        raise Cancelled("run.cancelled")
    files = {name: replace(file, digests=digests[name]) for name, file in found.files.items()}
    return replace(found, files=files)


def _content(region: _Region, packs: Packs, buffer: memoryview) -> memoryview:
    """What makes up a region; in the buffer, unless it lies together somewhere."""
    if len(region.extents) == 1 and region.extents[0].pack != ZEROS:
        return packs.view(region.extents[0])
    content = buffer[: region.size]
    for extent in region.extents:
        begin = extent.begin - region.begin
        packs.lay(extent, content[begin : begin + extent.size])
    return content


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
