"""Which slot is due, whether it wants a run, and how many were missed."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsd.model import Outcome, Run, Task
from opsd.policy import slots

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = time(1, 30)
SLOT = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)  # 01:30 in Hà Nội
DAY = timedelta(days=1)


def fired(
    slot: datetime, after: timedelta = timedelta(), outcome: Outcome | None = Outcome.SUCCEEDED
) -> tuple[Run, Outcome | None]:
    begun = slot + after
    return Run(str(begun), Task.BACKUP, "dossiers", "main", begun, "srv", 1, slot), outcome


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (SLOT, SLOT),
        (SLOT - timedelta(seconds=1), SLOT - DAY),
        (SLOT + timedelta(hours=23), SLOT),
    ],
)
def test_the_newest_due_slot_is_the_last_local_time_that_passed(
    now: datetime, due: datetime
) -> None:
    assert slots.newest_due(now, NIGHT, HANOI) == due


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    at=st.times().map(lambda found: found.replace(second=0, microsecond=0, tzinfo=None)),
    zone=st.sampled_from([HANOI, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")]),
)
@example(datetime(2026, 3, 29, 12, tzinfo=UTC), time(2, 30), BERLIN)  # 02:30 is left out
@example(datetime(2026, 3, 29, 1, 29, tzinfo=UTC), time(2, 30), BERLIN)
@example(datetime(2026, 10, 25, 0, 31, tzinfo=UTC), time(2, 30), BERLIN)  # 02:30 comes twice
@example(datetime(2026, 10, 25, 1, 31, tzinfo=UTC), time(2, 30), BERLIN)
def test_every_moment_lies_between_two_slots_that_follow_each_other(
    now: datetime, at: time, zone: tzinfo
) -> None:
    due, following = slots.newest_due(now, at, zone), slots.next_due(now, at, zone)
    assert due <= now < following
    assert slots.next_due(due, at, zone) == following
    assert slots.newest_due(following, at, zone) == following
    assert timedelta(hours=22) <= following - due <= timedelta(hours=26)


def test_a_local_time_that_is_left_out_is_due_once_and_one_that_comes_twice_also() -> None:
    night = time(2, 30)
    gap = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 of summer time
    assert slots.next_due(gap - timedelta(hours=1), night, BERLIN) == gap
    assert slots.next_due(gap, night, BERLIN) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    fold = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert slots.next_due(fold, night, BERLIN) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        ([], True),
        ([fired(SLOT - DAY)], True),
        ([fired(SLOT)], False),
        ([fired(SLOT, outcome=Outcome.FAILED)], False),
        ([fired(SLOT, outcome=None)], False),
        ([fired(SLOT, outcome=Outcome.INTERRUPTED)], True),
        ([fired(SLOT, outcome=Outcome.INTERRUPTED)] * (slots.TRIES - 1), True),
        ([fired(SLOT, outcome=Outcome.INTERRUPTED)] * slots.TRIES, False),
        ([fired(SLOT, outcome=Outcome.INTERRUPTED), fired(SLOT, DAY / 9)], False),
    ],
)
def test_a_slot_is_run_once_and_again_only_when_it_was_cut_short(
    history: slots.Fired, wanted: bool
) -> None:
    assert slots.wants_run(SLOT, history) is wanted


@pytest.mark.parametrize(
    ("history", "missed"),
    [
        ([], 0),
        ([fired(SLOT), fired(SLOT + DAY)], 0),
        ([fired(SLOT, slots.GRACE)], 0),
        ([fired(SLOT, slots.GRACE + timedelta(seconds=1))], 1),
        ([fired(SLOT), fired(SLOT + 4 * DAY, DAY / 2)], 4),  # three skipped, one late
        ([fired(SLOT), fired(SLOT, DAY / 2)], 0),  # begun again, but begun in time at first
        ([fired(SLOT), fired(SLOT + DAY + DAY / 2)], 0),  # the schedule was moved by half a day
        ([fired(SLOT), fired(SLOT + DAY - timedelta(hours=1))], 0),  # summer time begins
        ([fired(SLOT), fired(SLOT + DAY + timedelta(hours=1))], 0),  # and ends
        ([fired(SLOT), fired(SLOT + 2 * DAY - timedelta(hours=1))], 1),
    ],
)
def test_missed_slots_are_counted_from_the_history(history: slots.Fired, missed: int) -> None:
    assert slots.missed(history) == missed


@pytest.mark.parametrize(
    ("losses", "left", "wait"),
    [
        (1, DAY, timedelta(minutes=1)),
        (5, DAY, timedelta(minutes=16)),
        (6, DAY, timedelta(minutes=30)),
        (10_000, DAY, timedelta(minutes=30)),
        (6, timedelta(minutes=31), timedelta(minutes=30)),
        (6, timedelta(minutes=30), None),
    ],
)
def test_a_lost_slot_is_waited_for_longer_each_time_but_not_beyond_the_next(
    losses: int, left: timedelta, wait: timedelta | None
) -> None:
    assert slots.wait_after(losses, left) == wait
