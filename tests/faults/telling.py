"""What opsd told about a run: to its history, and to the person who reads it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opsd import catalogue
from opsd.clock import Clock, now
from opsd.errors import OpsdError
from opsd.model import Closing, Finding, Outcome, Proof, Run, Severity, Task
from opsd.store import Store
from opsd.tasks.backup import back_up
from opsd.tasks.coverage import cover
from opsd.tasks.kit import Kit, Watcher
from opsd.tasks.prove import prove
from opsd.tasks.retain import retain
from tests.site import ROOT, SET, Site, workplace


class Ward(Protocol):
    """What is protected in a test."""

    @property
    def base(self) -> Path: ...
    @property
    def config_file(self) -> Path: ...
    def kit(self, clock: Clock = now) -> AbstractContextManager[Kit]: ...


WORK: dict[Task, Callable[[Kit, str], object]] = {
    Task.BACKUP: back_up,
    Task.PROVE: prove,
    Task.COVER: cover,
    Task.RETAIN: retain,
}


def copy_tree(source: Path, target: Path) -> None:
    """`cp -a`, cheaply where the disk can."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True, timeout=60)


def empty_repository(target: Path) -> None:
    """A repository that was just made, with a key that is cheap to derive."""
    shutil.copytree(ROOT / "tests" / "fixtures" / "repository", target)
    for kind in ("data", "index", "locks", "snapshots"):
        (target / kind).mkdir()


@contextmanager
def copied(safe: Site) -> Iterator[Site]:
    """A copy of a site that was backed up, but for its database."""
    with workplace() as base:
        for part in ("repository", "state"):
            copy_tree(safe.base / part, base / part)
        copy_tree(safe.system.scans, base / "scans")
        shutil.copy2(safe.base / "password", base / "password")
        yield Site(base, safe.system, {f"path: {safe.system.scans}": f"path: {base}/scans"})


@dataclass(frozen=True, slots=True)
class Told:
    """How a run ended, as the history has it and as a person reads it."""

    run: Run
    closing: Closing
    raised: OpsdError | None
    text: str

    @property
    def outcome(self) -> Outcome:
        return self.closing.outcome

    @property
    def keys(self) -> dict[str, Finding]:
        """What was found, by the key of its sentence; notes are not among it."""
        return {f.key: f for f in self.closing.findings if f.severity > Severity.NOTE}


def attempt(site: Ward, task: Task, *, clock: Clock = now, watcher: Watcher | None = None) -> Told:
    """Do a task and collect what was told, after checking what must hold of every run."""
    with site.kit(clock) as kit:
        before = kit.store.runs(task, SET)
        good = kit.store.last_run(task, SET, good=True)
        raised: OpsdError | None = None
        if watcher is not None:
            kit = Kit(kit.config, kit.store, kit.clock, kit.stop, watcher)  # noqa: PLW2901
        try:
            WORK[task](kit, SET)
        except OpsdError as error:
            raised = error
        told = _told(kit.store, task, {run.id for run, _ in before}, raised)
        if not told.outcome.good:
            assert kit.store.last_run(task, SET, good=True) == good, "the last good run moved"
            assert not _proved(kit.store, told.run), "a bad run proved something"
        return told


def _told(store: Store, task: Task, before: set[str], raised: OpsdError | None) -> Told:
    new = [(run, closing) for run, closing in store.runs(task, SET) if run.id not in before]
    assert len(new) == 1, (new, raised)
    run, closing = new[0]
    assert closing is not None, "a run that ended was not closed"
    assert bool(closing.reason) is not closing.outcome.good
    if raised is not None:
        assert not closing.outcome.good
        assert raised.key in {f.key for f in closing.findings}
    return Told(run, closing, raised, "\n".join(map(_read, closing.findings)))


def _read(found: Finding) -> str:
    """The sentence in both languages, filled: what a person reads."""
    return "\n".join(
        catalogue.sentence(language, found.key, found.fields, found.detail)
        for language in catalogue.Language
    )


def _proved(store: Store, run: Run) -> bool:
    return any(
        reached.run == run.id and reached.level is Proof.PROVED and reached.outcome.good
        for point in store.points(SET)
        for reached in store.proofs(point.id)
    )


def all_is_well(site: Ward) -> None:
    """The next night passes, and nothing was left."""
    for task in (Task.BACKUP, Task.PROVE):
        told = attempt(site, task)
        assert told.outcome.good, told.text
    nothing_left(site)


def nothing_left(site: Ward) -> None:
    """Scratch is empty, and nothing of a killed `restic check` lies elsewhere."""
    scratch = site.base / "scratch"
    assert not scratch.exists() or not list(scratch.iterdir())
    assert not list((site.base / "state").rglob("restic-check-cache-*"))
