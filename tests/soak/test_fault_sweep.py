"""A failure at every call of a night that crosses a door, one at a time; and the night after it.

Each part of the night is a test of its own, so that what was mended can be swept again by itself.
"""

from __future__ import annotations

import secrets

import pytest

from opsd.model import Task
from tests.faults.injector import kinds_of
from tests.faults.sweep import PARTS, Sweep, report, swept
from tests.s3 import Server

pytestmark = pytest.mark.xdist_group("s3")

# The doors that each part of a night on this machine goes through.
DOORS = {
    Task.BACKUP: {"process", "database", "history", "file"},
    Task.PROVE: {"process", "database", "history", "file"},
    Task.COVER: {"history", "file"},
    Task.RETAIN: {"process", "history", "file"},
}


def insist(sweep: Sweep, part: Task, doors: set[str]) -> None:
    """Strike at every point behind these doors: none is left out, nothing is wrong after any."""
    points = [fault for fault in sweep.points(part) if fault[0].door in doors]
    print(f"{part}: {len(points)} points of injection")
    for fault in points:
        after = sweep.strike(fault)
        print(f"{fault[1]} in {fault[0]}: {'WRONG' if after.wrong else 'well'}", flush=True)
    print(report(sweep.after))
    assert [one.fault for one in sweep.after] == points
    assert {crossing.door for crossing, _ in points} == doors
    for crossing in {crossing for crossing, _ in points}:
        assert {kind for one, kind in points if one == crossing} == set(kinds_of(crossing))
    assert not [str(one) for one in sweep.after if one.wrong]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_a_failure_at_every_door_of_a_night_spoils_no_other_night(part: Task) -> None:
    with swept() as sweep:
        insist(sweep, part, DOORS[part])


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_a_failure_at_every_request_to_a_bucket_spoils_no_other_night(
    part: Task, s3: Server
) -> None:
    with swept(s3, f"swept-{secrets.token_hex(4)}") as sweep:
        insist(sweep, part, {"s3"})
