"""The manifest of a file tree: one line an entry, in one order, so that any two can be merged.

Format: JSON arrays, one a line, in the order of `Entry` below. Paths are relative to the root, in
the bytes of the file system (undecodable bytes as lone surrogates, PEP 383); a directory's ends in
a slash, which makes a walk in sorted order equal to the order of the bytes of the paths. Because of
that one order two trees of any size are compared in constant memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple, TypeVar

FILE, DIRECTORY, LINK, OTHER = "f", "d", "l", "o"

STABLE, CHANGED, VANISHED, APPEARED, UNREADABLE = (
    "",
    "changed",
    "vanished",
    "appeared",
    "unreadable",
)


class Entry(NamedTuple):
    """One file, directory or link.

    Times in nanoseconds; `links` is the inode number where a file has several names, else 0;
    `sha256` is of the content of a regular file; `xattrs` a digest of the extended attributes (ACLs
    among them), empty where there are none; `state` says what happened while it was being read.
    """

    path: bytes
    kind: str
    size: int
    mode: int
    uid: int
    gid: int
    mtime: int
    ctime: int
    inode: int
    links: int
    target: bytes
    xattrs: str
    sha256: str = ""
    state: str = STABLE

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """What must be equal for the content to count as the same without reading it.

        restic decides by the same four (size, mtime, ctime, inode), so opsd reuses a digest only
        where restic reuses its blobs: docs/adr/0003-hash-reuse.md.
        """
        return (self.kind, self.size, self.mtime, self.ctime, self.inode)

    @property
    def name(self) -> str:
        """The path for people, undecodable bytes escaped."""
        return self.path.decode(errors="backslashreplace")


class Named(NamedTuple):
    """A file as a row of a database names it; `code` is what people know the row's matter by."""

    path: bytes
    size: int | None
    sha256: str
    code: str = ""

    @property
    def name(self) -> str:
        """The path for people, behind the code where there is one."""
        path = self.path.decode(errors="backslashreplace")
        return f"{self.code}: {path}" if self.code else path


def encode(entry: Entry) -> str:
    """The line of `entry`, without its end: what `json.dumps` gives, at a third of the time."""
    path, kind, size, mode, uid, gid, mtime, ctime, inode, links, target, *rest = entry
    xattrs, sha256, state = rest
    return (
        f'[{_text(path)},"{kind}",{size},{mode},{uid},{gid},{mtime},{ctime},{inode},{links},'
        f'{_text(target)},"{xattrs}","{sha256}","{state}"]'
    )


def decode(line: str | bytes) -> Entry:
    """The entry of a line. Raises `ValueError` when it is none."""
    fields = json.loads(line)
    if not isinstance(fields, list) or len(fields) != len(Entry._fields):
        raise ValueError(f"no entry of a manifest: {line[:80]!r}")
    fields[0], fields[10] = _bytes(fields[0]), _bytes(fields[10])
    return Entry._make(fields)


def _text(name: bytes) -> str:
    return quoted(name.decode("utf-8", "surrogateescape"))


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


Left = TypeVar("Left")
Right = TypeVar("Right")


def merge(
    left: Iterable[Left],
    right: Iterable[Right],
    left_key: Callable[[Left], bytes],
    right_key: Callable[[Right], bytes],
) -> Iterator[tuple[Left | None, Right | None]]:
    """Join two streams that are sorted by their keys; what has no partner comes with None.

    Raises `ValueError` when a stream is out of order: a wrong join would be a wrong verdict.
    """
    lefts, rights = _sorted(left, left_key), _sorted(right, right_key)
    one, two = next(lefts, None), next(rights, None)
    while one is not None or two is not None:
        if two is None or (one is not None and one[0] < two[0]):
            assert one is not None  # noqa: S101  (narrowing: the loop's condition)
            yield one[1], None
            one = next(lefts, None)
        elif one is None or two[0] < one[0]:
            yield None, two[1]
            two = next(rights, None)
        else:
            yield one[1], two[1]
            one, two = next(lefts, None), next(rights, None)


Item = TypeVar("Item")


def _sorted(items: Iterable[Item], key: Callable[[Item], bytes]) -> Iterator[tuple[bytes, Item]]:
    last: bytes | None = None
    for item in items:
        value = key(item)
        if last is not None and value < last:
            raise ValueError(f"out of order: {value!r} after {last!r}")
        last = value
        yield value, item


def by_path(entry: Entry) -> bytes:
    """The key by which manifests are merged."""
    return entry.path
