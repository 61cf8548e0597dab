"""Let a directory become what another one is: several files at once, and only what differs.

For data directories of databases: directories, files, symbolic links. Owners are not kept.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from opsd.drivers.process import Stop
from opsd.errors import Cancelled, ToolFailed

_AT_ONCE = min(4, os.cpu_count() or 1)
_CLONE = 0x40049409  # ioctl_ficlonerange(2): FICLONE
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Changes:
    """Files whose names begin with `prefix` say what shall become of those without it.

    `apply` carries that out on those, which a mirror before this one made.
    """

    prefix: str
    apply: Callable[[Path, Path], None]


def mirror(source: Path, target: Path, stop: Stop, changes: Changes | None = None) -> None:
    """Make all below `target` as it is below `source`; blocks are shared where that can be.

    Of a file that is there only what differs is written, and what the source has not is removed.
    Nothing is written through a link, symbolic or hard. Raises `ToolFailed` and `Cancelled`; the
    target is then something between the two.
    """
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                work = [
                    pool.submit(_bring, *two, stop, changes)
                    for two in _files(source, target, stop, changes)
                ]
                done, _ = wait(work, return_when=FIRST_EXCEPTION)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
            for one in done:
                one.result()
    except OSError as error:
        raise ToolFailed("mirror.failed", path=target, detail=str(error)) from error


def _files(
    source: Path, target: Path, stop: Stop, changes: Changes | None
) -> Iterator[tuple[Path, Path]]:
    """The files of both; all else is made to be alike on the way."""
    _go_on(stop)
    if target.is_symlink() or not target.is_dir():
        _remove(target)
        target.mkdir(mode=0o700)
    with os.scandir(source) as found, os.scandir(target) as there:
        wanted = {one.name.removeprefix(changes.prefix if changes else ""): one for one in found}
        strays = [one.name for one in there if one.name not in wanted]
    for name in strays:
        _remove(target / name)
    for name, one in wanted.items():
        twin = target / name
        if one.is_symlink():
            _remove(twin)
            twin.symlink_to(Path(one.path).readlink())
        elif one.is_dir():
            yield from _files(source / name, twin, stop, changes)
        else:
            yield source / one.name, twin
    _like(source, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _bring(source: Path, target: Path, stop: Stop, changes: Changes | None) -> None:
    _go_on(stop)
    if changes and source.name != target.name:
        changes.apply(source, target)
    elif target.is_symlink() or not target.is_file() or target.stat().st_nlink > 1:
        _remove(target)
        _copy(source, target, stop)
    else:
        _mend(source, target, stop)
    _like(source, target)


def _copy(source: Path, target: Path, stop: Stop) -> None:
    with source.open("rb", buffering=0) as old, target.open("wb", buffering=0) as new:
        try:
            fcntl.ioctl(new, _CLONE, old.fileno())
        except OSError:  # another file system, or one that shares nothing
            while piece := old.read(_PIECE):
                _go_on(stop)
                _write(new, piece)


def _mend(source: Path, target: Path, stop: Stop) -> None:
    """Write over what differs, piece by piece."""
    mine, other, at = bytearray(_PIECE), bytearray(_PIECE), 0
    with source.open("rb", buffering=0) as old, target.open("r+b", buffering=0) as new:
        while size := old.readinto(mine):
            _go_on(stop)
            there = new.readinto(other)
            if size != there or (mine != other if size == _PIECE else mine[:size] != other[:size]):
                new.seek(at)
                _write(new, memoryview(mine)[:size])
            at += size
        if os.fstat(new.fileno()).st_size != at:
            new.truncate(at)


def _write(new: FileIO, piece: bytes | memoryview) -> None:
    left = memoryview(piece)
    while left:
        left = left[new.write(left) :]


def _like(source: Path, target: Path) -> None:
    """The same mode and time; what else a file system knows is its own."""
    seen = source.stat()
    target.chmod(stat.S_IMODE(seen.st_mode))
    os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def _go_on(stop: Stop) -> None:
    if stop.requested:
        raise Cancelled("run.cancelled")
