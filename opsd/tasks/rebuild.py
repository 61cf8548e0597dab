"""Rebuild a lost history from the records that travel inside the repositories."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsd import record
from opsd.drivers.restic import Restic, Snapshot
from opsd.errors import Refused
from opsd.keeping import Cause
from opsd.model import (
    Closing,
    Evidence,
    Outcome,
    Proof,
    ProofReached,
    RecoveryPoint,
    Run,
    Task,
)
from opsd.policy.retention import Obstacle
from opsd.store import OPSD
from opsd.tasks import holding
from opsd.tasks.audit import heads_of
from opsd.tasks.journal import Journal, opened
from opsd.tasks.keeping import freeze
from opsd.tasks.kit import PROOF_RECORD, TAG, Kit, tagged
from opsd.tasks.prove import PROOF_FILE
from opsd.tasks.shelf import points_of, read_record


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came back: recovery points and proofs that the history did not know."""

    points: int
    proofs: int


def rebuild(kit: Kit) -> Rebuilt:
    """Add to the history what the repositories know and it does not. Nothing is changed in them."""
    points = proofs = 0
    for name in kit.config.repositories:
        with opened(kit, Task.REBUILD, "", name) as journal, journal.phase("rebuild", name):
            kit.reach(name)
            repository = kit.restic(name)
            snapshots = repository.snapshots(TAG)
            points += _add_points(kit, repository, snapshots)
            proofs += _add_proofs(kit, repository, snapshots)
            holds = holding.restore(kit, repository, snapshots)
            journal.evidence("rebuilt", {"points": points, "proofs": proofs, "holds": holds})
            _tell(journal, snapshots)
    return Rebuilt(points, proofs)


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


def _add_points(kit: Kit, repository: Restic, snapshots: tuple[Snapshot, ...]) -> int:
    """Oldest first, so that a rebuild that is cut off leaves a history without holes."""
    lost = [
        point
        for point in reversed(points_of(repository.name, snapshots))
        if kit.store.point(point.id) is None
    ]
    for done, found in enumerate(lost):
        kit.watcher.advance(done, len(lost))
        body = read_record(repository, found)
        told = record.noun(RecoveryPoint, body["point"])
        point = record.noun(
            RecoveryPoint,
            {
                **record.plain(told),
                "repository": repository.name,
                "record": found.record,
                "record_root": found.record_root,
            },
        )
        outcome = Outcome.SUCCEEDED if point.complete else Outcome.PARTIAL
        reason = "" if outcome.good else "partial"
        _add_run(kit, record.noun(Run, body["run"]), body, (outcome, reason))
        for evidence in body["evidence"]:
            kit.store.add_evidence(record.noun(Evidence, evidence))
        taken = ProofReached(
            point.id, point.id, point.repository, point.at, Proof.TAKEN, Outcome.PASSED
        )
        kit.store.add_point(point, taken)
    return len(lost)


def _add_proofs(kit: Kit, repository: Restic, snapshots: tuple[Snapshot, ...]) -> int:
    """Those that passed, and those that failed while the repository still took their record."""
    lost = [
        snapshot
        for snapshot in snapshots
        if tagged(snapshot.tags, "part") == PROOF_RECORD
        and kit.store.run(tagged(snapshot.tags, "run")) is None
    ]
    for snapshot in lost:
        body = json.loads(repository.read_file(snapshot.id, f"{snapshot.paths[0]}/{PROOF_FILE}"))
        run = record.noun(Run, body["run"])
        outcome = Outcome(body.get("outcome", Outcome.PASSED))
        last = Proof[body.get("level", Proof.PROVED.word).upper()]
        _add_run(kit, run, body, (outcome, body.get("reason", "")))
        at = datetime.fromisoformat(body["at"])
        kit.store.add_evidence(Evidence(run.id, at, "proof", body["figures"]))
        for level in Proof:
            if Proof.TAKEN < level <= last:
                ended = outcome if level is last else Outcome.PASSED
                kit.store.add_proof(
                    ProofReached(run.id, body["point"], repository.name, at, level, ended)
                )
    return len(lost)


def _add_run(kit: Kit, run: Run, body: Mapping[str, Any], ended: tuple[Outcome, str]) -> None:
    """The run as its record tells it; that it was closed is known from the record being there."""
    if kit.store.run(run.id) is not None:
        return
    kit.store.open_run(run)
    findings = tuple(record.finding(found) for found in body["findings"])
    elapsed = datetime.fromisoformat(body["at"]) - run.opened_at
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
