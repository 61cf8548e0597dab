"""Availability, outages and budgets: the parts make the whole, to one probe interval."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsd.config import probe_references
from opsd.model import CheckId, CheckResult, Maintenance, Status, Stretch
from opsd.policy import objective
from opsd.policy.judging import Rule
from opsd.store import Cases, Watch
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.notebook import Answers

ONE = CheckId("", "portal")
START = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)  # the first of November in Vietnam
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
NONE = timedelta()


def stretch(began: timedelta, ended: timedelta, status: Status, cause: str = "") -> Stretch:
    return Stretch(ONE, START + began, START + ended, status, cause)


def spans() -> st.SearchStrategy[list[Stretch]]:
    """A timeline: stretches one after the other, some with gaps between."""
    piece = st.tuples(
        st.integers(0, 5000), st.integers(0, 3), st.sampled_from(Status), st.sampled_from("ab")
    )

    def lay(pieces: list[tuple[int, int, Status, str]]) -> list[Stretch]:
        at, laid = NONE, []
        for seconds, gap, status, cause in pieces:
            at += gap * 300 * SECOND
            laid.append(stretch(at, at + seconds * SECOND, status, cause))
            at += seconds * SECOND
        return laid

    return st.lists(piece, max_size=25).map(lay)


def windows() -> st.SearchStrategy[list[objective.Span]]:
    def lay(pairs: list[tuple[int, int]]) -> list[objective.Span]:
        return [(START + a * MINUTE, START + (a + b) * MINUTE) for a, b in pairs]

    return st.lists(st.tuples(st.integers(-60, 900), st.integers(0, 300)), max_size=5).map(lay)


@given(
    timeline=spans(), planned=windows(), since=st.integers(-600, 900), length=st.integers(0, 900)
)
def test_the_parts_make_the_whole(
    timeline: list[Stretch], planned: list[objective.Span], since: int, length: int
) -> None:
    period = START + since * MINUTE, START + (since + length) * MINUTE
    found = objective.account(timeline, period, planned)
    parts = (found.up, found.planned, found.unplanned, found.unknown, found.blind)
    assert sum(parts, NONE) == period[1] - period[0]
    assert all(part >= NONE for part in parts)
    for outage in found.outages:
        assert period[0] <= outage.began <= outage.ended <= period[1]
        assert NONE <= outage.planned <= outage.span


@given(timeline=spans(), planned=windows(), cut=st.integers(0, 900))
def test_two_halves_have_the_time_of_the_whole(
    timeline: list[Stretch], planned: list[objective.Span], cut: int
) -> None:
    begin, middle, end = START - HOUR, START + cut * MINUTE, START + 20 * HOUR
    whole = objective.account(timeline, (begin, end), planned)
    halves = [objective.account(timeline, p, planned) for p in ((begin, middle), (middle, end))]
    for part in ("up", "planned", "unplanned", "unknown", "blind"):
        assert sum((getattr(half, part) for half in halves), NONE) == getattr(whole, part), part


@settings(deadline=None)
@given(
    outages=st.lists(st.tuples(st.integers(2, 400), st.integers(2, 120)), max_size=6),
    interval=st.sampled_from([15, 60, 120]),
    offset=st.integers(0, 14),
)
def test_scripted_outages_give_back_their_minutes(
    outages: list[tuple[int, int]], interval: int, offset: int
) -> None:
    """Asked every `interval`, each outage is right to one interval at each of its ends."""
    script, at = [], 0
    for pause, length in outages:
        at += pause * 60
        script.append((at, at + length * 60))
        at += length * 60
    end = at + 10 * interval
    answers = [
        (moment, any(began <= moment < ended for began, ended in script))
        for moment in range(offset, end, interval)
    ]
    found = objective.account(run_lengths(answers), (START, START + end * SECOND))
    for outage, (began, ended) in zip(found.outages, script, strict=True):
        assert -interval <= (outage.began - START).total_seconds() - began <= 0
        assert -interval <= (outage.ended - START).total_seconds() - ended <= 0
        assert abs(outage.span.total_seconds() - (ended - began)) <= interval


def run_lengths(answers: Sequence[tuple[int, bool]]) -> list[Stretch]:
    """The timeline of answers as the ledger writes it: each begins where the one before ended."""
    laid: list[Stretch] = []
    for moment, out in answers:
        status = Status.CRITICAL if out else Status.OK
        at = START + moment * SECOND
        if laid and laid[-1].status is status:
            laid[-1] = Stretch(ONE, laid[-1].began, at, status)
        else:
            laid.append(Stretch(ONE, laid[-1].ended if laid else at, at, status))
    return laid


def test_the_ledger_of_a_scripted_night_gives_its_outages(tmp_path: Path) -> None:
    """Through the real ledger and its file: two outages, one of them planned in part, a gap."""
    with (
        closing(Cases(tmp_path / "opsd.sqlite")) as cases,
        closing(Watch(tmp_path / "watch.sqlite")) as watch,
    ):
        ledger = Ledger(cases, watch)
        ledger.adopt({("", "portal"): Rule(MINUTE)}, START)
        for minute in range(600):
            if 400 <= minute < 460:
                continue  # opsd did not run
            cause = {3: "connect_refused", 20: "send_timeout"}.get(minute // 10, "")
            status = Status.CRITICAL if cause else Status.OK
            result = CheckResult(status, f"cause.{cause}" if cause else "probe.good", cause=cause)
            ledger.take(Answers("", "portal", START + minute * MINUTE, (result,)))
        ledger.close()
        cases.start_maintenance(
            Maintenance("m1", START + 205 * MINUTE, START + 300 * MINUTE, "tests", "me")
        )
        planned = objective.covering(cases.maintenance(START), ONE)
        timeline = watch.stretches(ONE, START)
    found = objective.account(timeline, (START, START + 600 * MINUTE), planned)
    assert [(o.span, o.planned, o.causes) for o in found.outages] == [
        (10 * MINUTE, NONE, ("connect_refused",)),
        (10 * MINUTE, 4 * MINUTE, ("send_timeout",)),
    ]
    assert found.unplanned == 16 * MINUTE
    assert abs(found.blind - 61 * MINUTE) <= MINUTE
    assert found.availability == pytest.approx(1 - 16 / (600 - 4 - 61 - 1), abs=0.001)


def test_causes_of_one_outage_are_told_in_their_order() -> None:
    timeline = [
        stretch(NONE, MINUTE, Status.CRITICAL, "connect_refused"),
        stretch(MINUTE, 2 * MINUTE, Status.CRITICAL, "status_wrong"),
        stretch(2 * MINUTE, 3 * MINUTE, Status.CRITICAL, "connect_refused"),
        stretch(3 * MINUTE, 4 * MINUTE, Status.WARNING, "slow"),
    ]
    (outage,) = objective.account(timeline, (START, START + HOUR)).outages
    assert outage.causes == ("connect_refused", "status_wrong")
    assert outage.span == 3 * MINUTE


def test_unknown_and_unseen_time_is_neither_up_nor_out() -> None:
    timeline = [
        stretch(NONE, MINUTE, Status.OK),
        stretch(MINUTE, 3 * MINUTE, Status.UNKNOWN, "blind"),
        stretch(10 * MINUTE, 11 * MINUTE, Status.CRITICAL, "send_timeout"),
    ]
    found = objective.account(timeline, (START, START + 11 * MINUTE))
    assert (found.up, found.unknown, found.blind) == (MINUTE, 2 * MINUTE, 7 * MINUTE)
    assert found.availability == 0.5
    assert objective.account([], (START, START + DAY)).availability is None


# --------------------------------------------------------------------------------- burning


def test_a_budget_is_spent_by_unplanned_outages_of_thirty_days() -> None:
    timeline = [
        stretch(-31 * DAY, -30 * DAY, Status.CRITICAL, "old"),
        stretch(-2 * DAY, -2 * DAY + HOUR, Status.CRITICAL, "status_wrong"),
        stretch(-DAY, -DAY + HOUR, Status.CRITICAL, "planned"),
    ]
    window = (START - DAY, START - DAY + HOUR)
    found = objective.budget(timeline, Decimal("0.995"), START, [window])
    assert (found.allowed, found.spent, found.left) == (216 * MINUTE, HOUR, 156 * MINUTE)


@pytest.mark.parametrize(
    ("out", "burning", "pages"),
    [
        (NONE, [], False),
        (2 * MINUTE, [], False),
        (5 * MINUTE, [0], True),  # 8.3 % of an hour is 16.7 times 0.5 %
        (30 * MINUTE, [0, 1, 2, 3], True),
    ],
)
def test_a_budget_burns_by_the_windows_that_the_alerts_have(
    out: timedelta, burning: list[int], pages: bool
) -> None:
    timeline = [
        stretch(-30 * DAY, -out, Status.OK),
        stretch(-out, NONE, Status.CRITICAL, "send_timeout"),
    ]
    found = objective.burns(timeline, Decimal("0.995"), START)
    assert [place for place, burn in enumerate(found) if burn.burning] == burning
    assert any(burn.burning and burn.pages for burn in found) is pages


def test_an_outage_that_is_over_burns_no_more() -> None:
    timeline = [
        stretch(-30 * DAY, -20 * MINUTE, Status.OK),
        stretch(-20 * MINUTE, -10 * MINUTE, Status.CRITICAL, "send_timeout"),
        stretch(-10 * MINUTE, NONE, Status.OK),
    ]
    fast = objective.burns(timeline, Decimal("0.995"), START)[0]
    assert fast.long_rate > fast.factor
    assert (fast.short_rate, fast.burning) == (0, False)


def test_the_configuration_refuses_by_the_factor_of_the_fast_window() -> None:
    assert objective.BURNS[0][2] == probe_references.FAST_BURN


# --------------------------------------------------------------------------------- months


@pytest.mark.parametrize(
    ("first", "zone", "since", "until"),
    [
        (date(2026, 11, 1), VIETNAM, START, START + 30 * DAY),
        (date(2026, 12, 1), VIETNAM, START + 30 * DAY, START + 61 * DAY),
        (
            date(2026, 10, 1),  # Europe's clocks go back: a month of 31 days and one hour
            ZoneInfo("Europe/Berlin"),
            datetime(2026, 9, 30, 22, tzinfo=UTC),
            datetime(2026, 9, 30, 22, tzinfo=UTC) + 31 * DAY + HOUR,
        ),
    ],
)
def test_a_month_is_that_of_the_calendar_here(
    first: date, zone: ZoneInfo, since: datetime, until: datetime
) -> None:
    assert objective.month(first, zone, START + 400 * DAY) == (since, until)
    period = objective.month(first, zone, START + 400 * DAY)
    assert period[1] - period[0] == until - since


def test_a_month_under_way_ends_now_and_one_to_come_is_empty() -> None:
    assert objective.month(date(2026, 11, 1), VIETNAM, START + DAY)[1] == START + DAY
    since, until = objective.month(date(2027, 1, 1), VIETNAM, START + DAY)
    assert since == until


def test_maintenance_counts_for_its_host_and_check_until_it_was_ended() -> None:
    def window(host: str = "", check: str = "", ended: timedelta | None = None) -> Maintenance:
        ended_at = START + ended if ended is not None else None
        return Maintenance("m", START, START + HOUR, "why", "me", host, check, ended_at)

    here = CheckId("db1", "portal")
    whole = ((START, START + HOUR),)
    assert objective.covering([window()], here) == whole
    assert objective.covering([window("db1", "portal")], here) == whole
    assert objective.covering([window("db2")], here) == ()
    assert objective.covering([window("db1", "other")], here) == ()
    assert objective.covering([window(ended=MINUTE)], here) == ((START, START + MINUTE),)
    assert objective.covering([window(ended=NONE)], here) == ()
