"""Nights that go on while everything under them is killed; and what is true afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from opsd import app
from opsd.clock import now
from opsd.keeping import Word
from opsd.model import Outcome, Task
from opsd.policy import chain
from opsd.policy.slots import Fired
from opsd.tasks.prove import prove
from opsd.tasks.shelf import points_in
from tests.faults.child import gone, start_again
from tests.site import ROOT, SET, Site

_PATIENCE = 60.0
# What is killed, and how often in a hundred times.
VICTIMS = {"opsd": 55, "restic": 25, "database": 10, "throwaway": 10}
_LONGEST = 4.0


@dataclass
class CrashLoop:
    """A site, the process that does its nights, and whom it lost."""

    site: Site
    chance: Random
    killed: Counter[str] = field(default_factory=Counter)
    opsd: subprocess.Popen[bytes] | None = None

    def run(self, kills: int) -> None:
        """Kill so often, at random moments of nights that follow each other."""
        while self.killed.total() < kills:
            self._live()
            time.sleep(self.chance.uniform(0.0, _LONGEST))
            self._kill(self.chance.choices([*VICTIMS], [*VICTIMS.values()])[0])
        self._live()
        self._kill("opsd")

    def kill(self, victims: Sequence[str]) -> None:
        """Kill these, one after the other, each in the middle of what goes on."""
        for victim in victims:
            self._live()
            self._found_in_time("restic")
            time.sleep(self.chance.uniform(0.0, 0.5))
            self._kill(victim)
        self._live()
        self._kill("opsd")

    def _live(self) -> None:
        """Everything runs."""
        if not self.site.system.cluster.alive:
            self.site.system.stop()
            start_again(self.site)
        if self.opsd is None or self.opsd.poll() is not None:
            arguments = [sys.executable, "-m", "tests.faults.forever", str(self.site.config_file)]
            with (self.site.base / "log").open("ab") as log:
                self.opsd = subprocess.Popen(
                    arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, start_new_session=True
                )
            assert self.opsd.stdout is not None
            assert self.opsd.stdout.readline() == b"ready\n", (self.site.base / "log").read_text()

    def _kill(self, victim: str) -> None:
        """Kill one; where it does not run just now, opsd in its stead."""
        assert self.opsd is not None
        found = self._found_in_time(victim)
        if found is None:
            victim, found = "opsd", psutil.Process(self.opsd.pid)
        below = found.children(recursive=True) if victim == "opsd" else []
        # A throwaway server that opsd had just begun to start, the next sweep ends: see `truth`.
        family = [one for one in below if not _named(one, "postgres")]
        with suppress(psutil.NoSuchProcess):
            found.kill()
        self.killed[victim] += 1
        if victim == "opsd":
            self.opsd.wait(_PATIENCE)
            assert self.opsd.stdout is not None
            self.opsd.stdout.close()
            # A server that is told to end ends when it has its turn, on a busy machine too.
            assert any(gone(family) for _ in range(8)), "something outlived opsd"

    def _found_in_time(self, victim: str) -> psutil.Process | None:
        end = time.monotonic() + _LONGEST
        while (found := self._found(victim)) is None and time.monotonic() < end:
            time.sleep(0.01)
        return found

    def _found(self, victim: str) -> psutil.Process | None:
        assert self.opsd is not None
        if victim == "database":
            return psutil.Process(self.site.system.cluster.pid)
        with suppress(psutil.Error):
            opsd = psutil.Process(self.opsd.pid)
            name = {"restic": "restic", "throwaway": "postgres"}.get(victim)
            below = opsd.children(recursive=True) if name else [opsd]
            return next((one for one in below if name is None or _named(one, name)), None)
        return None


def _named(one: psutil.Process, name: str) -> bool:
    line = _line(one)
    return bool(line) and Path(line[0]).name == name


def _line(one: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return list(one.cmdline())
    return []


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true after the last crash."""

    slots: int
    begun: int
    cut_short: int
    acknowledged: int
    dropped: int
    proved: int
    wrong: tuple[str, ...]


def truth(site: Site, last: int = 1_000_000) -> Truth:
    """Do one more night, in which nothing dies; then prove every point there is, or the last."""
    with site.kit() as kit:
        if frozen := kit.store.freezes(SET):
            kit.store.thaw(frozen, Word(now(), "An", "looked at it"))
        night = app.night(kit, SET, now())
        wrong = [f"the last night was not good: {night}"] if not all(night.values()) else []
        fired = kit.store.fired(Task.BACKUP, SET)
        good = {run.id for run, outcome in fired if outcome is not None and outcome.good}
        dropped = {drop.point for drop in kit.store.dropped_from("main", SET)}
        known = {point.id: point for point in kit.store.points(SET)}
        there = {point.id for point in points_in(kit.restic("main"), SET)}
        wrong += [f"{run} was acknowledged and is gone" for run in good - dropped - set(known)]
        wrong += [f"{point} is not in the repository" for point in set(known) - there]
        wrong += [f"{run.id} was never closed" for run in kit.store.unclosed_runs()]
        scratch = str(site.base / "scratch")
        left = [p.pid for p in psutil.process_iter() if any(scratch in a for a in _line(p))]
        wrong += [f"process {pid} of a dead run lives on" for pid in left]
        if breach := chain.breach(kit.store.lines()):
            wrong.append(f"the audit chain is broken: {breach}")
        proved = 0
        for point in [point for point in known.values() if point.complete][:last]:
            outcome = prove(kit, SET, point.id).closing.outcome
            proved += outcome is Outcome.PASSED
            wrong += [f"{point.id}: {outcome}"] if outcome is not Outcome.PASSED else []
        outcomes = Counter(outcome for _, outcome in fired)
        return Truth(
            slots=len({run.slot for run, _ in fired}),
            begun=len(fired),
            cut_short=outcomes[Outcome.INTERRUPTED],
            acknowledged=len(good),
            dropped=len(dropped),
            proved=proved,
            wrong=(*wrong, *_twice(fired)),
        )


def _twice(fired: Fired) -> Iterator[str]:
    """Slots with more than one backup that came to its end."""
    ended = Counter(run.slot for run, out in fired if out not in {None, Outcome.INTERRUPTED})
    yield from (f"slot {slot} was done {times} times" for slot, times in ended.items() if times > 1)


@contextmanager
def crashing(site: Site, seed: int) -> Iterator[CrashLoop]:
    """A loop of crashes on a site, whose processes do not outlive it."""
    loop = CrashLoop(site, Random(seed))
    try:
        yield loop
    finally:
        if loop.opsd is not None and loop.opsd.poll() is None:
            os.killpg(loop.opsd.pid, signal.SIGKILL)
            loop.opsd.wait(_PATIENCE)
