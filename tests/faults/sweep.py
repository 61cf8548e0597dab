"""One night after another, each with one fault at one door; and the night after it, with none.

A whole night is begun where the part begins that is harmed: what was done before is done already,
as after a restart. Each begins from a copy of the same history and the same repository.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from opsd import app, catalogue
from opsd.clock import now
from opsd.demo.dataset import Scale
from opsd.demo.system import DossierSystem
from opsd.errors import OpsdError
from opsd.keeping import Cause, Word
from opsd.model import Outcome, Severity, Task
from opsd.tasks import backup
from opsd.tasks.kit import Kit
from opsd.tasks.proving import database
from opsd.tasks.shelf import points_in
from tests.faults.injector import Crossing, Halted, Injector, injecting, kinds_of
from tests.faults.telling import WORK, copy_tree, empty_repository
from tests.s3 import Server, in_bucket
from tests.site import SET, Site, workplace

TINY = Scale(dossiers=6, mean_scan_bytes=1024)
RETAINED = {"    rto: 4h\n": "    rto: 4h\n    retention: {min_age: 1s, min_points: 2}\n"}
# The parts of a night, and what `opsd.app` calls them.
PARTS = {
    Task.BACKUP: "back_up",
    Task.PROVE: "prove",
    Task.COVER: "cover",
    Task.RETAIN: "retain",
}
TASKS = tuple(PARTS)

# What a person must be able to read of each kind of fault, somewhere in what was told.
CAUSES = {
    "exit": ("it failed on purpose",),
    "killed": ("signal", "-9", "137", "killed", "died"),
    "hang": ("did not end", "took longer", "gave up", "waited", "timed", "within"),
    "ENOSPC": ("No space left", "disk is full"),
    "EACCES": ("Permission denied", "may not be read", "could not be read: "),
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
class Stages:
    """History and repository as they were when each part of one night began."""

    site: Site
    bucket: tuple[Server, str] | None = None  # where the repository is in one: below which prefix
    slot: datetime = field(default_factory=now)

    def keep(self, part: str) -> None:
        """Put a copy away."""
        for what, place in self._places(part):
            copy_tree(what, place)
        if self.bucket is not None:
            server, prefix = self.bucket
            server.copy(prefix, f"{prefix}-{part}")

    def back(self, part: str) -> None:
        """Begin again from there."""
        for what, place in self._places(part):
            shutil.rmtree(what)
            copy_tree(place, what)
        if self.bucket is not None:
            server, prefix = self.bucket
            for key in server.keys(prefix):
                server.remove(key)
            server.copy(f"{prefix}-{part}", prefix)

    def _places(self, part: str) -> Iterator[tuple[Path, Path]]:
        home = self.site.base / "stages" / part
        home.mkdir(parents=True, exist_ok=True)
        yield self.site.base / "state", home / "state"
        if self.bucket is None:
            yield self.site.repository, home / "repository"


@dataclass
class Sweep:
    """A site whose nights are harmed; or the runs of one task, where no whole night is wanted."""

    site: Site
    injector: Injector
    tasks: tuple[Task, ...] = TASKS
    first: tuple[Task, ...] = ()  # done before each, unharmed: so that there is something to do
    stages: Stages | None = None
    after: list[Aftermath] = field(default_factory=list)

    def points(self, part: Task) -> list[Fault]:
        """Every crossing of a part of a whole night, and every way in which it may fail."""
        for _ in range(4):  # until there is something to drop, and something dropped before
            self._night(None)
        self._keep()
        return [(one, kind) for one in self.crossings(part) for kind in kinds_of(one)]

    def crossings(self, part: str = "") -> list[Crossing]:
        """Every crossing of a part, counted while all goes well."""
        good, told, _ = self._night(None, self._begin(part))
        assert good, told
        return [one for one in self.injector.crossings if one.part == part]

    def strike(self, fault: Fault) -> Aftermath:
        """A night with a fault, and the next one without."""
        slot = self._begin(fault[0].part)
        dear = self._dear()
        good, told, tasks = self._night(fault, slot)
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

    def _keep(self) -> None:
        """Let a night go from part to part, and keep what is there before each."""
        assert self.stages is not None
        for part in TASKS:
            self.injector.halt_before = part
            with self.site.kit() as kit, suppress(Halted):
                app.night(kit, SET, self.stages.slot)
            self.stages.keep(part)
        self.injector.halt_before = ""

    def _begin(self, part: str) -> datetime:
        """The slot of the night that is to be harmed, with what was done of it before this part."""
        if self.stages is None or not part:
            return now()
        self.stages.back(part)
        return self.stages.slot

    def _night(
        self, fault: Fault | None, slot: datetime | None = None
    ) -> tuple[bool, str, dict[Task, bool]]:
        """Whether a night was good, what it told, and how its tasks ended."""
        raised, slot = "", slot or now()
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
        patch.setattr(database, "_NICENESS", 0)  # on a busy machine it would wait for ever
        patch.setattr(backup, "_AFTER_DATABASES", 0)
        for part, name in PARTS.items():
            patch.setattr(app, name, _announced(injector, part, getattr(app, name)))
        yield Sweep(site, injector, stages=Stages(site, (server, prefix) if server else None))


def _announced(injector: Injector, part: str, real: Callable[..., object]) -> Callable[..., object]:
    def begun(*arguments: object) -> object:
        injector.enter(part)
        return real(*arguments)

    return begun


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
