"""Scans: files that any viewer opens, hard to compress, and the same by seed."""

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from opsd.demo.dataset import ZONE, Paper, chance
from opsd.demo.scans import Shelf, render

TITLE = "Giấy tờ mẫu số 1 (đơn) của hồ sơ H99.MAU-20261101-000123"
KINDS = {"application/pdf": "pdf", "image/png": "png"}
SIZES = [0, 3_000, 24_000, 100_000]


def paper(kind: str, size: int = 24_000) -> Paper:
    path = f"2026/11/01/H99.MAU-20261101-000123/1.{KINDS[kind]}"
    return Paper(123, path, kind, datetime(2026, 11, 1, 8, tzinfo=ZONE), size, TITLE)


def scan(kind: str, size: int = 24_000, seed: int = 1) -> bytes:
    return render(paper(kind, size), chance(seed))


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, each with its checksum verified."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    position = 8
    while position < len(content):
        (length,) = struct.unpack_from(">I", content, position)
        kind = content[position + 4 : position + 8]
        body = content[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, position + 8 + length)
        assert checksum == zlib.crc32(kind + body)
        yield kind, body
        position += 12 + length


def objects(content: bytes) -> dict[int, bytes]:
    """The objects of a PDF, found by its own table of offsets."""
    start = re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", content)
    assert start is not None
    table = content[int(start[1]) :]
    head = re.match(rb"xref\n0 (\d+)\n", table)
    assert head is not None
    rows = [table[head.end() + 20 * n : head.end() + 20 * (n + 1)] for n in range(int(head[1]))]
    assert rows[0] == b"0000000000 65535 f \n"
    found = {}
    for number, row in enumerate(rows[1:], 1):
        assert re.fullmatch(rb"\d{10} 00000 n \n", row)
        body = content[int(row[:10]) :]
        assert body.startswith(b"%d 0 obj\n" % number)
        found[number] = body[: body.index(b"\nendobj\n")]
    return found


@pytest.mark.parametrize("size", SIZES)
def test_a_png_reads_back(size: int) -> None:
    found = dict(chunks(scan("image/png", size)))
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert (depth, colour, rest) == (8, 3, [0, 0, 0])
    assert len(found[b"PLTE"]) == 3 * 256
    rows = zlib.decompress(found[b"IDAT"])
    assert len(rows) == height * (width + 1)
    assert set(rows[:: width + 1]) == {0}
    assert found[b"iTXt"].endswith(TITLE.encode())
    assert found[b"IEND"] == b""


@pytest.mark.parametrize("size", SIZES)
def test_a_pdf_reads_back(size: int) -> None:
    content = scan("application/pdf", size)
    assert content.startswith(b"%PDF-1.4\n")
    found = objects(content)
    assert b"/Root 1 0 R/Info 7 0 R" in content[-200:]
    assert b"/Type/Catalog" in found[1]
    assert b"/Kids[3 0 R]" in found[2]
    image = re.search(rb"/Width (\d+)/Height (\d+).*/Length (\d+)>>stream\n", found[6])
    assert image is not None
    width, height, length = map(int, image.groups())
    assert width * height == length == len(found[6]) - image.end() - len(b"\nendstream")
    assert TITLE.encode("utf-16-be").hex().encode() in found[7]


@pytest.mark.parametrize("kind", KINDS)
def test_a_scan_has_the_wanted_size_and_cannot_be_compressed(kind: str) -> None:
    content = scan(kind, 100_000)
    assert len(content) == pytest.approx(100_000, rel=0.02)
    assert len(zlib.compress(content, 9)) > 0.95 * len(content)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_scan(kind: str) -> None:
    assert scan(kind) == scan(kind)
    assert scan(kind) != scan(kind, seed=2)


def test_a_scan_is_put_whole_with_its_size_and_hash(tmp_path: Path) -> None:
    root, workplace = tmp_path / "scans", tmp_path / "work"
    workplace.mkdir()
    written = Shelf(root, workplace, 1).put(paper("application/pdf"))
    content = (root / written.paper.path).read_bytes()
    assert (written.size, written.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert not list(workplace.iterdir())
