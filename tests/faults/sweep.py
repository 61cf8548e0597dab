"""One night after another, each with one fault at one door; and the night after it, with none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from opsd import app, catalogue
from opsd.clock import now
from opsd.demo.dataset import Scale
from opsd.demo.system import DossierSystem
from opsd.errors import OpsdError
from opsd.keeping import Cause, Word
from opsd.model import Outcome, Severity, Task
from opsd.tasks.kit import Kit
from opsd.tasks.shelf import points_in
from tests.faults.injector import Crossing, Injector, injecting, kinds_of
from tests.faults.telling import WORK, empty_repository
from tests.s3 import Server, in_bucket
from tests.site import SET, Site, workplace

TINY = Scale(dossiers=6, mean_scan_bytes=1024)
RETAINED = {"    rto: 4h\n": "    rto: 4h\n    retention: {min_age: 1s, min_points: 2}\n"}
TASKS = (Task.BACKUP, Task.PROVE, Task.COVER, Task.RETAIN)

# What a person must be able to read of each kind of fault, somewhere in what was told.
CAUSES = {
    "exit": ("it failed on purpose",),
    "killed": ("signal", "-9", "137", "killed", "died"),
    "hang": ("did not end", "took longer", "gave up", "waited", "timed", "within"),
    "ENOSPC": ("No space left", "disk is full"),
    "EACCES": ("Permission denied", "may not be read"),
    "gone": ("server closed the connection",),
    "refused": ("permission denied",),
    "locked": ("database is locked",),
    "500": ("500",),
    "403": ("403",),
    "cut": ("closed",),
}

Fault = tuple[Crossing, str]


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What came of a fault: whether it struck, what was told, and what is wrong with that."""

    fault: Fault
    struck: bool
    good: bool
    frozen: bool
    told: str
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        crossing, kind = self.fault
        return f"{kind} in {crossing}: {'; '.join(self.wrong)}\n    told: {self.told[:600]}"


@dataclass
class Sweep:
    """A site whose nights are harmed; or the runs of one task, where no whole night is wanted."""

    site: Site
    injector: Injector
    tasks: tuple[Task, ...] = TASKS
    first: tuple[Task, ...] = ()  # done before each, unharmed: so that there is something to do
    after: list[Aftermath] = field(default_factory=list)

    def points(self) -> list[Fault]:
        """Every crossing of a night, and every way in which it may fail."""
        for _ in range(4):  # until there is something to drop, and something dropped before
            self._night(None)
        return [(one, kind) for one in self.crossings() for kind in kinds_of(one)]

    def crossings(self) -> list[Crossing]:
        """Every crossing, counted while all goes well."""
        good, told, _ = self._night(None)
        assert good, told
        return list(self.injector.crossings)

    def strike(self, fault: Fault) -> Aftermath:
        """A night with a fault, and the next one without."""
        dear = self._dear()
        good, told, tasks = self._night(fault)
        struck, wrong = self.injector.struck, []
        if not struck:
            wrong.append("it was never reached")
        elif not good:
            wrong += self._untold(fault[1], told)
        again, said, done = self._night(None)
        frozen = self._thaw()
        waits = frozen and all(done.get(task) for task in self.tasks if task is not Task.RETAIN)
        if not again and not waits:
            wrong.append(f"the next night failed: {done} {said}")
        wrong += self._lost(dear)
        found = Aftermath(fault, struck, good, frozen, f"{tasks} {told}", tuple(wrong))
        self.after.append(found)
        return found

    # --- inside

    def _night(self, fault: Fault | None) -> tuple[bool, str, dict[Task, bool]]:
        """Whether a night was good, what it told, and how its tasks ended."""
        raised, slot = "", now()
        with self.site.kit() as kit:
            for task in self.first:
                WORK[task](kit, SET)
        with self.injector.night(fault):
            try:
                with self.site.kit() as kit:
                    self._work(kit, slot)
            except OpsdError as error:
                raised = f"{error} {error.detail}"
            except Exception as error:  # noqa: BLE001  (whatever it is, it is told)
                raised = f"CRASHED: {error!r}"
        with self.site.kit() as kit:
            told = [raised, *_findings(kit, slot)]
            ended = {task: kit.store.ended(task, SET, slot) for task in self.tasks}
            done = {task: end is not None and end[1].outcome.good for task, end in ended.items()}
        return all(done.get(task) for task in self.tasks), " | ".join(filter(None, told)), done

    def _work(self, kit: Kit, slot: datetime) -> None:
        if self.tasks == TASKS:
            app.night(kit, SET, slot)
            return
        for task in self.tasks:
            WORK[task](replace(kit, slot=slot), SET)

    def _untold(self, kind: str, told: str) -> Iterator[str]:
        if "CRASHED" in told or "opsd met an internal error" in told:
            yield "it was told as a mistake of opsd"
        causes = CAUSES.get(kind.partition(" ")[0], ())
        if causes and not any(cause in told for cause in causes):
            yield "its cause was not told"
        if not told:
            yield "nothing was told"

    def _thaw(self) -> bool:
        """Whether a proof that failed froze retention: a person is to look at it, and does.

        Nothing else may: backups and proofs go on without anybody.
        """
        with self.site.kit() as kit:
            frozen = kit.store.freezes(SET)
            if frozen:
                kit.store.thaw(frozen, Word(now(), "An", "looked at it"))
        return bool(frozen) and {one.cause for one in frozen} == {Cause.PROOF}

    def _dear(self) -> set[str]:
        """The points that are proved, and counted on."""
        with self.site.kit() as kit:
            return {point.id for point in kit.store.points(SET) if _proved(kit, point.id)}

    def _lost(self, dear: set[str]) -> Iterator[str]:
        """What is wrong with repository and history after the next night."""
        with self.site.kit() as kit:
            known = {point.id for point in kit.store.points(SET)}
            dropped = {drop.point for drop in kit.store.dropped_from("main", SET)}
            there = {point.id for point in points_in(kit.restic("main"), SET)}
            if gone := dear - known - dropped:
                yield f"proved points were lost: {gone}"
            if known - there:
                yield f"points are not in the repository: {known - there}"
            if not any(_proved(kit, point) for point in known):
                yield "no point is proved"
            if open_ := kit.store.unclosed_runs():
                yield f"runs were never closed: {[run.id for run in open_]}"
        if left := [path.name for path in (self.site.base / "scratch").glob("*")]:
            yield f"scratch holds {left}"


def _findings(kit: Kit, slot: datetime) -> Iterator[str]:
    for task in TASKS:
        for run, closing in kit.store.runs(task, SET)[:4]:
            if run.slot != slot:
                continue
            if closing is None:
                yield f"{task} was never closed"
            elif not closing.outcome.good:
                yield f"{task} {closing.outcome} {closing.reason}"
            for found in closing.findings if closing else ():
                if found.severity > Severity.NOTE:
                    yield catalogue.sentence(
                        catalogue.Language.EN, found.key, found.fields, found.detail
                    )


def _proved(kit: Kit, point: str) -> bool:
    return any(
        reached.level.word == "proved" and reached.outcome is Outcome.PASSED
        for reached in kit.store.proofs(point)
    )


@contextmanager
def tiny(changes: Mapping[str, str]) -> Iterator[Site]:
    """A site of its own, tiny and real."""
    with workplace() as base:
        system = DossierSystem(base / "system", TINY)
        system.create()
        system.start()
        password = base / "password"
        password.write_text("only for tests\n")
        password.chmod(0o600)
        empty_repository(base / "repository")
        try:
            yield Site(base, system, dict(changes))
        finally:
            system.stop()


@contextmanager
def swept(server: Server | None = None, prefix: str = "") -> Iterator[Sweep]:
    """A tiny site, in a bucket or not, with every door watched."""
    with (
        tiny(RETAINED) as site,
        pytest.MonkeyPatch.context() as patch,
        injecting(site.base, patch) as injector,
    ):
        if server is not None:
            server.upload(site.repository, prefix)
            in_bucket(site, server, prefix)
        yield Sweep(site, injector)


def report(after: Sequence[Aftermath]) -> str:
    """What was swept, in figures; and what was wrong, one by one."""
    doors = Counter(one.fault[0].door for one in after)
    kinds = Counter(one.fault[1] for one in after)
    harmless = [one for one in after if one.good and one.struck]
    spoiled = sum(one.struck and not one.good for one in after)
    lines = [
        f"{len(after)} faults: {dict(doors)} {dict(kinds)}",
        f"struck {sum(one.struck for one in after)}, spoiled a night {spoiled}",
        f"harmless {len(harmless)}, froze retention {sum(one.frozen for one in after)}",
        f"wrong {sum(bool(one.wrong) for one in after)}",
        *(f"WRONG {one}" for one in after if one.wrong),
        *(f"harmless: {one.fault[1]} in {one.fault[0]}" for one in harmless),
    ]
    return "\n".join(lines)
