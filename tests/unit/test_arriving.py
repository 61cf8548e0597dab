"""What a server sends as a base copy is taken for one only when it is what its manifest says."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence

import pytest
from crc32c import crc32c
from psycopg.pq import ExecStatus

from opsd.drivers.postgres.arriving import Arriving, Entry
from opsd.errors import DatabaseFailed

Message = bytes
FILES = {
    "backup_label": b"START WAL\n",
    "base/1/1259": b"x" * 8192,
    "base/1/1260": b"",
    "global/pg_control": b"c",
}


class Server:
    """The connection while it sends: these messages, and what it says behind them."""

    socket = -1

    def __init__(self, messages: Sequence[Message], error: str = "") -> None:
        self._messages, self._error = list(messages), error

    def get_copy_data(self, _: int) -> tuple[int, memoryview]:
        """The next message."""
        if not self._messages:
            return -1, memoryview(b"")
        message = self._messages.pop(0)
        return len(message), memoryview(message)

    def consume_input(self) -> None:
        """All came already."""

    def is_busy(self) -> bool:
        """It has said what it says."""
        return False

    def get_result(self) -> Result | None:
        """What went wrong, once."""
        error, self._error = self._error, ""
        return Result(error) if error else None


class Result:
    """An error."""

    status = ExecStatus.FATAL_ERROR

    def __init__(self, said: str) -> None:
        self.error_message = said.encode()

    def error_field(self, _: object) -> bytes:
        """Its code."""
        return b"XX000"


def archive(files: Mapping[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar archive as PostgreSQL sends it."""
    told = io.BytesIO()
    with tarfile.open(fileobj=told, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for name, content in files.items():
            one = tarfile.TarInfo(name)
            one.type, one.size = kind, len(content)
            made.addfile(one, io.BytesIO(content))
    return told.getvalue()


def manifest(files: Mapping[str, bytes]) -> bytes:
    """What the server says of these files."""
    told = [
        {"Path": name, "Size": len(content), "Checksum": sum_of(content)}
        for name, content in files.items()
    ]
    body = b'{ "Files": ' + json.dumps(told).encode() + b",\n"
    return body + f'"Manifest-Checksum": "{hashlib.sha256(body).hexdigest()}"}}\n'.encode()


def sum_of(content: bytes) -> str:
    """CRC-32C as a manifest writes it."""
    return crc32c(content).to_bytes(4, "little").hex()


def sent(name: bytes, content: bytes, at_once: int = 1000) -> list[Message]:
    """An archive in messages that end anywhere."""
    parts = [content[at : at + at_once] for at in range(0, len(content), at_once)]
    return [b"n" + name + b"\0\0", b"p" + bytes(8), *(b"d" + part for part in parts)]


def told_of(files: Mapping[str, bytes]) -> list[Message]:
    """The manifest in messages."""
    content = manifest(files)
    return [b"m", *(b"d" + content[at : at + 77] for at in range(0, len(content), 77))]


def come(messages: Sequence[Message], error: str = "") -> tuple[list[Entry], dict[str, bytes]]:
    """Take all of it."""
    coming = Arriving(Server(messages, error), 0o750, lambda: None)  # type: ignore[arg-type]
    entries, files = [], {}
    for entry in coming:
        entries.append(entry)
        if entry.size is not None:
            content = bytearray(entry.size)
            half = entry.size // 2
            coming.fill(memoryview(content)[:half])
            coming.fill(memoryview(content)[half:])
            files[entry.path] = bytes(content)
    return entries, files


@pytest.mark.parametrize("at_once", [1, 511, 512, 513, 1 << 20])
def test_files_come_as_they_were_sent_however_they_are_cut(at_once: int) -> None:
    more = {"PG_15_202209061/5/16400": b"y" * 700}
    spaces = {f"pg_tblspc/16390/{name}": content for name, content in more.items()}
    messages = [
        *sent(b"16390.tar", archive(more), at_once),
        *sent(b"base.tar", archive(FILES), at_once),
        *told_of({**FILES, **spaces}),
    ]
    entries, files = come(messages)
    assert files == {**FILES, **spaces}
    directories = [entry for entry in entries if entry.size is None]
    assert directories == [Entry("pg_tblspc/16390", 0o750), Entry("", 0o750)]


def altered(content: bytes) -> bytes:
    """One bit of a page is another."""
    at = content.index(b"x" * 100) + 50
    return content[:at] + b"y" + content[at + 1 :]


WRONG: Mapping[str, tuple[Callable[[], list[Message]], str]] = {
    "another bit": (
        lambda: [*sent(b"base.tar", altered(archive(FILES))), *told_of(FILES)],
        "base/1/1259",
    ),
    "a file less": (
        lambda: [*sent(b"base.tar", archive({"backup_label": b"l"})), *told_of(FILES)],
        "base/1/1260",
    ),
    "a file more": (
        lambda: [*sent(b"base.tar", archive({**FILES, "more": b"m"})), *told_of(FILES)],
        "more",
    ),
    "no manifest": (lambda: sent(b"base.tar", archive(FILES)), ""),
    "another manifest": (
        lambda: [
            *sent(b"base.tar", archive(FILES)),
            b"m",
            b"d" + manifest(FILES).replace(b"8192", b"8193"),
        ],
        "Manifest-Checksum",
    ),
    "the end of an archive is missing": (
        lambda: [*sent(b"base.tar", archive(FILES)[:2500]), *told_of(FILES)],
        "too short",
    ),
    "a heading is cut": (
        lambda: [*sent(b"base.tar", archive(FILES)[:1500]), *told_of(FILES)],
        "base/1/1259",
    ),
    "no archive": (lambda: [*sent(b"base.tar", b"z" * 1024), *told_of(FILES)], "invalid header"),
    "an archive of no tablespace": (lambda: sent(b"../base.tar", archive(FILES)), "../base.tar"),
    "a path that leads out": (
        lambda: [*sent(b"base.tar", archive({"../../etc/cron.d/x": b"x"}))],
        "../../etc/cron.d/x",
    ),
    "a path from the root": (lambda: [*sent(b"base.tar", archive({"/etc/x": b"x"}))], "/etc/x"),
    "a link to anywhere": (
        lambda: [*sent(b"base.tar", archive({"base": b""}, tarfile.SYMTYPE))],
        "base",
    ),
    "a device": (lambda: [*sent(b"base.tar", archive({"base/1": b""}, tarfile.CHRTYPE))], "base/1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_as_the_manifest_says_is_no_copy(what: str) -> None:
    messages, named = WRONG[what]
    with pytest.raises(DatabaseFailed) as told:
        come(messages())
    assert told.value.key in {"base.not_as_told", "base.no_manifest"}
    assert named in told.value.detail


def test_what_the_server_says_behind_it_goes_before_what_is_missing() -> None:
    with pytest.raises(DatabaseFailed, match="out of memory"):
        come(sent(b"base.tar", archive(FILES)[:2500]), "FATAL: out of memory")
