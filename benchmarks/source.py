"""What is backed up: the demo's dossier system, measured before anybody touches it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opsd.demo.dataset import Scale
from opsd.demo.psql import ask
from opsd.demo.system import DossierSystem

# 10,000 dossiers with two scans each; the receipts make up the database.
SCALES = {
    "full": Scale(dossiers=10_000, mean_scan_bytes=107_000, receipt_bytes=100_000),
    "medium": Scale(dossiers=2_500, mean_scan_bytes=107_000, receipt_bytes=100_000),
    "small": Scale(dossiers=1_000, receipt_bytes=8_192),
    "tiny": Scale(dossiers=60, mean_scan_bytes=4_096),
}
_CHUNK = 1 << 20
_SIZES = """
SELECT pg_database_size(current_database()),
    (SELECT count(*) FROM dossier) + (SELECT count(*) FROM progress_step)
    + (SELECT count(*) FROM attachment) + (SELECT count(*) FROM signed_receipt)
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the source is."""

    files: int
    files_bytes: int
    database_bytes: int
    rows: int


@contextmanager
def running(directory: Path, scale: str) -> Iterator[DossierSystem]:
    """The dossier system of a scale, running; removed at the end."""
    system = DossierSystem(directory, SCALES[scale])
    system.create()
    system.start()
    try:
        settle(system)
        yield system
    finally:
        system.remove()


def settle(system: DossierSystem) -> None:
    """Do the database's housekeeping now, so that it falls on no tool's time."""
    ask(system.connection, "VACUUM ANALYZE;")
    ask(system.connection, "CHECKPOINT;")


def sizes(system: DossierSystem) -> Sizes:
    """Count what there is."""
    found = [path.stat().st_size for path in files_below(system.scans)]
    size, rows = ask(system.connection, _SIZES)[0]
    return Sizes(len(found), sum(found), int(size), int(rows))


def warm(*directories: Path) -> None:
    """Read everything once, so that each tool finds the same in the page cache."""
    buffer = bytearray(_CHUNK)
    for directory in directories:
        for path in files_below(directory):
            with path.open("rb", buffering=0) as stream:
                while stream.readinto(buffer):
                    pass


def files_below(directory: Path) -> Iterator[Path]:
    """All files below a directory."""
    for parent, _, names in os.walk(directory):
        yield from (Path(parent) / name for name in names)
