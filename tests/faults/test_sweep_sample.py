"""One failure of each kind at some door; all at every door: `tests/soak/test_fault_sweep.py`."""

from __future__ import annotations

import pytest

from opsd.model import Task
from tests.faults.injector import KINDS, Crossing, injecting
from tests.faults.sweep import Sweep, report
from tests.site import Site

# Of each task: the door and the beginning of what was asked, and how it fails.
SAMPLE: dict[Task, tuple[tuple[str, str, str], ...]] = {
    Task.BACKUP: (
        ("process", "restic backup", "exit 1"),
        ("process", "restic backup", "exit 3"),
        ("process", "restic snapshots", "exit 11"),
        ("process", "restic snapshots", "exit 12"),
        ("process", "pg_dump", "killed"),
        ("process", "restic backup", "truncated"),
        ("process", "restic snapshots", "garbled"),
        ("process", "pg_restore", "hang"),
        ("database", "connect", "gone"),
        ("database", "execute", "refused"),
        ("history", "INSERT", "ENOSPC"),
        ("history", "SELECT", "locked"),
        ("file", "open to write", "ENOSPC"),
        ("file", "scan", "EACCES"),
    ),
    Task.RETAIN: (("process", "restic forget", "exit 2"),),
}


@pytest.mark.parametrize("task", SAMPLE, ids=str)
def test_a_failure_of_each_kind_spoils_no_other_run(
    task: Task, ward: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward.changes["    rto: 4h\n"] = "    rto: 4h\n    retention: {min_age: 1s, min_points: 1}\n"
    with injecting(ward.base, monkeypatch) as injector:
        first = (Task.BACKUP,) if task is Task.RETAIN else ()
        sweep = Sweep(ward, injector, (task,), first)
        crossings = sweep.crossings()
        print(f"{len(crossings)} crossings of a {task}")
        for door, what, kind in SAMPLE[task]:
            sweep.strike((the_first(crossings, door, what), kind))
    print(report(sweep.after))
    assert len(sweep.after) == len(SAMPLE[task])
    assert not [str(one) for one in sweep.after if one.wrong]


def the_first(crossings: list[Crossing], door: str, what: str) -> Crossing:
    """The first crossing of its kind; one that is not there any more fails the test."""
    return next(one for one in crossings if one.door == door and one.what.startswith(what))


def test_the_sample_has_every_kind_of_every_door_but_the_bucket() -> None:
    taken = {(door, kind) for faults in SAMPLE.values() for door, _, kind in faults}
    every = {(door, kind) for door, kinds in KINDS.items() for kind in kinds if door != "s3"}
    # A program that cannot be started fails in one way, whatever the reason; the soak has both.
    assert every - taken == {("process", "ENOSPC"), ("process", "EACCES")}
