"""What the metrics say of proved data follows the last word of the proofs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsd.model import (
    MemberKind,
    MemberSnapshot,
    Outcome,
    Proof,
    ProofReached,
    RecoveryPoint,
    Run,
    Task,
)
from opsd.store import Store

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _point(number: int) -> RecoveryPoint:
    member = MemberSnapshot("db", MemberKind.POSTGRES, "a", "/x", 1, 1, 1, 1, HOUR)
    return RecoveryPoint(f"p{number}", "s", "main", "h", NOON + number * HOUR, (member,), True)


def test_a_point_that_a_later_proof_found_wrong_no_longer_counts(tmp_path: Path) -> None:
    store = Store(tmp_path / "state" / "opsd.sqlite")
    try:
        for number in (1, 2):
            point = _point(number)
            store.add_point(point)
            store.open_run(Run(f"r{number}", Task.PROVE, "s", "main", point.at, "h", 1))
            for level in Proof:
                store.add_proof(
                    ProofReached(f"r{number}", point.id, "main", point.at, level, Outcome.PASSED)
                )
        assert store.reached("s")["main", Proof.PROVED][1] == _point(2).at
        failed = ProofReached("r2", "p2", "main", NOON, Proof.RESTORED, Outcome.FAILED)
        store.add_proof(failed)
        reached = store.reached("s")
        assert reached["main", Proof.PROVED][1] == _point(1).at
        assert reached["main", Proof.DATA_READ][1] == _point(2).at
        unseen = ProofReached("r1", "p1", "main", NOON, Proof.TAKEN, Outcome.COULD_NOT_VERIFY)
        store.add_proof(unseen)
        assert store.reached("s")["main", Proof.PROVED][1] == _point(1).at
    finally:
        store.close()
