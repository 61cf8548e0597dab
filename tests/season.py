"""A set of files with a clock of its own, for tests of what happens over many nights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsd import assembly
from opsd.clock import now
from opsd.config.load import load
from opsd.drivers import system
from opsd.keeping import Word
from opsd.model import Outcome, Proof, RecoveryPoint, Task
from opsd.tasks import holding
from opsd.tasks.backup import back_up
from opsd.tasks.journal import end, opened
from opsd.tasks.kit import PROOF_RECORD, TAG, Kit, tagged
from opsd.tasks.shelf import points_in
from tests.faults.telling import empty_repository
from tests.site import workplace

SET = "dossiers"
DAY = timedelta(days=1)
CONFIG = """\
language: en
timezone: {zone}
demo: true
host: test-host
state: {base}/state
scratch: {base}/scratch
repositories:
  main:
    url: {base}/repository
    password_file: {base}/password
    min_free: 1MiB
    lock_wait: 0s
    coverage: {{within: {within}, {pace}}}
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      scans: {{kind: files, path: {base}/scans}}
    retention: {retention}
"""
RULES = "{min_age: 5d, min_points: 2, daily: 7, weekly: 3, monthly: 2}"


@dataclass
class Season:
    """A set with a clock of its own, which begins now: restic's own times are never after it."""

    base: Path
    begin: datetime
    passed: timedelta = timedelta()

    def clock(self) -> datetime:
        return self.begin + self.passed

    @contextmanager
    def kit(
        self,
        rules: str = RULES,
        within: str = "30d",
        pace: str = "",
        zone: str = "Asia/Ho_Chi_Minh",
    ) -> Iterator[Kit]:
        path = self.base / "opsd.yaml"
        told = {"retention": rules, "within": within, "pace": pace or "time: 1h", "zone": zone}
        path.write_text(CONFIG.format(base=self.base, **told))
        kit = assembly.assemble(load(path), clock=self.clock)
        try:
            yield kit
        finally:
            kit.store.close()

    def night(self, kit: Kit, days: float = 1) -> RecoveryPoint:
        """Some days pass, something is scanned, and it is backed up."""
        self.passed += days * DAY
        name = f"{self.passed / DAY:.2f}.txt"
        (self.base / "scans" / name).write_text(name * 50)
        done = back_up(kit, SET)
        assert done.point is not None
        assert done.closing.outcome.good
        return done.point


@contextmanager
def begun() -> Iterator[Season]:
    """A set that was never backed up, and a clock that begins now."""
    with workplace() as base:
        (base / "scans").mkdir()
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        empty_repository(base / "repository")
        season = Season(base, now())
        with pytest.MonkeyPatch.context() as machine:  # the nights pass for all of its clocks
            machine.setattr(system, "boot", lambda: system.Boot("season", season.passed))
            yield season


def judged(kit: Kit, point: RecoveryPoint, outcome: Outcome = Outcome.PASSED) -> None:
    """What a proof would leave in the history, without restoring anything."""
    with opened(kit, Task.PROVE, SET, point.repository) as journal:
        level = Proof.RESTORED if outcome is Outcome.FAILED else Proof.PROVED
        if outcome is not Outcome.COULD_NOT_VERIFY:
            journal.reach(point.id, level, outcome)
        end(journal, outcome, "" if outcome.good else "integrity")


def word(kit: Kit) -> Word:
    return Word(kit.clock(), "An", "looked at it")


def insist(kit: Kit) -> None:
    """The repository holds what the history knows, with the proofs of it, and nothing else."""
    known = {point.id: point for point in kit.store.points(SET)}
    restic = kit.restic("main")
    assert {point.id for point in points_in(restic, SET)} == set(known)
    runs = {reached.run for name in known for reached in kit.store.proofs(name)}
    parts = [
        (tagged(s.tags, "part"), tagged(s.tags, "run"))
        for s in restic.snapshots(TAG, f"set:{SET}")
        if not tagged(s.tags, holding.HOLD)
    ]
    assert {run for part, run in parts if part == PROOF_RECORD} <= runs
    assert {run for part, run in parts if part != PROOF_RECORD} == set(known)
