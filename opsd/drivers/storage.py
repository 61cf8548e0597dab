"""The objects of a repository as its storage holds them, without restic and without the password.

Each object of `data`, `index`, `snapshots` and `keys` is named by the SHA-256 of its content
(restic's design document, "Repository Format"), so hashing it proves that the storage gives back
what was written, at five times the speed of decrypting it.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from opsd.errors import SpaceExhausted, StorageFailed

# Below it lies what is opsd's own: restic looks only into its own directories.
OWN = "opsd-objects"
KINDS = ("data", "index", "snapshots", "keys")
LOCKS = "locks"
is_name = re.compile(r"[0-9a-f]{64}").fullmatch  # restic passes over any other
# What a restic that was killed was writing: no object yet, and nobody ever reads it.
_unfinished = re.compile(r"[0-9a-f]{64}-tmp-\d+").fullmatch


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object: its kind, its name (the digest it must have) and its size in bytes."""

    kind: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class OwnObject:
    """One object of opsd's own: its name below `OWN`, its size, and when it was written."""

    name: str
    size: int
    at: datetime


class Storage(Protocol):
    """What can be asked of a repository's storage."""

    def reach(self) -> None:
        """Raise at once when the storage does not answer: restic tries for a quarter of an hour."""
        ...

    def objects(self) -> Iterator[StoredObject]:
        """All objects of the four kinds."""
        ...

    def locks(self) -> tuple[str, ...]:
        """The names of the locks that lie there, of living and of dead processes."""
        ...

    def digest(self, stored: StoredObject) -> str:
        """Read an object whole and give its SHA-256. Raises `OSError` when it cannot be read."""
        ...

    def fetch(self, stored: StoredObject, target: Path) -> Path:
        """Copy an object into a storage below `target` and give its path there."""
        ...

    def own(self, below: str) -> Iterator[OwnObject]:
        """The objects of opsd's own whose names begin with `below` and a slash."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Write an object of opsd's own, whole or not at all. Raises `StorageFailed`."""
        ...

    def put_new(self, name: str, content: bytes) -> None:
        """The same, where nothing is under that name yet. Raises `FileExistsError`."""
        ...

    def get(self, name: str) -> bytes:
        """Read an object of opsd's own. Raises `FileNotFoundError` when it is not there."""
        ...

    def remove(self, name: str) -> None:
        """Remove an object of opsd's own, if it is there. Raises `StorageFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """A repository in a directory of this machine."""

    root: Path

    def reach(self) -> None:
        """Nothing: a directory answers at once when it is read."""

    def objects(self) -> Iterator[StoredObject]:
        """All objects of the four kinds. Raises `StorageFailed` when some cannot be seen."""
        for kind in KINDS:
            for directory, _, names in os.walk(self.root / kind, onerror=_tell):
                for name in itertools.filterfalse(_unfinished, names):
                    size = (Path(directory) / name).stat().st_size
                    yield StoredObject(kind, name, size)

    def locks(self) -> tuple[str, ...]:
        """The names of the locks that lie there. Raises `StorageFailed` when nobody can see."""
        try:
            names = [path.name for path in (self.root / LOCKS).iterdir()]
        except OSError as error:
            _tell(error)
            return ()
        return tuple(filter(is_name, names))

    def digest(self, stored: StoredObject) -> str:
        """Read an object whole and give its SHA-256."""
        with self.path(stored).open("rb", buffering=0) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def fetch(self, stored: StoredObject, target: Path) -> Path:
        """Copy an object into a storage below `target` and give its path there."""
        copy = LocalStorage(target).path(stored)
        copy.parent.mkdir(parents=True)
        with _readable(self.path(stored)) as source, copy.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        return copy

    def own(self, below: str) -> Iterator[OwnObject]:
        """The objects of opsd's own whose names begin with `below` and a slash."""
        for directory, _, names in os.walk(self.root / OWN / below, onerror=_tell):
            for name in names:
                path = Path(directory) / name
                try:
                    state = path.stat()
                except FileNotFoundError:  # removed meanwhile
                    continue
                if not name.startswith("."):
                    at = datetime.fromtimestamp(state.st_mtime, UTC)
                    inside = path.relative_to(self.root / OWN)
                    yield OwnObject(inside.as_posix(), state.st_size, at)

    def put(self, name: str, content: bytes) -> None:
        """Write an object of opsd's own, safe on the disk under its name or not at all."""
        self._put(name, content, Path.replace)

    def put_new(self, name: str, content: bytes) -> None:
        """Write an object of opsd's own where there is none; of several who try one succeeds."""
        self._put(name, content, lambda part, path: path.hardlink_to(part))

    def _put(self, name: str, content: bytes, take: Callable[[Path, Path], object]) -> None:
        path = self.root / OWN / name
        try:
            _make(path.parent)
            part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
            try:
                with part.open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                take(part, path)
            finally:  # whatever went wrong: nobody would ever see what is left, or remove it
                with suppress(OSError):
                    part.unlink(missing_ok=True)
            _settle(path.parent)
        except FileExistsError:
            raise
        except OSError as error:
            full = error.errno == errno.ENOSPC
            kind = SpaceExhausted if full else StorageFailed
            raise kind("storage.put_failed", path=path, detail=str(error)) from error

    def get(self, name: str) -> bytes:
        """Read an object of opsd's own."""
        return (self.root / OWN / name).read_bytes()

    def remove(self, name: str) -> None:
        """Remove an object of opsd's own."""
        path = self.root / OWN / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageFailed("storage.remove_failed", path=path, detail=str(error)) from error

    def path(self, stored: StoredObject) -> Path:
        """Where an object lies."""
        below = Path(stored.kind)
        if stored.kind == "data":
            below /= stored.name[:2]
        return self.root / below / stored.name


@contextmanager
def _readable(path: Path) -> Iterator[BinaryIO]:
    """A file of a repository: when it may not be read, that is not told of what it is copied to."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise StorageFailed("repository.unreadable", path=path, detail=str(error)) from error
    with stream:
        yield stream


def _tell(error: OSError) -> None:
    """A directory that is not there holds nothing; of one that cannot be read nobody knows."""
    if not isinstance(error, FileNotFoundError):
        raise StorageFailed(
            "repository.unreadable", path=error.filename, detail=str(error)
        ) from error


def _make(directory: Path) -> None:
    """Make a directory, and those above it, each with its name safe on the disk."""
    new = [one for one in (directory, *directory.parents) if not one.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for one in new:
        _settle(one.parent)


def _settle(directory: Path) -> None:
    """Make a new name safe on the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
