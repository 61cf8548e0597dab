"""Read coverage: how much a night reads, in which order, at which pace, and what is late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsd.keeping import Covered
from opsd.policy import coverage
from opsd.policy.coverage import Pace
from opsd.store import Reads

NOW = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = 30 * DAY


@pytest.fixture
def reads(tmp_path: Path) -> Iterator[Reads]:
    found = Reads(tmp_path / "reads.sqlite")
    yield found
    found.close()


def listing(*names: str) -> Iterator[tuple[str, str, int]]:
    return (("data", name, 10) for name in names)


# --- the plan


@pytest.mark.parametrize(
    ("last", "within", "quota"),
    [
        (None, MONTH, 100),  # never yet: as if a day had passed
        (NOW - DAY, MONTH, 100),
        (NOW - 3 * DAY, MONTH, 300),  # missed nights are made up for
        (NOW - timedelta(minutes=5), MONTH, 100),
        (NOW + 400 * DAY, MONTH, 100),  # a clock leapt back
        (NOW - 400 * DAY, MONTH, 3000),  # never more than there is
        (NOW - DAY, timedelta(hours=12), 3000),
    ],
)
def test_a_night_reads_its_share(last: datetime | None, within: timedelta, quota: int) -> None:
    assert coverage.turn(3000, NOW, last, within).quota == quota


def test_what_would_be_late_by_the_next_night_is_read_beyond_the_share() -> None:
    turn = coverage.turn(3000, NOW, NOW - DAY, MONTH)
    assert not turn.enough(99, NOW - DAY)
    assert turn.enough(100, NOW - 28 * DAY)
    assert not turn.enough(2000, NOW - 29 * DAY)


@given(
    st.integers(2, 60), st.integers(0, 2**64), st.lists(st.integers(1, 3), min_size=80, max_size=80)
)
def test_whatever_nights_are_missed_everything_is_read_in_time(
    days: int, seed: int, gaps: list[int]
) -> None:
    """Forty objects of uneven sizes; nights come after one to three days."""
    within = days * DAY
    sizes = [1 + (seed >> k) % 7 for k in range(40)]
    since, now, last = [NOW] * len(sizes), NOW, NOW
    for gap in gaps:
        now += gap * DAY
        turn, read = coverage.turn(sum(sizes), now, last, within), 0
        for one in sorted(range(len(sizes)), key=lambda k: since[k]):
            if turn.enough(read, since[one]):
                break
            since[one], read = now, read + sizes[one]
        last = now
        oldest = min(since)
        # a machine that was off for days reads it then, and not before
        assert now - oldest <= within or gap * DAY > within


@pytest.mark.parametrize(
    ("oldest", "behind"),
    [(NOW - MONTH, False), (NOW - 31 * DAY, True), (NOW + DAY, True), (None, False)],
)
def test_what_was_not_read_in_time_is_behind(oldest: datetime | None, behind: bool) -> None:
    assert coverage.behind(Covered(1, 1, 1, 0, 0, oldest), NOW, MONTH) is behind


def test_reading_keeps_to_its_pace() -> None:
    spent = timedelta()
    pace = Pace(100, lambda: spent)
    assert pace.wait(500) == timedelta()  # nothing was read yet
    assert pace.wait(100) == timedelta(seconds=5)
    spent = timedelta(seconds=5.5)
    assert pace.wait(1) == timedelta(seconds=0.5)
    spent = timedelta(seconds=60)
    assert pace.wait(1) == timedelta()
    assert Pace(None, lambda: spent).wait(1 << 60) == timedelta()


# --- what is kept


def test_the_damaged_come_first_then_the_new_then_the_oldest(reads: Reads) -> None:
    reads.list("main", listing("a", "b", "c", "d"), NOW - 9 * DAY, NOW - 10 * DAY)
    reads.mark("main", ["b"], NOW - 5 * DAY, sound=True)
    reads.mark("main", ["c"], NOW - 7 * DAY, sound=True)
    reads.mark("main", ["d"], NOW - DAY, sound=False)
    reads.list("other", listing("x"), NOW, NOW)
    assert [one.name for one in reads.next("main", NOW, 9)] == ["d", "a", "c", "b"]
    assert [one.name for one in reads.next("main", NOW - 6 * DAY, 9)] == ["a", "c"]
    assert [one.name for one in reads.next("main", NOW, 2)] == ["d", "a"]
    assert [one.name for one in reads.damaged("main")] == ["d"]
    assert reads.covered("main") == Covered(4, 4, 40, 1, 1, NOW - 10 * DAY)
    assert reads.listed("main") == NOW - 9 * DAY


def test_a_listing_forgets_what_is_gone_and_keeps_what_was_read(reads: Reads) -> None:
    reads.list("main", listing("a", "b", "c"), NOW, NOW - DAY)
    reads.mark("main", ["a", "b"], NOW, sound=True)
    reads.mark("main", ["c"], NOW, sound=False)
    reads.list("main", listing("a", "e"), NOW + DAY, NOW)
    assert reads.damaged("main") == ()
    assert [one.name for one in reads.next("main", NOW + DAY, 9)] == ["e", "a"]
    assert reads.covered("main") == Covered(2, 2, 20, 1, 0, NOW)


def test_what_was_read_after_now_counts_as_unread(reads: Reads) -> None:
    """A clock leapt ahead and came back: nothing is spared from being read by that."""
    reads.list("main", listing("a", "b"), NOW, NOW - DAY)
    reads.mark("main", ["a"], NOW + 400 * DAY, sound=True)
    reads.mark("main", ["b"], NOW, sound=True)
    reads.list("main", listing("a", "b"), NOW + DAY, NOW)
    assert [one.name for one in reads.next("main", NOW + DAY, 9)] == ["a", "b"]
    assert reads.covered("main").unread == 1


def test_a_lost_file_leaves_nothing_read(reads: Reads, tmp_path: Path) -> None:
    reads.list("main", listing("a"), NOW, NOW)
    reads.mark("main", ["a"], NOW, sound=True)
    again = Reads(tmp_path / "another.sqlite")
    assert again.listed("main") is None
    assert again.covered("main") == Covered(0, 0, 0, 0, 0, None)
    again.close()
