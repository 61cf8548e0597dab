"""Directories as a map of extents says: compared, copied and written piece by piece.

For data directories of databases. Several files at once; of a file that is there only what differs
is written, and nothing is written through a link, symbolic or hard. Owners are not kept.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import TypeVar

from blake3 import blake3

from opsd.drivers.process import Stop
from opsd.errors import Cancelled, RepositoryDamaged, ToolFailed
from opsd.extents import PIECE, UNKNOWN, ZEROS, CopiedFile, Extent, ExtentMap

_AT_ONCE = min(4, os.cpu_count() or 1)
_CLONE = 0x40049409  # ioctl_ficlonerange(2): FICLONE
_DIGEST = 16  # bytes

Item = TypeVar("Item")
Done = TypeVar("Done")


def digest(content: bytes | memoryview) -> str:
    """What tells a piece from another: the first 16 bytes of its BLAKE3, in hexadecimal."""
    return blake3(content).hexdigest(_DIGEST)


def lay(target: Path, wanted: ExtentMap) -> None:
    """Make the directories below `target`, and remove what is in them and not in the map.

    Raises `ToolFailed`.
    """
    try:
        for path, mode in wanted.directories.items():
            place = target / path
            if place.is_symlink() or not place.is_dir():
                _remove(place)
                place.mkdir(mode=0o700)
            for name in _strays(place, PurePosixPath(path), wanted):
                _remove(place / name)
            place.chmod(mode)
    except OSError as error:
        raise ToolFailed("mirror.failed", path=target, detail=str(error)) from error


def _strays(place: Path, path: PurePosixPath, wanted: ExtentMap) -> list[str]:
    with os.scandir(place) as found:
        return [one.name for one in found if not _belongs(one, str(path / one.name), wanted)]


def _belongs(found: os.DirEntry[str], path: str, wanted: ExtentMap) -> bool:
    """Whether it may stay where it is: a directory of the map, or a file that no other name has."""
    if found.is_dir(follow_symlinks=False):
        return path in wanted.directories
    mine = path in wanted.files and found.is_file(follow_symlinks=False)
    return mine and found.stat(follow_symlinks=False).st_nlink == 1


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def copy(source: Path, target: Path, files: Mapping[str, CopiedFile], stop: Stop) -> None:
    """Bring files from a directory; each piece is held against its digest.

    What `target` has already is not read from the source. Raises `RepositoryDamaged` where the
    source is not what the digests say, `ToolFailed` and `Cancelled`.
    """

    def work(name: str) -> None:
        try:
            _copy(source / name, target / name, files[name], stop)
        except OSError as error:
            raise ToolFailed("mirror.failed", path=target / name, detail=str(error)) from error

    _each(work, files)


def _copy(source: Path, target: Path, file: CopiedFile, stop: Stop) -> None:
    buffer, is_there = memoryview(bytearray(PIECE)), target.exists()
    with source.open("rb", buffering=0) as old, _opened(target, file) as new:
        is_there = is_there or _shared(old, new)
        new.truncate(file.size)
        for begin, size, known in file.pieces():
            _go_on(stop)
            if is_there and _digest_at(new, buffer[:size], begin) == known:
                continue
            if _digest_at(old, buffer[:size], begin) != known:
                raise RepositoryDamaged("pieces.damaged", path=source)
            _write(new, begin, buffer[:size])


def lacking(
    target: Path, files: Mapping[str, CopiedFile], stop: Stop
) -> Iterator[tuple[str, Extent]]:
    """Which extents of files are not in `target` yet, and of which file each is.

    Every file has its size afterwards; what is zeros in a new one is there. Raises `ToolFailed` and
    `Cancelled`.
    """

    def work(name: str) -> list[tuple[str, Extent]]:
        try:
            return [(name, extent) for extent in _lacking(target / name, files[name], stop)]
        except OSError as error:
            raise ToolFailed("mirror.failed", path=target / name, detail=str(error)) from error

    for found in _each(work, files):
        yield from found


def _lacking(target: Path, file: CopiedFile, stop: Stop) -> Iterator[Extent]:
    is_there = target.exists()
    with _opened(target, file) as new:
        new.truncate(file.size)
        if not is_there:
            yield from (extent for extent in file.extents if extent.pack != ZEROS)
            return
        buffer, spans = memoryview(bytearray(PIECE)), list[tuple[int, int]]()
        for begin, size, known in file.pieces():
            _go_on(stop)
            if known == UNKNOWN or _digest_at(new, buffer[:size], begin) != known:
                spans.append((begin, begin + size))
        for extent in file.between(spans):
            if extent.pack == ZEROS:
                _fill(new, extent)
            else:
                yield extent


def _fill(file: FileIO, extent: Extent) -> None:
    for begin in range(extent.begin, extent.end, PIECE):
        _write(file, begin, bytes(min(PIECE, extent.end - begin)))


def write(target: Path, parts: Iterable[tuple[int, bytes | memoryview]]) -> None:
    """Write parts of a file that is there, each where it begins. Raises `ToolFailed`."""
    try:
        with target.open("r+b", buffering=0) as file:
            for begin, content in parts:
                _write(file, begin, content)
    except OSError as error:
        raise ToolFailed("mirror.failed", path=target, detail=str(error)) from error


def digested(
    directory: Path, files: Mapping[str, CopiedFile], stop: Stop
) -> Mapping[str, CopiedFile]:
    """The files of a directory with the digests that are not known yet. Raises `Cancelled`."""

    def work(name: str) -> tuple[str, CopiedFile]:
        return name, _digested(directory / name, files[name], stop)

    return dict(_each(work, files))


def _digested(path: Path, file: CopiedFile, stop: Stop) -> CopiedFile:
    if UNKNOWN not in file.digests:
        return file
    buffer, found = memoryview(bytearray(PIECE)), []
    with path.open("rb", buffering=0) as stream:
        for begin, size, known in file.pieces():
            _go_on(stop)
            found.append(known or _digest_at(stream, buffer[:size], begin))
    return replace(file, digests=found)


def _each(work: Callable[[Item], Done], items: Iterable[Item]) -> Sequence[Done]:
    """Do it for each, several at once; raises what fails first, and begins no more then."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            begun = [pool.submit(work, item) for item in items]
            done, _ = wait(begun, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for one in done:
            one.result()
        return [one.result() for one in begun]


def _opened(path: Path, file: CopiedFile) -> FileIO:
    """A file for reading and writing, with its mode; made where there is none."""
    opened = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")
    os.fchmod(opened.fileno(), file.mode)
    return opened


def _shared(old: FileIO, new: FileIO) -> bool:
    """Whether the file system lets both share their blocks."""
    try:
        fcntl.ioctl(new, _CLONE, old.fileno())
    except OSError:  # another file system, or one that shares nothing
        return False
    return True


def _digest_at(file: FileIO, buffer: memoryview, begin: int) -> str:
    """The digest of what a file has there; a shorter one has another."""
    file.seek(begin)
    at = 0
    while size := file.readinto(buffer[at:]):
        at += size
    return digest(buffer[:at])


def _write(file: FileIO, begin: int, content: bytes | memoryview) -> None:
    file.seek(begin)
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


def _go_on(stop: Stop) -> None:
    if stop.requested:
        raise Cancelled("run.cancelled")
