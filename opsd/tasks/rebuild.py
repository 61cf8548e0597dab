"""Rebuild a lost history from the records that travel inside the repositories."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opsd import record
from opsd.drivers.restic import Restic, Snapshot
from opsd.errors import Cancelled, OpsdError, Refused, TimedOut
from opsd.keeping import Cause
from opsd.model import (
    Closing,
    Evidence,
    Finding,
    Outcome,
    Proof,
    ProofReached,
    RecoveryPoint,
    Run,
    Severity,
    Task,
)
from opsd.policy.retention import Obstacle
from opsd.store import OPSD
from opsd.tasks import holding
from opsd.tasks.audit import heads_of
from opsd.tasks.journal import Journal, end, opened
from opsd.tasks.keeping import freeze
from opsd.tasks.kit import PROOF_RECORD, TAG, Kit, tagged
from opsd.tasks.prove import PROOF_FILE
from opsd.tasks.shelf import points_of, read_record


@dataclass(slots=True)
class Rebuilt:
    """What came back that the history did not know, and what could not be read."""

    points: int = 0
    proofs: int = 0
    findings: list[Finding] = field(default_factory=list)


def rebuild(kit: Kit) -> Rebuilt:
    """Add to the history what the repositories know and it does not. Nothing is changed in them.

    What cannot be read is named, and the rest comes back. Raises what stood against the first
    repository where none could be looked at.
    """
    done, against = Rebuilt(), list[OpsdError]()
    for name in kit.config.repositories:
        try:
            _rebuild(kit, name, done)
        except Cancelled:
            raise
        except OpsdError as error:
            against.append(error)
            done.findings.append(error.finding(Severity.FAULT))
    if len(against) == len(kit.config.repositories):
        raise against[0]
    return done


def _rebuild(kit: Kit, name: str, done: Rebuilt) -> None:
    with opened(kit, Task.REBUILD, "", name) as journal, journal.phase("rebuild", name):
        kit.reach(name)
        repository = kit.restic(name)
        snapshots = repository.snapshots(TAG)
        done.points += _add_points(journal, repository, snapshots)
        done.proofs += _add_proofs(journal, repository, snapshots)
        holds = _add_holds(journal, repository, snapshots)
        figures = {"points": done.points, "proofs": done.proofs, "holds": holds}
        journal.evidence("rebuilt", figures)
        _tell(journal, snapshots)
        if journal.faults:
            end(journal, Outcome.PARTIAL, "integrity")
        done.findings += journal.findings


def _tell(journal: Journal, snapshots: tuple[Snapshot, ...]) -> None:
    """What was lost with a history: its audit chain, and legal holds, so that nothing may go."""
    kit = journal.kit
    lost = sorted({head.digest for _, head in heads_of(snapshots)} - kit.store.digests())
    if not lost:
        return
    kit.store.tell(kit.clock(), "rebuilt", OPSD, {"run": journal.run.id, "heads": lost})
    for name in kit.config.backup_sets:
        error = Refused("retention.rebuilt")
        freeze(kit, name, [Obstacle(Cause.REBUILT, journal.run.id, error)])


def _add_points(journal: Journal, repository: Restic, snapshots: tuple[Snapshot, ...]) -> int:
    """Oldest first, so that a rebuild that is cut off leaves a history without holes."""
    kit, added = journal.kit, 0
    lost = [
        point
        for point in reversed(points_of(repository.name, snapshots))
        if kit.store.point(point.id) is None
    ]
    for done, found in enumerate(lost):
        kit.watcher.advance(done, len(lost))
        with _item(journal, "rebuild.point_unread", name=found.backup_set, point=found.id):
            _add_point(kit, found, read_record(repository, found))
            added += 1
    return added


def _add_point(kit: Kit, found: RecoveryPoint, body: Mapping[str, Any]) -> None:
    told = record.noun(RecoveryPoint, body["point"])
    point = record.noun(
        RecoveryPoint,
        {
            **record.plain(told),
            "repository": found.repository,
            "record": found.record,
            "record_root": found.record_root,
        },
    )
    every = [record.noun(Evidence, evidence) for evidence in body["evidence"]]
    outcome = Outcome.SUCCEEDED if point.complete else Outcome.PARTIAL
    reason = "" if outcome.good else "partial"
    _add_run(kit, record.noun(Run, body["run"]), body, (outcome, reason))
    for evidence in every:
        kit.store.add_evidence(evidence)
    taken = ProofReached(
        point.id, point.id, point.repository, point.at, Proof.TAKEN, Outcome.PASSED
    )
    kit.store.add_point(point, taken)


def _add_proofs(journal: Journal, repository: Restic, snapshots: tuple[Snapshot, ...]) -> int:
    """Those that passed, and those that failed while the repository still took their record."""
    kit, added = journal.kit, 0
    for snapshot in snapshots:
        run = tagged(snapshot.tags, "run")
        if tagged(snapshot.tags, "part") != PROOF_RECORD or kit.store.run(run) is not None:
            continue
        with _item(journal, "rebuild.proof_unread", name=tagged(snapshot.tags, "set"), run=run):
            file = f"{snapshot.paths[0]}/{PROOF_FILE}"
            _add_proof(kit, repository.name, json.loads(repository.read_file(snapshot.id, file)))
            added += 1
    return added


def _add_proof(kit: Kit, repository: str, body: Mapping[str, Any]) -> None:
    run = record.noun(Run, body["run"])
    outcome = Outcome(body.get("outcome", Outcome.PASSED))
    last = Proof[body.get("level", Proof.PROVED.word).upper()]
    at, point, figures = datetime.fromisoformat(body["at"]), body["point"], body["figures"]
    _add_run(kit, run, body, (outcome, body.get("reason", "")))
    kit.store.add_evidence(Evidence(run.id, at, "proof", figures))
    for level in Proof:
        if Proof.TAKEN < level <= last:
            ended = outcome if level is last else Outcome.PASSED
            kit.store.add_proof(ProofReached(run.id, point, repository, at, level, ended))


def _add_holds(journal: Journal, repository: Restic, snapshots: tuple[Snapshot, ...]) -> int:
    kit, added = journal.kit, 0
    for hold, end_of_it in holding.lost(kit, snapshots):
        fields = {"name": tagged(hold.tags, "set"), "hold": tagged(hold.tags, holding.HOLD)}
        with _item(journal, "rebuild.hold_unread", **fields):
            holding.restore(kit, repository, hold, end_of_it)
            added += 1
    return added


@contextmanager
def _item(journal: Journal, key: str, **fields: object) -> Iterator[None]:
    """One thing that comes back; when it cannot be read it is named, and the others come back."""
    try:
        yield
    except (Cancelled, TimedOut):
        raise
    except (OpsdError, ValueError, KeyError, TypeError) as error:
        told = {"repository": journal.run.repository, **fields}
        journal.findings.append(Finding(Severity.FAULT, key, told, str(error)))


def _add_run(kit: Kit, run: Run, body: Mapping[str, Any], ended: tuple[Outcome, str]) -> None:
    """The run as its record tells it; that it was closed is known from the record being there."""
    if kit.store.run(run.id) is not None:
        return
    findings = tuple(record.finding(found) for found in body["findings"])
    elapsed = datetime.fromisoformat(body["at"]) - run.opened_at
    kit.store.open_run(run)
    kit.store.close_run(
        Closing(
            run=run.id,
            closed_at=run.opened_at + elapsed,
            outcome=ended[0],
            elapsed=elapsed,
            reason=ended[1],
            findings=findings,
        )
    )
