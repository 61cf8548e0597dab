"""Let a directory become what another one is: several files at once, and only what differs.

For data directories of databases: directories, files, symbolic links. Owners are not kept.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

from opsd.drivers.process import Stop
from opsd.errors import Cancelled, ToolFailed

_AT_ONCE = 4
_CLONE = 0x40049409  # ioctl_ficlonerange(2): FICLONE
_COPIED = 64 << 20  # bytes between two looks at whether to go on
_COMPARED = 1 << 20


def mirror(source: Path, target: Path, stop: Stop) -> None:
    """Make all below `target` as it is below `source`; blocks are shared where that can be.

    Files of the same content are left alone, and what the source has not is removed. Raises
    `ToolFailed` and `Cancelled`; the target is then something between the two.
    """
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            work = [pool.submit(_bring, *pair, stop) for pair in _files(source, target)]
            done, _ = wait(work, return_when=FIRST_EXCEPTION)
            pool.shutdown(wait=False, cancel_futures=True)
            for one in done:
                one.result()
    except OSError as error:
        raise ToolFailed("mirror.failed", path=target, detail=str(error)) from error


def _files(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """The files of both; all else is made to be alike on the way."""
    if target.is_symlink() or not target.is_dir():
        _remove(target)
        target.mkdir(mode=0o700)
    wanted = {one.name: one for one in os.scandir(source)}
    for there in os.scandir(target):
        if there.name not in wanted:
            _remove(target / there.name)
    for name, one in wanted.items():
        twin = target / name
        if one.is_symlink():
            _remove(twin)
            twin.symlink_to(Path(one.path).readlink())
        elif one.is_dir():
            yield from _files(source / name, twin)
        else:
            yield source / name, twin
    shutil.copystat(source, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _bring(source: Path, target: Path, stop: Stop) -> None:
    if target.is_symlink() or not target.is_file():
        _remove(target)
    if not (target.exists() and _same(source, target, stop)):
        _copy(source, target, stop)
    shutil.copystat(source, target)


def _copy(source: Path, target: Path, stop: Stop) -> None:
    with source.open("rb", buffering=0) as old, target.open("wb", buffering=0) as new:
        try:
            fcntl.ioctl(new, _CLONE, old.fileno())
        except OSError:  # another file system, or one that shares nothing
            while os.sendfile(new.fileno(), old.fileno(), None, _COPIED):
                _go_on(stop)


def _same(source: Path, target: Path, stop: Stop) -> bool:
    if source.stat().st_size != target.stat().st_size:
        return False
    with source.open("rb", buffering=0) as one, target.open("rb", buffering=0) as other:
        while (piece := one.read(_COMPARED)) == other.read(_COMPARED):
            _go_on(stop)
            if not piece:
                return True
    return False


def _go_on(stop: Stop) -> None:
    if stop.requested:
        raise Cancelled("run.cancelled")
