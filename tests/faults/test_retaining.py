"""`kill -9` while points are dropped: nothing dear is lost, and the next night goes on."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from opsd.model import Outcome, Task
from opsd.tasks.prove import prove
from opsd.tasks.shelf import points_in
from tests.faults.child import child, gone
from tests.faults.telling import all_is_well, attempt, nothing_left
from tests.site import SET, Site

BACKUP, RETAIN = Task.BACKUP, Task.RETAIN

# (phase, seconds to wait then)
SWEEPS: dict[str, tuple[tuple[str, float], ...]] = {
    "while it looks and records": (("preflight", 0.0), ("forget", 0.0), ("forget", 0.1)),
    "while snapshots go": (("forget", 0.2), ("forget", 0.4), ("forget", 0.7)),
    "while space is given back": (("prune", 0.0), ("prune", 0.2), ("structure", 0.0)),
}


_SUBREAPER = 36  # prctl(2)


@pytest.fixture
def reaper() -> Iterator[None]:
    """Orphans become our children, so that we can reap them, as an init does."""
    prctl = ctypes.CDLL(None).prctl
    assert prctl(_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    prctl(_SUBREAPER, 0, 0, 0, 0)


@pytest.mark.usefixtures("reaper")
@pytest.mark.parametrize("sweep", SWEEPS)
def test_retention_killed_at_any_moment(sweep: str, ward: Site) -> None:
    ward.changes["    rto: 4h\n"] = "    rto: 4h\n    retention: {min_age: 1s, min_points: 1}\n"
    deaths = 0
    for phase, seconds in SWEEPS[sweep]:
        assert attempt(ward, BACKUP).outcome.good  # there is something to drop each time
        with child(ward, RETAIN) as opsd:
            opsd.until(phase)
            time.sleep(seconds)  # not to wait for something: to be somewhere in the middle
            try:
                family = opsd.kill()
            except psutil.NoSuchProcess:  # a fast machine was done by then
                continue
        deaths += 1
        assert gone(family), f"something outlived opsd, killed at {phase}"
        for orphan in family:
            with suppress(ChildProcessError):
                os.waitpid(orphan.pid, 0)
    assert deaths
    all_is_well(ward)
    told = attempt(ward, RETAIN)
    assert told.outcome.good, told.text
    nothing_left(ward)
    with ward.kit() as kit:
        assert not kit.store.unclosed_runs()
        outcomes = {closing.outcome for _, closing in kit.store.runs(RETAIN, SET) if closing}
        assert outcomes <= {Outcome.SUCCEEDED, Outcome.INTERRUPTED}
        known = {point.id for point in kit.store.points(SET)}
        assert {point.id for point in points_in(kit.restic("main"), SET)} == known
        assert len(known) == 1
        assert kit.store.pruned_up_to("main") == kit.store.last_drop("main") >= 2
        for point in known:
            assert prove(kit, SET, point).closing.outcome is Outcome.PASSED
