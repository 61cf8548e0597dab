"""Scans: small valid PDF and PNG files, mostly incompressible like real ones, the same by seed.

The pixels are noise in full bytes; a `Decode` array (PDF) and a palette (PNG) turn them into the
pale grain of paper, so that a file is hard to compress and still looks like a scan.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import struct
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opsd.demo.dataset import Paper, chance

_A4_RATIO = 1.414
_ENVELOPE_BYTES = 1_200  # about what a file holds beside its pixels
_SMALLEST = 256  # pixels
_PAGE = (595, 842)  # points
_PALETTE = bytes(
    tone for index in range(256) for tone in (196 + index // 5, 194 + index // 5, 184 + index // 5)
)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the paper, its size in bytes and its SHA-256 in hexadecimal."""

    paper: Paper
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where scans are kept: `root`; they are completed in `workplace`, on the same disk."""

    root: Path
    workplace: Path
    seed: int

    def put(self, paper: Paper) -> Written:
        """Write one scan below the root; it appears there whole or not at all."""
        content = render(paper, chance(self.seed, "scan", paper.path))
        target = self.root / paper.path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = self.workplace / target.name
        part.write_bytes(content)
        os.replace(part, target)  # noqa: PTH105  (one call for each of many thousand files)
        return Written(paper, len(content), hashlib.sha256(content).hexdigest())


def render(paper: Paper, draw: random.Random) -> bytes:
    """The bytes of the scan."""
    pixels = max(_SMALLEST, paper.target_bytes - _ENVELOPE_BYTES)
    width = math.isqrt(int(pixels / _A4_RATIO))
    height = pixels // width
    noise = draw.randbytes(width * height)
    make = png if paper.media_type == "image/png" else pdf
    return make(paper.title, width, height, noise)


def png(title: str, width: int, height: int, noise: bytes) -> bytes:
    """A PNG with a palette; the pixels are stored, for noise cannot be made smaller."""
    rows = b"".join(
        b"\0" + noise[start : start + width] for start in range(0, width * height, width)
    )
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", _PALETTE),
            _chunk(b"iTXt", b"Title\0\0\0vi\0\0" + title.encode()),
            _chunk(b"IDAT", zlib.compress(rows, 0)),
            _chunk(b"IEND", b""),
        )
    )


def pdf(title: str, width: int, height: int, noise: bytes) -> bytes:
    """A PDF of one A4 page: the picture of paper with the title and lines of "text" on it."""
    page = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {_PAGE[0]} {_PAGE[1]}]/Contents 5 0 R"
        "/Resources<</Font<</F1 4 0 R>>/XObject<</Im1 6 0 R>>>>>>"
    )
    image = (
        f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray"
        "/BitsPerComponent 8/Decode[0.76 1]"
    )
    return _assemble(
        (
            b"<</Type/Catalog/Pages 2 0 R/Lang(vi-VN)>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            page.encode(),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
            _stream("", _drawing(title)),
            _stream(image, noise),
            b"<</Title<FEFF%s>>>" % title.encode("utf-16-be").hex().encode(),
        )
    )


def _drawing(title: str) -> bytes:
    """What is drawn on the page; the built-in font knows no Vietnamese marks."""
    bars = "".join(
        f"70 {y} {300 + y * 37 % 155} 5 re f\n" for y in range(180, 640, 22) if y % 5 != 0
    )
    return (
        f"q {_PAGE[0]} 0 0 {_PAGE[1]} 0 0 cm /Im1 Do Q\n"
        "BT /F1 15 Tf 70 740 Td (BAN QUET MAU - KHONG CO GIA TRI) Tj ET\n"
        f"BT /F1 10 Tf 70 715 Td ({_without_marks(title)}) Tj ET\n"
        f"0.35 g\n{bars}"
    ).encode()


def _without_marks(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return plain.encode("ascii", "ignore").decode().translate({40: None, 41: None, 92: None})


def _stream(dictionary: str, content: bytes) -> bytes:
    head = f"<<{dictionary}/Length {len(content)}>>stream\n".encode()
    return head + content + b"\nendstream"


def _assemble(objects: Sequence[bytes]) -> bytes:
    """Number the objects and add the table that says where each one begins."""
    parts = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"]
    offsets, position = [], len(parts[0])
    for number, content in enumerate(objects, 1):
        part = b"%d 0 obj\n%s\nendobj\n" % (number, content)
        offsets.append(position)
        position += len(part)
        parts.append(part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table))
    trailer = b"trailer\n<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    parts.append(trailer % (size, len(objects), position))
    return b"".join(parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
