"""A wish to end is heard in every phase, and is never recorded as anything but interrupted."""

from __future__ import annotations

import time

import pytest

from opsd import assembly
from opsd.config.load import load
from opsd.drivers.process import Stop
from opsd.errors import Cancelled
from opsd.model import Outcome, Task
from opsd.tasks.backup import back_up
from opsd.tasks.kit import Kit, Nobody
from opsd.tasks.prove import prove
from tests.site import SET, Site

BACKUP = ("preflight", "dump", "upload", "survey", "record")
PROVE = ("preflight", "structure", "read_back", "fetch", "compare", "load", "reconcile", "record")


class _StopsAt(Nobody):
    """A watcher that asks for the end when a phase begins."""

    def __init__(self, phase: str, stop: Stop) -> None:
        self._phase, self._stop = phase, stop
        self.asked: float | None = None

    def phase(self, name: str, subject: str = "") -> None:
        if name == self._phase and self.asked is None:
            self.asked = time.monotonic()
            self._stop.request()

    def advance(self, done: int, total: int) -> None:
        pass


def _stopping(site: Site, phase: str) -> tuple[Kit, _StopsAt]:
    stop = Stop()
    watcher = _StopsAt(phase, stop)
    return assembly.assemble(load(site.config_file), stop=stop, watcher=watcher), watcher


@pytest.mark.parametrize(
    ("task", "phase"), [*((Task.BACKUP, p) for p in BACKUP), *((Task.PROVE, p) for p in PROVE)]
)
def test_a_run_ends_soon_and_says_interrupted(site: Site, task: Task, phase: str) -> None:
    if task is Task.PROVE:
        with site.kit() as kit:
            back_up(kit, SET)
    kit, watcher = _stopping(site, phase)
    try:
        with pytest.raises(Cancelled):
            back_up(kit, SET) if task is Task.BACKUP else prove(kit, SET)
        assert watcher.asked is not None
        assert time.monotonic() - watcher.asked < 20
        ended = kit.store.last_run(task, SET)
        assert ended is not None
        assert ended[1] is not None
        assert ended[1].outcome is Outcome.INTERRUPTED
        assert not list(kit.config.scratch.glob("*"))
    finally:
        kit.store.close()
