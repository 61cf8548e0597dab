"""Disks that are full before a run, and disks that fill while it goes on."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

import pytest

from opsd.model import Outcome, Severity, Task
from tests.faults.child import argv, in_a_mount_of_its_own, insist_on_mounts
from tests.faults.telling import all_is_well
from tests.site import ROOT, SET, Site

BACKUP, PROVE = Task.BACKUP, Task.PROVE


@dataclass(frozen=True)
class Full:
    """A row: which disk is how small, when it fills, and what must be told."""

    name: str
    disk: str
    size: str
    task: Task
    outcome: Outcome
    reason: str
    key: str
    fills_at: str = ""


FULLS = [
    Full(
        "a repository without room is told before anything is written",
        *("repository", "16m", BACKUP, Outcome.FAILED, "space", "space.too_little"),
    ),
    Full(
        "a repository that fills while it is written to",
        *("repository", "90m", BACKUP, Outcome.FAILED, "space", "repository.full"),
        fills_at="upload database",
    ),
    Full(
        "a repository that fills when the record is written",
        *("repository", "90m", BACKUP, Outcome.FAILED, "space", "repository.full"),
        fills_at="record",
    ),
    Full(
        "a repository that fills before the proof is written down",
        *("repository", "90m", PROVE, Outcome.COULD_NOT_VERIFY, "space", "repository.full"),
        fills_at="record",
    ),
    Full(
        "a scratch without room is told before anything is written",
        *("scratch", "2m", BACKUP, Outcome.FAILED, "space", "space.too_little"),
    ),
    Full(
        "a scratch without room for a proof",
        *("scratch", "64k", PROVE, Outcome.COULD_NOT_VERIFY, "space", "space.too_little"),
    ),
    Full(
        "a scratch that fills while the database is dumped",
        *("scratch", "40m", BACKUP, Outcome.FAILED, "scratch", "scratch.full"),
        fills_at="dump",
    ),
    Full(
        "a scratch that fills while the tree is surveyed",
        *("scratch", "40m", BACKUP, Outcome.FAILED, "scratch", "scratch.full"),
        fills_at="survey",
    ),
    Full(
        "a scratch that fills when the record is made",
        *("scratch", "40m", BACKUP, Outcome.FAILED, "scratch", "scratch.full"),
        fills_at="record",
    ),
    *(
        Full(
            f"a scratch that fills in mid-proof, at {phase}",
            *("scratch", "400m", PROVE, Outcome.COULD_NOT_VERIFY, "scratch", key),
            fills_at=phase,
        )
        for phase, key in (
            ("structure", "scratch.full"),
            ("fetch scans", "scratch.full"),
            ("compare scans", "scratch.full"),
            ("fetch database", "scratch.full"),
            ("load", "scratch.full"),
            ("record", "scratch.full"),
        )
    ),
]


@pytest.fixture(scope="module", autouse=True)
def mounts(tmp_path_factory: pytest.TempPathFactory) -> None:
    insist_on_mounts(tmp_path_factory.mktemp("disk"))


@pytest.mark.parametrize("full", FULLS, ids=lambda full: full.name)
def test_is_told_and_heals(full: Full, ward: Site) -> None:
    place = ward.base / full.disk
    place.mkdir(mode=0o711, exist_ok=True)
    fill = ("--fill", full.fills_at, str(place)) if full.fills_at else ()
    command = in_a_mount_of_its_own(full.size, place, argv(ward, full.task, *fill))
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    with ward.kit() as kit:
        found = kit.store.last_ended(full.task, SET)
        assert found is not None
        closing = found[1]
        told = {f.key for f in closing.findings if f.severity is Severity.FAULT}
        seen = f"{done.stdout}{done.stderr}{closing}"
        assert (closing.outcome, closing.reason) == (full.outcome, full.reason), seen
        assert full.key in told, seen
        if full.task is BACKUP:
            assert kit.store.points(SET)[0].id != closing.run


def test_room_again_is_enough(ward: Site) -> None:
    place = ward.base / "repository"
    fill = ("--fill", "upload scans", str(place))
    command = in_a_mount_of_its_own("90m", place, argv(ward, BACKUP, *fill))
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 1
    all_is_well(ward)
