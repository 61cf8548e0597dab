"""The segment that is being written is kept piece by piece, as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsd.tasks.wal.shipping import Shipper
from opsd.wal import Segment
from tests.logs import alone, guarded, objects, sql, with_log
from tests.site import Site


def test_a_piece_has_no_hole_where_its_file_was_read_while_it_was_written(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(with_log(site)) as (_, log, _heard):
        sql(site, "CREATE TABLE one AS SELECT generate_series(1, 5000)")
    log = alone(site)
    (one,) = log.directories["one"].glob("*.partial")
    (two,) = log.directories["two"].glob("*.partial")
    two.unlink()
    for name, path in objects(site).items():
        if name.startswith(one.stem):
            path.unlink()
    # A file system copies page by page: an earlier one may be read before it is written, a later
    # one behind it. No page's header tells.
    content, read_bytes = one.read_bytes(), Path.read_bytes
    hole = len(content.rstrip(b"\0")) // 8192 * 8192 - 4096
    torn, reads = bytearray(content), []
    torn[hole : hole + 1000] = bytes(1000)

    def read(path: Path) -> bytes:
        reads.append(path)
        return bytes(torn) if path == one and reads.count(one) == 1 else read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    shipper = Shipper(log, "main")
    shipper.turn({})
    segment = Segment.of(one.stem)
    assert segment
    assert reads.count(one) > 0
    assert shipper.archive().read(segment) == content
