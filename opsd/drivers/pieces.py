"""Directories as a map of extents says: compared, copied and written piece by piece.

For data directories of databases. Several files at once; of a file that is there only what differs
is written, and nothing is written through a link, symbolic or hard. Owners are not kept.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

from blake3 import blake3

from opsd.drivers.process import Stop
from opsd.errors import Cancelled, RepositoryDamaged, ToolFailed
from opsd.extents import PIECE, UNKNOWN, CopiedFile, ExtentMap

AT_ONCE = min(4, os.cpu_count() or 1)  # files, or parts of them
_CLONE = 0x40049409  # ioctl_ficlonerange(2): FICLONE
_DIGEST = 16  # bytes
_AHEAD = 32  # pieces of a file that are read before they are asked for
_BEHIND = 32 << 20  # bytes of a file that may be on their way to the disk


class New(Protocol):
    """What a file has that the one before it had not."""

    @property
    def kept(self) -> int:
        """How many bytes of that one are still of it; behind them it is zeros."""
        ...

    def lay(self, begin: int, piece: memoryview) -> None:
        """Put what is new of a piece into it, which begins at a place of the file."""
        ...


Item = TypeVar("Item")
Done = TypeVar("Done")


def digest(content: bytes | memoryview) -> str:
    """What tells a piece from another: the first 16 bytes of its BLAKE3, in hexadecimal."""
    return blake3(content).hexdigest(_DIGEST)


def memory(size: int) -> memoryview:
    """Memory to be used again and again: each new page of it costs time, large ones less."""
    made = mmap.mmap(-1, size)
    with suppress(OSError):  # a kernel without them
        made.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(made)


def lay(target: Path, wanted: ExtentMap) -> None:
    """Make the directories below `target`, and remove what is in them and not in the map.

    Raises `ToolFailed`.
    """
    with laying(target, wanted):
        pass


@contextmanager
def laying(target: Path, wanted: ExtentMap) -> Iterator[None]:
    """The same, while something else goes on: what does not belong there is gone in the end.

    What stands where a file of the map will be is gone in the beginning.
    """
    strays: list[Path] = []
    with _failing(target), ThreadPoolExecutor(1) as beside:
        for path, mode in wanted.directories.items():
            place = target / path
            if place.is_symlink() or not place.is_dir():
                _remove(place)
                place.mkdir(mode=0o700)
            place.chmod(mode | stat.S_IRWXU)
            strays += _strays(place, PurePosixPath(path), wanted)
        inside = {one: str(one.relative_to(target)) in wanted.files for one in strays}
        each(_remove, (one for one in strays if inside[one]))
        removing = beside.submit(each, _remove, [one for one in strays if not inside[one]])
        yield
        removing.result()


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    """Tell what the system says of a file as `ToolFailed`."""
    try:
        yield
    except OSError as error:
        raise ToolFailed("mirror.failed", path=path, detail=str(error)) from error


def _strays(place: Path, path: PurePosixPath, wanted: ExtentMap) -> list[Path]:
    with os.scandir(place) as found:
        return [Path(one) for one in found if not _belongs(one, str(path / one.name), wanted)]


def _belongs(found: os.DirEntry[str], path: str, wanted: ExtentMap) -> bool:
    """Whether it may stay where it is: what is or becomes a directory of the map, or a file of it.

    Of a file no other may be another name.
    """
    if path in wanted.directories:
        return True
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
        with _failing(target / name):
            _copy(source / name, target / name, files[name], stop)

    each(work, files)


def _copy(source: Path, target: Path, file: CopiedFile, stop: Stop) -> None:
    buffer, is_there = memoryview(bytearray(PIECE)), target.exists()
    with source.open("rb", buffering=0) as old, _opened(target, file.mode) as new:
        is_there = is_there or _shared(old, new)
        new.truncate(file.size)
        for begin, size, known in _read_ahead(new if is_there else old, file.pieces(), stop):
            if is_there and _digest_at(new, buffer[:size], begin) == known:
                continue
            if _digest_at(old, buffer[:size], begin) != known:
                raise RepositoryDamaged("pieces.damaged", path=source)
            _let_go(old, begin, size)
            _write_once(new, begin, buffer[:size])


def lacking(
    target: Path, files: Mapping[str, CopiedFile], stop: Stop
) -> Iterator[tuple[str, Sequence[tuple[int, int]]]]:
    """Which parts of files are not in `target` yet, from where to where each.

    A file that is there is not longer than it shall be afterwards, and an empty one is there.
    Raises `ToolFailed` and `Cancelled`.
    """

    def work(name: str) -> tuple[str, Sequence[tuple[int, int]]]:
        with _failing(target / name):
            return name, _lacking(target / name, files[name], stop)

    yield from each(work, files)


def _lacking(target: Path, file: CopiedFile, stop: Stop) -> Sequence[tuple[int, int]]:
    if file.size and not target.exists():
        return [(begin, begin + size) for begin, size, _ in file.pieces()]
    buffer, there = memoryview(bytearray(min(PIECE, file.size))), set[int]()
    with _opened(target, file.mode) as new:
        new.truncate(file.size)
        known = (piece for piece in file.pieces() if piece[2] != UNKNOWN)
        for begin, size, told in _read_ahead(new, known, stop):
            if _digest_at(new, buffer[:size], begin) == told:
                there.add(begin)
    return [(begin, begin + size) for begin, size, _ in file.pieces() if begin not in there]


def write(target: Path, mode: int, begin: int, content: memoryview) -> None:
    """Write a part of a file, which is made where it is not there. Raises `ToolFailed`."""
    with _failing(target), _opened(target, mode) as file:
        _write_once(file, begin, content)


class Writing:
    """A new file, written from its beginning to its end; `once` it is not read again soon."""

    def __init__(self, path: Path, *, once: bool) -> None:
        self._file = FileIO(path, "xb", opener=_open)
        self._once, self._end, self._digest = once, 0, blake3()

    def append(self, content: memoryview) -> None:
        """Write what comes next. Raises `OSError`."""
        if self._once:
            _write_once(self._file, self._end, content)
        else:
            _write(self._file, self._end, content)
            self._digest.update(content)
        self._end += len(content)

    def close(self) -> str:
        """Leave it as it is; gives the digest of what will be read, as `of_file` does."""
        self._file.close()
        return self._digest.hexdigest(_DIGEST)


def of_file(path: Path) -> str:
    """The digest of a whole file. Raises `OSError`."""
    return blake3().update_mmap(path).hexdigest(_DIGEST)


def patch(target: Path, before: CopiedFile, after: CopiedFile, new: New, stop: Stop) -> CopiedFile:
    """Let a file become another one; gives that with all its digests.

    Only pieces without a digest are others. Each is held against what it had: else damage would be
    given a new one. Raises `RepositoryDamaged`, `ToolFailed` and `Cancelled`.
    """
    buffer = memoryview(bytearray(PIECE))

    def become(file: FileIO, begin: int, size: int) -> str:
        had = max(min(PIECE, before.size - begin), 0)
        if had and _digest_at(file, buffer[:had], begin) != before.digests[begin // PIECE]:
            raise RepositoryDamaged("pieces.damaged", path=target)
        kept = max(min(had, new.kept - begin), 0)
        if kept < size:
            buffer[kept:size] = bytes(size - kept)
        new.lay(begin, buffer[:size])
        _write(file, begin, buffer[:size])
        return digest(buffer[:size])

    with _failing(target), _opened(target, after.mode) as file:
        digests = [*after.digests]
        others = (piece for piece in after.pieces() if piece[2] == UNKNOWN)
        for begin, size, _ in _read_ahead(file, others, stop):
            digests[begin // PIECE] = become(file, begin, size)
        file.truncate(after.size)
    return replace(after, digests=digests)


def _read_ahead(
    file: FileIO, wanted: Iterable[tuple[int, int, str]], stop: Stop
) -> Iterator[tuple[int, int, str]]:
    """Each piece that is wanted, while the system reads those that come after it."""
    coming = deque[tuple[int, int, str]]()
    for piece in wanted:
        begin, size, _ = piece
        _advise(file, begin, size, os.POSIX_FADV_WILLNEED)
        coming.append(piece)
        if len(coming) > _AHEAD:
            _go_on(stop)
            yield coming.popleft()
    for piece in coming:
        _go_on(stop)
        yield piece


def each(work: Callable[[Item], Done], items: Iterable[Item]) -> Sequence[Done]:
    """Do it for each file, several at once; raises what fails first, and begins no more then."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            begun = [pool.submit(work, item) for item in items]
            done, _ = wait(begun, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for one in done:
            one.result()
        return [one.result() for one in begun]


def _opened(path: Path, mode: int) -> FileIO:
    """A file for reading and writing, with its mode; made where there is none."""
    try:
        opened = FileIO(path, "r+b", opener=_open)
    except PermissionError:  # its mode keeps its own account out, too
        path.chmod(0o600)
        opened = FileIO(path, "r+b", opener=_open)
    if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) != mode:
        os.fchmod(opened.fileno(), mode)
    return opened


def _open(path: str, how: int) -> int:
    how = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | how & os.O_EXCL
    return os.open(path, how, 0o600)


def _shared(old: FileIO, new: FileIO) -> bool:
    """Whether the file system lets both share their blocks."""
    try:
        fcntl.ioctl(new, _CLONE, old.fileno())
    except OSError:  # another file system, or one that shares nothing
        return False
    return True


def _digest_at(file: FileIO, buffer: memoryview, begin: int) -> str:
    """The digest of what a file has there; a shorter one has another."""
    return digest(buffer[: _read_at(file, begin, buffer)])


def _read_at(file: FileIO, begin: int, place: memoryview) -> int:
    """Fill a place with what a file has from `begin` on; gives how many bytes it has of that."""
    file.seek(begin)
    filled = 0
    while size := file.readinto(place[filled:]):
        filled += size
    return filled


def _write_once(file: FileIO, begin: int, content: memoryview) -> None:
    """Write what nobody reads soon, and let it set out for the disk; what came before has arrived.

    So the same memory is used again: that which is new for each page costs most of a large copy's
    time, and takes what others have.
    """
    _write(file, begin, content)
    for at in (begin, begin - _BEHIND):
        if at >= 0:
            _let_go(file, at, len(content))


def _write(file: FileIO, begin: int, content: memoryview) -> None:
    file.seek(begin)
    left = content
    while left:
        left = left[file.write(left) :]


def _let_go(file: FileIO, begin: int, size: int) -> None:
    """Let the system forget a part of a file; what is not on the disk yet sets out for it."""
    _advise(file, begin, size, os.POSIX_FADV_DONTNEED)


def _advise(file: FileIO, begin: int, size: int, advice: int) -> None:
    """posix_fadvise(2); a file system that wants no advice does without."""
    with suppress(OSError):
        os.posix_fadvise(file.fileno(), begin, size, advice)


def _go_on(stop: Stop) -> None:
    if stop.requested:
        raise Cancelled("run.cancelled")
