"""A failure at every call of a night that crosses a door, one at a time; and the night after it."""

import secrets

import pytest

from tests.faults.injector import KINDS
from tests.faults.sweep import Sweep, report, swept
from tests.s3 import Server

pytestmark = pytest.mark.xdist_group("s3")


def insist(sweep: Sweep, doors: set[str]) -> None:
    """Strike at every point behind these doors: none is left out, nothing is wrong after any."""
    points = [fault for fault in sweep.points() if fault[0].door in doors]
    print(f"{len(points)} points of injection")
    for fault in points:
        sweep.strike(fault)
    print(report(sweep.after))
    assert [one.fault for one in sweep.after] == points
    assert {fault[0].door for fault in points} == doors
    for door in doors:
        assert {kind for one, kind in points if one.door == door} == set(KINDS[door])
    assert not [str(one) for one in sweep.after if one.wrong]


def test_a_failure_at_every_door_of_a_night_spoils_no_other_night() -> None:
    with swept() as sweep:
        insist(sweep, {"process", "database", "history", "file"})


def test_a_failure_at_every_request_to_a_bucket_spoils_no_other_night(s3: Server) -> None:
    with swept(s3, f"swept-{secrets.token_hex(4)}") as sweep:
        insist(sweep, {"s3"})
