"""What a throwaway cluster may take of the machine: of its processor, its disks, its memory."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import psycopg
import pytest

from opsd.drivers.cluster import THROWAWAY, Cluster, newest
from opsd.model import Outcome, Task
from opsd.policy import preflight
from opsd.tasks.kit import Nobody
from tests.faults.telling import all_is_well, attempt, nothing_left
from tests.site import Site, workplace

GROUPS = Path("/proc/self/autogroup")  # absent where the kernel does not group sessions


def test_it_comes_after_others_each_process_and_all_together() -> None:
    with workplace() as base:
        server = Cluster(base / "cluster", newest(), THROWAWAY, niceness=10)
        server.create()
        server.start()
        try:
            first = psutil.Process(server.pid)
            for process in (first, *first.children()):
                assert process.nice() == min(19, os.nice(0) + 10)
                assert process.ionice() == (psutil.IOPRIO_CLASS_BE, 7)
            if GROUPS.exists():
                together = Path(f"/proc/{server.pid}/autogroup").read_text()
                assert together.split()[-1] == "10"
                assert together != GROUPS.read_text()
            with psycopg.connect(server.connection()) as connection:
                rows = connection.execute("SELECT name, source FROM pg_settings").fetchall()
            said = {name for name, source in rows if source == "command line"}
            assert set(THROWAWAY) <= said
        finally:
            server.stop()


class _Shrinks(Nobody):
    """A disk that gets short of room when a phase begins."""

    def __init__(self, phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._phase, self._monkeypatch = phase, monkeypatch

    def phase(self, name: str, subject: str = "") -> None:
        if f"{name} {subject}" == self._phase:
            self._monkeypatch.setattr(preflight, "spare_room", lambda _: 1 << 62)


@pytest.mark.parametrize("phase", ["compare scans", "load database"])
def test_a_proof_ends_before_the_disk_of_scratch_is_full(
    phase: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert attempt(site, Task.BACKUP).outcome.good
    with monkeypatch.context() as short:
        told = attempt(site, Task.PROVE, watcher=_Shrinks(phase, short))
    assert (told.outcome, told.closing.reason) == (Outcome.COULD_NOT_VERIFY, "scratch"), told.text
    assert "ended before the disk was full" in told.keys["scratch.full"].detail
    nothing_left(site)
    all_is_well(site)
