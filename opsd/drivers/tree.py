"""File trees: walk them in manifest order, hash what must be hashed, flush what was written."""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from opsd.errors import SourceFailed, ToolFailed
from opsd.manifest import DIRECTORY, FILE, LINK, OTHER, UNREADABLE, Entry

NOT_FLUSHED = "tree.not_flushed"
SOCKET = "s"  # holds nothing, and restic leaves it out: no entry of a manifest


def walk(root: Path, exclude: Collection[str] = ()) -> Iterator[Entry]:
    """Each entry below `root` in the byte order of the paths; `root` itself is not among them.

    `exclude` holds relative paths that are left out with all below them. A directory that cannot be
    listed comes with the state `unreadable`; one that vanishes meanwhile is left out. Raises
    `SourceFailed` when the root itself cannot be listed.
    """
    top = os.fsencode(root) + b"/"
    try:
        names = _names(top)
    except OSError as error:
        raise SourceFailed("tree.root_unreadable", path=root, detail=str(error)) from error
    yield from _walk(top, b"", names, frozenset(os.fsencode(path) for path in exclude))


@contextmanager
def flushing(root: Path) -> Iterator[Callable[[], None]]:
    """Gives what brings all that was written to the file system of `root` to its disk (syncfs(2)).

    That raises `ToolFailed` where the disk did not take all of what was written since the block
    began, whoever else asked meanwhile, or before, when nobody was told; asked again, it may say
    that all is well. What is on its way to a disk cannot be called back: an end that is asked for
    waits, too.
    """
    try:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ToolFailed("mirror.failed", path=root, detail=str(error)) from error

    def flush() -> None:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle) != 0:
            raise ToolFailed(NOT_FLUSHED, path=root, detail=os.strerror(ctypes.get_errno()))

    try:
        yield flush
    finally:
        os.close(handle)


def digest(path: bytes | Path) -> str:
    """The SHA-256 of a file's content in hexadecimal. Raises `OSError`."""
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123  (bytes are not a Path)
        return hashlib.file_digest(stream, "sha256").hexdigest()


def head(root: Path, path: bytes, size: int) -> bytes | None:
    """The first bytes of a file below `root`; nothing where it is gone or cannot be read."""
    try:
        with open(os.fsencode(root) + b"/" + path, "rb", buffering=0) as stream:  # noqa: PTH123
            return stream.read(size)
    except OSError:
        return None


def _names(directory: bytes) -> list[bytes]:
    """What is in a directory, in the order of a manifest."""
    with os.scandir(directory) as found:
        return sorted(e.name + b"/" if e.is_dir(follow_symlinks=False) else e.name for e in found)


def _walk(
    top: bytes, below: bytes, names: Iterable[bytes], exclude: Collection[bytes]
) -> Iterator[Entry]:
    for name in names:
        path = below + name
        if exclude and path.rstrip(b"/") in exclude:
            continue
        try:
            entry = look(top, path)
        except FileNotFoundError:
            continue
        except OSError:
            yield _unseen(path)
            continue
        if entry.kind == SOCKET:
            continue
        if entry.kind != DIRECTORY:
            yield entry
            continue
        try:
            inside = _names(top + path)
        except FileNotFoundError:
            continue
        except OSError:
            yield entry._replace(state=UNREADABLE)
            continue
        yield entry
        yield from _walk(top, path, inside, exclude)


def _unseen(path: bytes) -> Entry:
    """What has a name in its directory, of which nothing else may be known."""
    kind = DIRECTORY if path.endswith(b"/") else OTHER
    return Entry(path, kind, 0, 0, 0, 0, 0, 0, 0, 0, b"", "", state=UNREADABLE)


def look(top: bytes, path: bytes) -> Entry:
    """What is at `path` below `top`, without its content. Raises `OSError`."""
    full = top + path.rstrip(b"/")
    facts = os.lstat(full)
    kind = _kind(facts.st_mode)
    return Entry(  # in order: by name it takes twice as long, for each of millions
        path,
        kind,
        facts.st_size if kind == FILE else 0,
        stat.S_IMODE(facts.st_mode),
        facts.st_uid,
        facts.st_gid,
        facts.st_mtime_ns,
        facts.st_ctime_ns,
        facts.st_ino,
        facts.st_ino if kind == FILE and facts.st_nlink > 1 else 0,
        os.readlink(full) if kind == LINK else b"",  # noqa: PTH115  (bytes)
        _xattrs(full),
    )


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return FILE
    if stat.S_ISDIR(mode):
        return DIRECTORY
    if stat.S_ISSOCK(mode):
        return SOCKET
    return LINK if stat.S_ISLNK(mode) else OTHER


def _xattrs(path: bytes) -> str:
    try:
        names = os.listxattr(path, follow_symlinks=False)
        if not names:
            return ""
        values = ((n, os.getxattr(path, n, follow_symlinks=False)) for n in sorted(names))
        return hashlib.sha256(repr(list(values)).encode()).hexdigest()
    except OSError:
        return ""
