"""`kill -9` at any moment: what died is told, nothing lives on, and the next night passes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from opsd.drivers import process
from opsd.model import Outcome, Task
from opsd.tasks.kit import Nobody
from opsd.tasks.prove import prove
from tests import cheap
from tests.faults.child import child, gone, start_again
from tests.faults.telling import all_is_well, attempt, nothing_left
from tests.logs import until
from tests.meanwhile import meanwhile
from tests.site import ROOT, SET, Site

BACKUP, PROVE = Task.BACKUP, Task.PROVE
# (phase, how many times it was announced, seconds to wait then)
Moment = tuple[str, int, float]

SWEEPS: dict[str, tuple[Task, tuple[Moment, ...]]] = {
    "a backup, before anything is stored": (
        BACKUP,
        (("preflight", 1, 0.0), ("preflight", 1, 0.1), ("dump", 1, 0.0), ("dump", 1, 0.05)),
    ),
    "a backup, while it stores": (
        BACKUP,
        (
            ("upload database", 1, 0.03),
            ("survey", 1, 0.0),
            ("upload scans", 1, 0.05),
            ("survey", 2, 0.0),
        ),
    ),
    "a backup, while it is closed": (
        BACKUP,
        (("record", 1, 0.0), ("record", 1, 0.03), ("record", 1, 0.06), ("record", 1, 0.09)),
    ),
    "a proof, before it restores": (
        PROVE,
        (("preflight", 1, 0.0), ("structure", 1, 0.1), ("read_back", 1, 0.0)),
    ),
    "a proof, while it restores": (
        PROVE,
        (("fetch scans", 1, 0.05), ("fetch database", 1, 0.02), ("load", 1, 0.2), ("load", 2, 0.1)),
    ),
    "a proof, while it compares": (
        PROVE,
        (("compare database", 1, 0.1), ("reconcile", 1, 0.0), ("record", 1, 0.05)),
    ),
}


@pytest.mark.parametrize("sweep", SWEEPS, ids=str)
def test_opsd_killed_at_any_moment(sweep: str, ward: Site) -> None:
    task, moments = SWEEPS[sweep]
    for phase, times, seconds in moments:
        with child(ward, task) as opsd:
            opsd.until(phase, times)
            time.sleep(seconds)  # not to wait for something: to be somewhere in the middle
            family = opsd.kill()
        assert gone(family), f"something outlived opsd, killed at {phase}"
    all_is_well(ward)
    settled(ward, task, len(moments))


def settled(site: Site, task: Task, kills: int) -> None:
    """Every dead run is told as interrupted, and every complete point is what it claims."""
    with site.kit() as kit:
        assert not kit.store.unclosed_runs()
        runs = kit.store.runs(task, SET)
        ended = [closing.outcome for _, closing in runs if closing]
        dead = [r for r, c in runs if c and c.outcome is Outcome.INTERRUPTED]
        # One that was killed in its very last instants may have been closed already.
        assert kills - 1 <= len(dead) <= kills, ended
        for run in dead:
            wiped = kit.store.evidence(run.id, "wiped")
            assert wiped is None or wiped["after_crash"] is True
        for point in kit.store.points(SET)[:kills]:
            if point.complete and point.id in {run.id for run in dead}:
                assert prove(kit, SET, point.id).closing.outcome is Outcome.PASSED
    nothing_left(site)


def test_what_a_dead_proof_restored_is_wiped_and_told(ward: Site) -> None:
    with child(ward, PROVE) as opsd:
        opsd.until("compare database")
        family = opsd.kill()
    assert gone(family)
    left = [path for path in (ward.base / "scratch").iterdir() if path.is_dir()]
    assert len(left) == 1
    told = attempt(ward, BACKUP)
    assert told.outcome.good
    nothing_left(ward)
    with ward.kit() as kit:
        wiped = kit.store.evidence(left[0].name, "wiped")
        assert wiped is not None
        assert wiped["after_crash"] is True
        assert wiped["files"] > 100
        found = {r.id: c for r, c in kit.store.runs(PROVE, SET)}[left[0].name]
        assert found is not None
        assert (found.outcome, found.reason) == (Outcome.INTERRUPTED, "interrupted")
        assert [f.key for f in found.findings] == ["run.died"]


def test_a_check_that_will_not_hear_that_it_shall_end_dies_with_opsd(tmp_path: Path) -> None:
    """Restic 0.18's may wait for itself for ever once it was asked to end: one in 1,500 did."""
    deaf = tmp_path / "restic"
    deaf.write_text(f"#!/bin/sh\ntrap '' TERM\ntouch {tmp_path}/checks\nexec sleep 600\n")
    deaf.chmod(0o755)
    script = (
        "import sys; from pathlib import Path; from datetime import timedelta;"
        "from opsd.drivers.restic import Limits, Restic; here = Path(sys.argv[1]);"
        "door = Restic('main', '/nowhere', here, here, program=str(here / 'restic'));"
        "door.check(limits=Limits(timedelta(hours=1)))"
    )
    with subprocess.Popen((sys.executable, "-c", script, str(tmp_path)), cwd=ROOT) as opsd:
        until((tmp_path / "checks").exists)
        family = psutil.Process(opsd.pid).children(recursive=True)
        opsd.kill()
    assert family
    assert gone(family)


# --- its children


@contextmanager
def assassin(program: str, *words: str) -> Iterator[None]:
    """Kill the first `program` below us whose command line has all `words`, as soon as it works."""
    struck: list[int] = []

    def hunt(over: threading.Event) -> None:
        me = psutil.Process()
        while not over.is_set() and not struck:
            for found in me.children(recursive=True):
                try:
                    line = found.cmdline()
                    if line and Path(line[0]).name == program and set(words) <= set(line):
                        found.kill()
                        struck.append(found.pid)
                        return
                except psutil.Error:
                    continue
            over.wait(0.001)

    with meanwhile(hunt):
        yield
    assert struck, f"{program} was never seen"


@dataclass(frozen=True)
class Death:
    """A row: which program dies in which task, and what must be told."""

    name: str
    program: str
    words: tuple[str, ...]
    task: Task
    outcome: Outcome
    key: str


DEATHS = [
    Death(
        "restic while it stores",
        *("restic", ("backup",), BACKUP, Outcome.FAILED, "restic.failed"),
    ),
    Death(
        "restic while it checks",
        *("restic", ("check",), PROVE, Outcome.COULD_NOT_VERIFY, "restic.failed"),
    ),
    Death(
        "restic while it restores",
        *("restic", ("restore",), PROVE, Outcome.COULD_NOT_VERIFY, "restic.failed"),
    ),
    Death("pg_dump", "pg_dump", (), BACKUP, Outcome.PARTIAL, "pgtools.killed"),
    Death(
        "pg_restore",
        *("pg_restore", (), PROVE, Outcome.COULD_NOT_VERIFY, "pgtools.killed"),
    ),
    Death("initdb", "initdb", (), PROVE, Outcome.COULD_NOT_VERIFY, "cluster.failed"),
]


@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.name)
def test_a_program_killed_in_mid_run(
    death: Death, ward: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with assassin(death.program, *death.words), monkeypatch.context() as patch:
        patch.setattr(process, "_start", cheap.real_start)  # initdb itself is wanted
        told = attempt(ward, death.task)
    assert told.outcome is death.outcome, told.text
    assert death.key in told.keys, told.text
    nothing_left(ward)
    all_is_well(ward)


class At(Nobody):
    """A watcher that acts when a phase begins, once."""

    def __init__(self, moment: str, act: Callable[[], None]) -> None:
        self._moment, self._act = moment, act

    def phase(self, name: str, subject: str = "") -> None:
        if self._moment and f"{name} {subject}".startswith(self._moment):
            self._moment = ""
            self._act()

    def advance(self, done: int, total: int) -> None:
        """Nothing."""


@pytest.mark.parametrize("phase", ["compare database", "reconcile"])
def test_the_throwaway_postgres_killed_in_mid_proof(phase: str, ward: Site) -> None:
    def kill() -> None:
        (found,) = (ward.base / "scratch").glob("*/database.cluster/cluster/postmaster.pid")
        os.kill(int(found.read_text().split()[0]), signal.SIGKILL)

    told = attempt(ward, PROVE, watcher=At(phase, kill))
    assert (told.outcome, told.closing.reason) == (Outcome.COULD_NOT_VERIFY, "tool"), told.text
    assert "proof.server_died" in told.keys
    nothing_left(ward)
    all_is_well(ward)


def test_the_source_killed_in_mid_dump(own: Site) -> None:
    pid = own.system.cluster.pid
    told = attempt(own, BACKUP, watcher=At("dump", lambda: os.kill(pid, signal.SIGKILL)))
    assert (told.outcome, told.closing.reason) == (Outcome.PARTIAL, "source"), told.text
    with own.kit() as kit:
        point = kit.store.points(SET)[0]
        assert not point.complete
        assert [member.member for member in point.members] == ["scans"]
    own.system.stop()
    told = attempt(own, BACKUP)
    assert (told.outcome, told.closing.reason) == (Outcome.PARTIAL, "source"), told.text
    assert "database.unreachable" in told.keys
    start_again(own)
    all_is_well(own)
