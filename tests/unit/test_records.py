"""The record of incidents: T0 stays, clocks run from it, classes are decided by a name."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from opsd.config.incidents import LEGAL
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.people import Entry, EntryKind, Grade, Sort
from opsd.policy import records

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
# The eve of Tết 2027: nights and holidays count.
BEGAN = datetime(2027, 2, 5, 16, 30, 42, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLOCKS = [one.clock for one in LEGAL]


def incident(began: datetime = BEGAN, check: str = "filesystems") -> Incident:
    said = Finding(Severity.FAULT, "check.load")
    return Incident("SC-1", CheckId("db1", check), began, began + HOUR, "full", said)


def classed(at: datetime, sort: Sort, grade: Grade, data: str = "no") -> Entry:
    body = {"sort": sort.value, "grade": grade.value, "personal_data": data}
    return Entry(1, "SC-1", at, "An", EntryKind.CLASS, body)


def running(*entries: Entry, began: datetime = BEGAN) -> dict[str, timedelta]:
    found = records.deadlines(CLOCKS, incident(began), entries, records.classified(entries), HANOI)
    return {one.clock.name: one.due - records.detected(incident(began)) for one in found}


def test_t0_is_the_minute_of_the_first_bad_answer() -> None:
    assert records.detected(incident()) == BEGAN.replace(second=0)


def test_clocks_of_a_security_incident_run_from_t0_whenever_that_was_decided() -> None:
    """R51: decided at T0 + 10 h, the clock of 24 h shows 14 h left."""
    late = classed(BEGAN + 10 * HOUR, Sort.SECURITY, Grade.SERIOUS)
    assert running(late) == {"first-notice": 24 * HOUR, "report": 72 * HOUR}
    (first, _) = records.deadlines(CLOCKS, incident(), (late,), records.classified((late,)), HANOI)
    assert first.due - (BEGAN.replace(second=0) + 10 * HOUR) == 14 * HOUR


def test_a_technical_incident_starts_no_clock() -> None:
    assert running() == {}
    assert running(classed(BEGAN, Sort.TECHNICAL, Grade.DISRUPTIVE)) == {}


@pytest.mark.parametrize(
    ("grade", "data", "names"),
    [
        (Grade.ORDINARY, "no", set()),
        (Grade.ORDINARY, "yes", {"personal-data"}),
        (Grade.SERIOUS, "yes", {"first-notice", "report", "personal-data"}),
        (Grade.DISRUPTIVE, "no", {"at-once", "first-notice", "report"}),
    ],
)
def test_the_class_chooses_the_clocks(grade: Grade, data: str, names: set[str]) -> None:
    assert running(classed(BEGAN, Sort.SECURITY, grade, data)).keys() == names


def test_an_incident_is_measured_by_what_was_in_force_on_its_day() -> None:
    old = datetime(2024, 4, 1, tzinfo=UTC)
    found = running(classed(old, Sort.SECURITY, Grade.SERIOUS), began=old)
    assert found == {"notice-nd85": timedelta(days=5)}
    # by the local day: this moment is the 19th in Hà Nội already
    edge = datetime(2026, 8, 18, 18, 0, tzinfo=UTC)
    assert "first-notice" in running(classed(edge, Sort.SECURITY, Grade.SERIOUS), began=edge)


def test_warnings_come_at_their_parts_and_end_when_the_notice_is_given() -> None:
    decided = classed(BEGAN, Sort.SECURITY, Grade.SERIOUS)
    given = Entry(2, "SC-1", BEGAN + 20 * HOUR, "An", EntryKind.NOTICE, {"name": "first-notice"})

    def passed(after: float, *entries: Entry) -> list[int]:
        found = records.deadlines(CLOCKS, incident(), entries, records.classified(entries), HANOI)
        return list(records.passed(found[0], BEGAN.replace(second=0) + after * HOUR))

    assert passed(11.9, decided) == []
    assert passed(12, decided) == [50]
    assert passed(21.7, decided) == [50, 75, 90]
    assert passed(24, decided) == [50, 75, 90, 100]
    assert passed(30, decided, given) == []


def test_the_higher_grade_is_proposed_where_there_is_doubt() -> None:
    ordinary = ("load",)
    assert records.proposed(incident(check="load"), ordinary) is Grade.ORDINARY
    assert records.proposed(incident(check="alert"), ordinary) is Grade.SERIOUS


def test_the_mean_times_of_a_month_count_what_ended() -> None:
    one, other = incident(), incident(BEGAN + HOUR)
    ended = Incident("SC-2", one.id, BEGAN, BEGAN, "full", one.said, closed_at=BEGAN + 4 * HOUR)
    found = records.month([one, ended, other], {"SC-2": BEGAN + HOUR})
    assert (found.opened, found.acknowledged, found.ended) == (3, 1, 1)
    assert (found.mean_to_acknowledge, found.mean_to_end) == (HOUR, 4 * HOUR)
    assert records.month([], {}).mean_to_end is None
