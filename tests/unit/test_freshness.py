"""Is a set safe? Facts in, verdicts out; what is not known is never good."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from opsd.model import (
    Closing,
    Finding,
    Outcome,
    Proof,
    ProofReached,
    RecoveryPoint,
    Run,
    Severity,
    Status,
    Task,
    worst,
)
from opsd.policy import freshness
from opsd.policy.freshness import LastRun, Objectives, RestoreTime, SetFacts, judge
from opsd.policy.standing import Standing

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
POINT = RecoveryPoint("r1", "dossiers", "main", "srv", NOW - timedelta(hours=3), (), complete=True)
RUN = Run("r1", Task.BACKUP, "dossiers", "main", NOW - timedelta(hours=3), "srv", 1)


def ended(outcome: Outcome, *findings: Finding) -> LastRun:
    return LastRun(RUN, Closing("r1", NOW, outcome, timedelta(seconds=5), "", findings))


GOOD = SetFacts(
    now=NOW,
    objectives=Objectives(rpo=timedelta(hours=24), rto=timedelta(hours=4)),
    newest=POINT,
    proved=POINT,
    proved_at=NOW,
    restore=RestoreTime(timedelta(minutes=5), reckoned=False),
    backup=ended(Outcome.SUCCEEDED),
    proof=ended(Outcome.PASSED),
)


def test_a_set_with_everything_proved_in_time_is_ok() -> None:
    assert judge(GOOD).status is Status.OK
    assert judge(GOOD).proved_age == timedelta(hours=3)


def test_a_set_without_any_history_is_unknown() -> None:
    assert judge(SetFacts(NOW, GOOD.objectives)).status is Status.UNKNOWN


OLD = replace(POINT, at=NOW - timedelta(hours=24, seconds=1))
AT_THE_LIMIT = replace(POINT, at=NOW - timedelta(hours=24))
FUTURE = replace(POINT, at=NOW + timedelta(seconds=1))
SLOW = RestoreTime(timedelta(hours=5), reckoned=True)
LOOK = Finding(Severity.CHANGE, "change.table_gone")


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (replace(GOOD, proved=OLD), Status.CRITICAL),
        (replace(GOOD, newest=OLD), Status.CRITICAL),
        (replace(GOOD, proved=AT_THE_LIMIT), Status.OK),
        (replace(GOOD, proved=FUTURE), Status.UNKNOWN),
        (replace(GOOD, proved=None), Status.UNKNOWN),
        (replace(GOOD, newest=replace(POINT, complete=False)), Status.WARNING),
        (replace(GOOD, restore=None), Status.UNKNOWN),
        (replace(GOOD, restore=SLOW), Status.CRITICAL),
        (replace(GOOD, backup=None), Status.UNKNOWN),
        (replace(GOOD, backup=LastRun(RUN, None)), Status.CRITICAL),
        (replace(GOOD, backup=ended(Outcome.SUCCEEDED, LOOK)), Status.WARNING),
        (replace(GOOD, proof=None), Status.UNKNOWN),
        (replace(GOOD, proof=ended(Outcome.COULD_NOT_VERIFY)), Status.UNKNOWN),
    ],
)
def test_one_thing_that_is_not_good_is_enough(facts: SetFacts, status: Status) -> None:
    assert judge(facts).status is status


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_judged_and_only_the_good_ones_are_ok(outcome: Outcome) -> None:
    assert (freshness.judge_run(ended(outcome)) is Status.OK) is outcome.good


def test_a_run_without_an_end_was_interrupted() -> None:
    assert LastRun(RUN, None).outcome is Outcome.INTERRUPTED


def test_a_known_fault_outweighs_what_is_not_known() -> None:
    assert worst([Status.UNKNOWN, Status.CRITICAL, Status.OK]) is Status.CRITICAL
    assert worst([Status.UNKNOWN, Status.WARNING]) is Status.UNKNOWN
    assert worst([]) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"seconds": {"fetch": 2.0, "load": 3.0}}, RestoreTime(timedelta(seconds=5), False)),
        ({"seconds": {"fetch": 2.0}, "parts": 4}, RestoreTime(timedelta(seconds=8), True)),
        ({"seconds": {"load": 3.0}}, None),
        ({}, None),
        ({"seconds": 5}, None),
    ],
)
def test_the_time_of_a_restore_is_what_a_proof_measured(
    figures: dict[str, object], expected: RestoreTime | None
) -> None:
    assert freshness.restore_time(figures) == expected


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 11, 23, 18, 29, tzinfo=UTC), datetime(2026, 11, 23, 18, 30, tzinfo=UTC)),
        (datetime(2026, 11, 23, 18, 30, tzinfo=UTC), datetime(2026, 11, 24, 18, 30, tzinfo=UTC)),
    ],
)
def test_the_next_slot_is_the_next_time_the_local_clock_shows_it(
    now: datetime, due: datetime
) -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    assert freshness.next_due(now, time(1, 30), zone) == due


# ------------------------------------------------------------------------------------- standing


def reached(level: Proof, outcome: Outcome = Outcome.PASSED, run: str = "p1") -> ProofReached:
    return ProofReached(run, "r1", "main", NOW, level, outcome)


UP = tuple(reached(level) for level in Proof)


@pytest.mark.parametrize(
    ("proofs", "level"),
    [
        ((), None),
        ((reached(Proof.TAKEN),), Proof.TAKEN),
        (UP, Proof.PROVED),
        ((*UP, reached(Proof.RESTORED, Outcome.FAILED)), Proof.DATA_READ),
        ((*UP, reached(Proof.STRUCTURE_CHECKED, Outcome.COULD_NOT_VERIFY)), Proof.PROVED),
        ((*UP, reached(Proof.RESTORED, Outcome.FAILED), *UP), Proof.PROVED),
    ],
)
def test_a_level_holds_until_it_is_found_wrong(
    proofs: tuple[ProofReached, ...], level: Proof | None
) -> None:
    standing = Standing(POINT, proofs)
    assert standing.level is level
    assert (standing.proved_at is not None) is (level is Proof.PROVED)


def test_the_failed_level_is_named_until_it_is_reached_again() -> None:
    fallen = (*UP, reached(Proof.DATA_READ, Outcome.FAILED))
    failed = Standing(POINT, fallen).failed
    assert failed is not None
    assert failed.level is Proof.DATA_READ
    assert Standing(POINT, (*fallen, *UP)).failed is None
