"""A run from its opening to its closing: what it saw, how long each phase took, how it ended."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Lock

from opsd import errors
from opsd.clock import Stopwatch
from opsd.drivers import lock
from opsd.model import (
    Closing,
    Evidence,
    Finding,
    Outcome,
    Proof,
    ProofReached,
    Run,
    Severity,
    Task,
)
from opsd.tasks.kit import Kit, new_run_id, state_unusable

log = logging.getLogger(__name__)

# Not to be listed, but to be crossed: a proof's server has its own account and directory in it.
CROSSABLE = 0o711
_PATIENCE = timedelta(seconds=10)  # a sweep that just looked at our lease holds it for a moment


@dataclass(slots=True)
class Journal:
    """What a run writes down while it goes on."""

    kit: Kit
    run: Run
    watch: Stopwatch = field(default_factory=Stopwatch)
    findings: list[Finding] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    closing: Closing | None = None
    held: ExitStack = field(default_factory=ExitStack)  # until the run is over
    _adding: Lock = field(default_factory=Lock)

    def on(self, kit: Kit) -> Journal:
        """The same journal, for work of this run that goes on beside other work."""
        return replace(self, kit=kit)

    def workplace(self) -> Path:
        """Make this run's place in scratch; its lease tells every sweep that the run lives.

        Raises `ScratchFull` where scratch cannot take it.
        """
        place = self.kit.scratch(self.run.id)
        lease = self.kit.scratch_lease(self.run.id)
        try:
            place.parent.mkdir(parents=True, mode=CROSSABLE, exist_ok=True)
            self.held.enter_context(lock.lease(lease, self.run.id, wait=_PATIENCE))
            self.held.callback(_forget, lease)
            place.mkdir(mode=CROSSABLE)
        except OSError as error:
            raise scratch_failed(error) from error
        return place

    @contextmanager
    def phase(self, name: str, subject: str = "") -> Iterator[None]:
        """A named part of the run, timed; phases of one name add up, at the same time or not."""
        self.kit.watcher.phase(name, subject)
        watch = Stopwatch()
        try:
            yield
        finally:
            spent = watch.elapsed().total_seconds()
            with self._adding:
                self.phases[name] = self.phases.get(name, 0.0) + spent

    def evidence(self, kind: str, body: Mapping[str, object]) -> None:
        """Keep what was seen."""
        self.kit.store.add_evidence(Evidence(self.run.id, self.kit.clock(), kind, body))

    def find(self, severity: Severity, key: str, **fields: object) -> None:
        """Keep something noticed."""
        self.findings.append(Finding(severity, key, fields))

    def reach(self, point: str, level: Proof, outcome: Outcome = Outcome.PASSED) -> None:
        """Keep that a recovery point reached a level of proof, or failed to."""
        self.kit.store.add_proof(self.reached(point, level, outcome))

    def reached(self, point: str, level: Proof, outcome: Outcome = Outcome.PASSED) -> ProofReached:
        """That this run brought a point to a level, now."""
        return ProofReached(
            self.run.id, point, self.run.repository, self.kit.clock(), level, outcome
        )

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that spoil the run."""
        return tuple(f for f in self.findings if f.severity is Severity.FAULT)


@contextmanager
def opened(kit: Kit, task: Task, backup_set: str, repository: str) -> Iterator[Journal]:
    """Open a run, give its journal, and close it whatever happens but sudden death.

    The run's outcome is what `closing` says when it was set, else it follows from the exception
    that ends the run; the exception goes on to the caller.
    """
    at = kit.clock()
    host, pid = kit.config.host, os.getpid()
    run = Run(new_run_id(at), task, backup_set, repository, at, host, pid, kit.slot)
    with _alive(kit, run):
        kit.store.open_run(run)
        journal = Journal(kit, run)
        try:
            with journal.held:
                yield journal
        except BaseException as error:
            finding, outcome, reason = _verdict(error, task)
            log.error("run %s of %s ended: %s", run.id, backup_set, error)  # noqa: TRY400
            _close(journal, outcome, reason, (*journal.findings, finding))
            raise
        else:
            outcome = journal.closing.outcome if journal.closing else Outcome.SUCCEEDED
            reason = journal.closing.reason if journal.closing else ""
            _close(journal, outcome, reason, tuple(journal.findings))


@contextmanager
def _alive(kit: Kit, run: Run) -> Iterator[None]:
    """Hold the run's lease: whoever finds it free knows that the run is over or dead."""
    path = kit.run_lease(run.id)
    with ExitStack() as held:
        try:
            held.enter_context(lock.lease(path, run.id))
        except OSError as error:
            raise state_unusable(path.parent, error) from error
        held.callback(_forget, path)
        yield


def _forget(lease: Path) -> None:
    """Take a lease's name away. It is free once we let go of it, its name there or not."""
    with suppress(OSError):
        lease.unlink(missing_ok=True)


def end(journal: Journal, outcome: Outcome, reason: str = "") -> None:
    """Say how the run ends; it is written when the run is over."""
    journal.closing = Closing(
        journal.run.id, journal.kit.clock(), outcome, journal.watch.elapsed(), reason
    )


def _close(journal: Journal, outcome: Outcome, reason: str, findings: tuple[Finding, ...]) -> None:
    journal.evidence("phases", dict(journal.phases))
    journal.closing = Closing(
        run=journal.run.id,
        closed_at=journal.kit.clock(),
        outcome=outcome,
        elapsed=journal.watch.elapsed(),
        reason=reason,
        findings=findings,
    )
    journal.kit.store.close_run(journal.closing)


def scratch_failed(error: OSError) -> errors.ScratchFull:
    """What an `OSError` of our own writing means: scratch is where a run writes."""
    key = "scratch.full" if error.errno == errno.ENOSPC else "scratch.failed"
    return errors.ScratchFull(key, detail=str(error))


# What a proof could not even look at says nothing about the recovery point.
_BLIND = (
    errors.ToolFailed,
    errors.Refused,
    errors.ConfigError,
    errors.StorageFailed,
    errors.ScratchFull,
)


def _verdict(error: BaseException, task: Task) -> tuple[Finding, Outcome, str]:
    if not isinstance(error, errors.OpsdError):
        interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
        outcome = Outcome.INTERRUPTED if interrupted else Outcome.FAILED
        reason = "interrupted" if interrupted else "internal"
        finding = Finding(
            Severity.FAULT, "run.crashed", {"error": type(error).__name__}, str(error)
        )
        return finding, outcome, reason
    finding = error.finding(Severity.FAULT)
    return finding, outcome_of(error, task), error.reason


def outcome_of(error: errors.OpsdError, task: Task) -> Outcome:
    """How a run of `task` ended that was ended by `error`."""
    match error:
        case errors.Cancelled():
            return Outcome.INTERRUPTED
        case errors.TimedOut():
            return Outcome.TIMED_OUT
        case errors.RepositoryDamaged():
            return Outcome.FAILED
        case _ if task is Task.PROVE and isinstance(error, _BLIND):
            return Outcome.COULD_NOT_VERIFY
        case _:
            return Outcome.FAILED
