"""The judgements of `opsd doctor`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.catalogue import SENTENCES
from opsd.errors import OpsdError, RepositoryMissing, WrongPassword
from opsd.model import Status
from opsd.policy import diagnosis
from opsd.policy.diagnosis import DatabaseFacts, Diagnosis, PlaceFacts, RepositoryFacts
from opsd.policy.preflight import ClockFacts

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def statuses(*found: Diagnosis) -> list[Status]:
    """The statuses, after making sure that each can be said and each fault has a remedy."""
    for one in found:
        assert one.key in SENTENCES
        assert one.status is Status.OK or SENTENCES[one.key].vi_remedy
    return [one.status for one in found]


def test_restic_is_judged_by_its_version() -> None:
    assert statuses(diagnosis.judge_restic((0, 18, 0), (0, 17, 0))) == [Status.OK]
    assert statuses(diagnosis.judge_restic((0, 16, 9), (0, 17, 0))) == [Status.CRITICAL]


def test_missing_programs_are_named() -> None:
    assert statuses(diagnosis.judge_programs(())) == [Status.OK]
    found = diagnosis.judge_programs(("setpriv",))
    assert found.fields == {"names": ("setpriv",)}
    assert statuses(found) == [Status.CRITICAL]


@pytest.mark.parametrize(
    ("superuser", "forbidden", "expected"),
    [
        (True, (), [Status.OK]),
        (False, (), [Status.OK, Status.WARNING]),
        (False, ("public.a",), [Status.OK, Status.CRITICAL, Status.WARNING]),
    ],
)
def test_a_role_must_read_everything(
    superuser: bool, forbidden: tuple[str, ...], expected: list[Status]
) -> None:
    facts = DatabaseFacts(150018, 1, superuser, forbidden, timedelta())
    assert statuses(*diagnosis.judge_database("s.db", facts)) == expected


@pytest.mark.parametrize(
    ("found", "points", "expected"),
    [
        (RepositoryFacts(3, 0, busy=False), 1, [Status.OK]),
        (RepositoryFacts(3, 1, busy=True), 1, [Status.OK]),
        (RepositoryFacts(3, 1, busy=False), 1, [Status.OK, Status.WARNING]),
        (RepositoryMissing("repository.missing", repository="main"), 0, [Status.WARNING]),
        (RepositoryMissing("repository.missing", repository="main"), 2, [Status.CRITICAL]),
        (WrongPassword("repository.wrong_password", repository="main"), 0, [Status.CRITICAL]),
    ],
)
def test_a_repository_that_is_gone_is_not_one_that_never_was(
    found: RepositoryFacts | OpsdError, points: int, expected: list[Status]
) -> None:
    assert statuses(*diagnosis.judge_repository("main", found, points)) == expected


@pytest.mark.parametrize(
    ("free", "expected"), [(99, Status.CRITICAL), (199, Status.WARNING), (200, Status.OK)]
)
def test_room_for_once_is_not_room_for_next_time(free: int, expected: Status) -> None:
    facts = PlaceFacts(Path("/srv"), free, 60, 40)
    assert statuses(diagnosis.judge_place("scratch", facts)) == [expected]


@pytest.mark.parametrize(
    ("synchronised", "required", "ahead", "expected"),
    [
        (True, True, timedelta(), Status.OK),
        (False, True, timedelta(), Status.CRITICAL),
        (False, False, timedelta(), Status.WARNING),
        (None, True, timedelta(), Status.CRITICAL),
        (None, False, timedelta(), Status.WARNING),
        (True, True, 2 * MINUTE, Status.CRITICAL),
    ],
)
def test_a_clock_that_cannot_be_trusted_is_told(
    synchronised: bool | None, required: bool, ahead: timedelta, expected: Status
) -> None:
    facts = ClockFacts(MINUTE, synchronised, required, {"s.db": ahead})
    assert statuses(*diagnosis.judge_clock(facts)) == [expected]


def test_what_dead_runs_left_is_told() -> None:
    assert statuses(*diagnosis.judge_leftovers((), ())) == [Status.OK]
    assert statuses(*diagnosis.judge_leftovers(("a",), ("b",))) == [Status.WARNING] * 2


def test_an_account_that_cannot_read_all_is_warned() -> None:
    assert statuses(diagnosis.judge_reader(reads_all=True)) == [Status.OK]
    assert statuses(diagnosis.judge_reader(reads_all=False)) == [Status.WARNING]
