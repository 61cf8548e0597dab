"""Files of a binary log, made event by event as a server writes them."""

from __future__ import annotations

import struct
import zlib

AT = 1_795_000_000
DESCRIPTION, ROTATE, STOP, QUERY = 15, 4, 3, 2
MAGIC = b"\xfebin"


def event(kind: int, begin: int, body: bytes = b"", when: int = AT) -> bytes:
    """An event as a server writes it, with its checksum."""
    body = body + b"\x01" if kind == DESCRIPTION else body
    length = 19 + len(body) + 4
    head = struct.pack("<IBIIIH", when, kind, 1, length, begin + length, 0)
    return head + body + zlib.crc32(head + body).to_bytes(4, "little")


def log(*events: tuple[int, bytes, int]) -> bytes:
    """A file with these events behind the one that each begins with."""
    content = MAGIC
    for kind, body, when in ((DESCRIPTION, b"x" * 60, AT), *events):
        content += event(kind, len(content), body, when)
    return content
