"""A base copy as the server sends it, over the protocol by which its log is received.

From PostgreSQL 15 on. Sources: "Streaming Replication Protocol" (BASE_BACKUP, UPLOAD_MANIFEST) and
"Backup Manifest Format" in PostgreSQL's documentation; an archive is ustar (IEEE Std 1003.1-1988).
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from crc32c import crc32c
from psycopg.errors import Diagnostic
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from opsd.drivers.postgres.protocol import Denied, GoOn, answers, further, send, wait
from opsd.drivers.postgres.stream import Source
from opsd.errors import DatabaseFailed

SPACES = "pg_tblspc"  # below it lie the tablespaces, each by its number
_AT_ONCE = 1 << 16  # bytes of a manifest that is sent
_BLOCK = tarfile.BLOCKSIZE
_MODE = 0o777
_MOST_NOTICES = 1000
_NEVER_MISSING = {"backup_label", "global/pg_control"}
_COPY = (
    "BASE_BACKUP (LABEL 'opsd', CHECKPOINT 'fast', WAIT 0, MANIFEST 'yes',"
    " MANIFEST_CHECKSUMS 'CRC32C'{})"
)
_SENDS = ExecStatus.COPY_OUT
_ARCHIVE, _CONTENT, _PROGRESS, _END = b"n", b"d", b"p", b""
_ARCHIVE_NAME = re.compile(rb"(?:base|(\d+))\.tar\0")
_DAMAGED = b"XX001"  # data_corrupted (PostgreSQL's appendix A)
_PAGE = re.compile(r"checksum verification failed in file .*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A directory, or a file, which has a size; its path below the cluster's own directory."""

    path: str
    mode: int
    size: int | None = None


class Arriving:
    """Directories and files as they come, each after what it lies in; then there is a manifest.

    Of the file that came last `fill` gives the next bytes; each must be taken whole, since all is
    held against the manifest in the end. Both raise `DatabaseFailed`.
    """

    def __init__(self, server: PGconn, mode: int, go_on: GoOn) -> None:
        self.manifest = b""
        self._server, self._mode, self._go_on = server, mode, go_on
        self._seen: dict[str, tuple[int, str]] = {}
        self._path, self._sum = "", 0  # of the file that comes
        self._at_hand = memoryview(b"")  # of the archive, and not taken yet
        self._coming: tuple[bytes, memoryview] | None = None  # the message behind it

    def __iter__(self) -> Iterator[Entry]:
        kind, told = self._message()
        while kind != _END:
            if kind == _ARCHIVE:
                yield from self._archive(_space(told))
            else:
                self.manifest = self._rest()
            kind, told = self._next()
        _insist_as_told(self.manifest, self._seen)

    def fill(self, place: memoryview) -> None:
        """Put the next bytes of a file into a place."""
        if self._take(place) < len(place):
            raise _other(f"{self._path}: an archive is too short")
        self._sum = crc32c(place, self._sum)

    def _archive(self, space: str) -> Iterator[Entry]:
        """What an archive consists of, its directory first."""
        yield Entry(space, self._mode)
        head = bytearray(_BLOCK)
        while self._take(memoryview(head)) == _BLOCK:
            if any(head):  # the last ones are zeros
                yield from self._entry(space, head)

    def _entry(self, space: str, head: bytearray) -> Iterator[Entry]:
        try:
            told = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except tarfile.TarError as error:
            raise _other(str(error)) from error
        path = PurePosixPath(space, told.name)
        if told.name.startswith("/") or ".." in path.parts:
            raise _other(told.name)
        mode = told.mode & _MODE
        if told.isdir():
            yield Entry(str(path), mode)
        elif told.isreg() and told.size >= 0:
            self._path, self._sum = str(path), 0
            yield Entry(self._path, mode, told.size)
            self._seen[self._path] = told.size, self._sum.to_bytes(4, "little").hex()
            self._take(memoryview(bytearray(-told.size % _BLOCK)))
        elif not (told.issym() and path.parent.name == SPACES):
            raise _other(f"{told.name}: {told.type!r}")

    def _take(self, place: memoryview) -> int:
        """Fill a place from the archive; gives how many bytes there were."""
        filled = 0
        while filled < len(place) and (self._at_hand or self._more()):
            piece = self._at_hand[: len(place) - filled]
            place[filled : filled + len(piece)] = piece
            self._at_hand = self._at_hand[len(piece) :]
            filled += len(piece)
        return filled

    def _rest(self) -> bytes:
        found = bytearray(self._at_hand)
        while self._more():
            found += self._at_hand
        self._at_hand = memoryview(b"")
        return bytes(found)

    def _more(self) -> bool:
        """Let the next bytes be at hand; where there are none, the message behind them came."""
        if self._coming is None:
            kind, content = self._message()
            if kind == _CONTENT:
                self._at_hand = content
                return True
            self._coming = kind, content
        return False

    def _next(self) -> tuple[bytes, memoryview]:
        """The message behind an archive or the manifest."""
        while self._coming is None:
            self._more()
        coming, self._coming = self._coming, None
        return coming

    def _message(self) -> tuple[bytes, memoryview]:
        while True:
            size, content = self._server.get_copy_data(1)
            if size == 0:
                self._server.consume_input()  # often it has come already
                size, content = self._server.get_copy_data(1)
            if size < 0:
                for _ in further(self._server, self._go_on):
                    pass  # a server that cannot go on says so here
                return _END, memoryview(b"")
            if size == 0:
                wait(self._server, self._go_on)
            elif content[:1] != _PROGRESS:
                return bytes(content[:1]), memoryview(content)[1:]


@contextmanager
def arriving(source: Source, go_on: GoOn, onto: bytes | None = None) -> Iterator[Arriving]:
    """Let the server send a copy of the whole cluster, or of what changed since another one.

    That is told by its manifest, `onto`. The server verifies the checksums of pages while it reads.
    `go_on` is called while nothing comes, and raises what ends it. The copy is good when all of it
    was looked through without an error. Raises `DatabaseFailed`.
    """
    said: list[str] = []

    def hear(told: Diagnostic) -> None:
        if len(said) < _MOST_NOTICES:
            said.append(told.message_primary or "")

    with source.opened() as opened:
        opened.add_notice_handler(hear)
        server = opened.pgconn
        try:
            (shown,) = answers(server, "SHOW data_directory_mode", go_on)
            mode = int(shown.get_value(0, 0) or b"", 8)
            if onto is not None:
                _upload(server, onto, go_on)
            command = _COPY.format("" if onto is None else ", INCREMENTAL")
            if not any(one.status == _SENDS for one in answers(server, command, go_on)):
                raise _other("nothing came")
            yield Arriving(server, mode, go_on)
        except Denied as error:
            if error.code != _DAMAGED:
                raise
            pages = [one for one in said if _PAGE.search(one)] or said
            told = "\n".join(pages) or error.detail
            raise DatabaseFailed("base.page_damaged", count=len(pages), detail=told) from error


def _upload(server: PGconn, manifest: bytes, go_on: GoOn) -> None:
    for _ in answers(server, "UPLOAD_MANIFEST", go_on):
        for begin in range(0, len(manifest), _AT_ONCE):
            while not server.put_copy_data(manifest[begin : begin + _AT_ONCE]):
                send(server, go_on)
    while not server.put_copy_end():
        send(server, go_on)
    send(server, go_on)
    for _ in further(server, go_on):
        pass


def _space(told: memoryview) -> str:
    """Where an archive belongs, as its name says: the number of a tablespace, or `base`."""
    found = _ARCHIVE_NAME.match(told)
    if found is None:
        raise _other(repr(bytes(told)))
    return f"{SPACES}/{found[1].decode()}" if found[1] else ""


def _insist_as_told(manifest: bytes, seen: dict[str, tuple[int, str]]) -> None:
    """Raise `DatabaseFailed` unless what came is what the manifest says, each byte of it."""
    try:
        told = json.loads(manifest)
        files = {_path(one): (one["Size"], one["Checksum"]) for one in told["Files"]}
        body, _, _ = manifest.rstrip(b"\n").rpartition(b"\n")
        if hashlib.sha256(body + b"\n").hexdigest() != told["Manifest-Checksum"]:
            raise ValueError("Manifest-Checksum")
    except (ValueError, KeyError, TypeError) as error:
        raise DatabaseFailed("base.no_manifest", detail=str(error)) from error
    names = files.keys() | seen.keys() | _NEVER_MISSING
    wrong = sorted(n for n in names if n not in seen or files.get(n) != seen[n])
    if wrong:
        raise _other("\n".join(wrong[:20]))


def _path(entry: dict[str, str]) -> str:
    """A path of the manifest; one that is no UTF-8 is written in hexadecimal."""
    if "Path" in entry:
        return entry["Path"]
    return bytes.fromhex(entry["Encoded-Path"]).decode(errors="surrogateescape")


def _other(detail: str) -> DatabaseFailed:
    return DatabaseFailed("base.not_as_told", detail=detail)
