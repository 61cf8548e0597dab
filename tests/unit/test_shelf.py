"""What snapshots say of recovery points by their tags alone."""

from __future__ import annotations

from datetime import UTC, datetime

from opsd.drivers.restic import Snapshot
from opsd.tasks.shelf import points_of

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)


def stored(part: str, *more: str) -> Snapshot:
    tags = {"opsd", "set:dossiers", "run:r1", f"part:{part}", *more}
    return Snapshot(part * 4, AT, "srv", "", (f"/{part}",), frozenset(tags), 1, 1, 1)


SCANS = stored("scans", "kind:files")
UNBELIEVED = stored("database", "kind:postgres")  # restic stored it, and died before it said so


def record(*holds: str) -> Snapshot:
    held = (f"holds:{name}" for name in holds)
    return stored("record", f"at:{AT.isoformat()}", "complete:no", *held)


def test_a_snapshot_that_the_record_does_not_name_is_no_member() -> None:
    (point,) = points_of("main", (SCANS, UNBELIEVED, record("scans")))
    assert [member.member for member in point.members] == ["scans"]
    assert not point.complete


def test_a_record_of_an_older_version_names_none_and_takes_all() -> None:
    (point,) = points_of("main", (SCANS, UNBELIEVED, record()))
    assert [member.member for member in point.members] == ["database", "scans"]
