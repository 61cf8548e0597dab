"""Fills the database and the shelf of scans: scans first, their rows after, as an office does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TextIO

from opsd.demo import schema
from opsd.demo.dataset import Agency, Bundle, Dossier, Office, Procedure, Receipt, Step
from opsd.demo.psql import field
from opsd.demo.scans import Shelf, Written

_BATCH_BYTES = 16 << 20
_BATCH_LARGEST = 2_000
_ATTACHMENT = ("dossier_id", "path", "size", "sha256", "media_type", "uploaded_at")

Row = Iterable[object]


def history(stream: TextIO, office: Office, shelf: Shelf) -> None:
    """Write the schema and everything that happened before the first day."""
    stream.write(schema.TABLES)
    copy(stream, "agency", Agency._fields, office.agencies(), frozen=True)
    copy(stream, "procedure", Procedure._fields, office.procedures(), frozen=True)
    bundles = office.history()
    while batch := tuple(islice(bundles, _batch(office.scale.receipt_bytes))):
        dossiers(stream, shelf, batch, frozen=True)
    stream.write(schema.CONSTRAINTS)
    stream.write("RESET ROLE;\nANALYZE;\n")


def dossiers(
    stream: TextIO, shelf: Shelf, bundles: Sequence[Bundle], *, frozen: bool = False
) -> None:
    """Put the scans of some dossiers on the shelf, then write their rows."""
    written = [shelf.put(paper) for bundle in bundles for paper in bundle.papers]
    steps = (step for bundle in bundles for step in bundle.steps)
    copy(stream, "dossier", Dossier._fields, (b.dossier for b in bundles), frozen=frozen)
    copy(stream, "progress_step", Step._fields, steps, frozen=frozen)
    attachments(stream, written, frozen=frozen)
    copy(stream, "signed_receipt", Receipt._fields, (b.receipt for b in bundles), frozen=frozen)


def attachments(stream: TextIO, written: Iterable[Written], *, frozen: bool = False) -> None:
    """Write the rows of scans that are on the shelf already."""
    copy(stream, "attachment", _ATTACHMENT, map(_attachment, written), frozen=frozen)


def copy(
    stream: TextIO, table: str, columns: Sequence[str], rows: Iterable[Row], *, frozen: bool = False
) -> None:
    """Write one COPY. `frozen` rows need no later rewriting; only for tables made just now."""
    options = " WITH (FREEZE)" if frozen else ""
    stream.write(f"COPY {table} ({', '.join(columns)}) FROM STDIN{options};\n")
    stream.writelines(_lines(rows))
    stream.write("\\.\n")


def clock(at: datetime) -> str:
    """SQL that sets the office's own clock for the rest of the transaction."""
    return f"SELECT set_config('office.now', '{at.isoformat()}', true);\n"


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield "\t".join(map(field, row)) + "\n"


def _attachment(written: Written) -> Row:
    paper = written.paper
    return (
        paper.dossier_id,
        paper.path,
        written.size,
        written.sha256,
        paper.media_type,
        paper.uploaded_at,
    )


def _batch(receipt_bytes: int) -> int:
    """How many dossiers to hold in memory at once."""
    return max(1, min(_BATCH_LARGEST, _BATCH_BYTES // (receipt_bytes + 1)))
