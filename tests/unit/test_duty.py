"""Who is on duty when, in every hour of a week and across its edges."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from opsd.config.load import parse
from opsd.config.mistakes import ConfigMistakes
from opsd.people import Absence, Duty, Rota, Shift
from opsd.policy import duty
from tests.unit.test_config import SMALL as ALONE

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
WEEK = frozenset(range(7))
DAY = Shift(WEEK, time(7), time(19), ("an", "binh"), ("binh", "an"))
NIGHT = Shift(WEEK, time(19), time(7), ("cuong",), ("an",))
# Monday of a week in which the first of two is on duty: (ordinal - 1) // 7 is even.
MONDAY = date(2026, 11, 23)


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), HANOI)


FIRST = ("an", "binh")[(MONDAY.toordinal() - 1) // 7 % 2]
SECOND = ("binh", "an")[(MONDAY.toordinal() - 1) // 7 % 2]


@pytest.mark.parametrize(
    ("clock", "main"),
    [
        ("06:59", "cuong"),
        ("07:00", FIRST),
        ("18:59", FIRST),
        ("19:00", "cuong"),
        ("23:59", "cuong"),
        ("00:00", "cuong"),
    ],
)
def test_a_day_has_its_shifts(clock: str, main: str) -> None:
    assert duty.on_duty(Rota((DAY, NIGHT)), at(MONDAY, clock)).main == main


def test_people_take_turns_week_by_week() -> None:
    rota = Rota((DAY, NIGHT))
    days = [MONDAY + timedelta(days=n) for n in range(14)]
    found = [duty.on_duty(rota, at(day, "12:00")) for day in days]
    assert found == [Duty(FIRST, SECOND)] * 7 + [Duty(SECOND, FIRST)] * 7


def test_who_is_away_is_stood_in_for() -> None:
    away = Absence("cuong", MONDAY, MONDAY)
    rota = Rota((NIGHT,), (away,), ("cuong", "dung"))
    assert duty.on_duty(rota, at(MONDAY, "20:00")) == Duty("an", "")
    assert duty.called(rota, at(MONDAY, "20:00")) == [("an",), ("dung",)]
    later = at(MONDAY + timedelta(days=1), "20:00")
    assert duty.called(rota, later) == [("cuong",), ("an",), ("cuong", "dung")]


def test_a_week_is_covered_without_a_hole_and_a_hole_is_seen() -> None:
    since = at(MONDAY, "00:00")
    until = since + timedelta(days=7)
    assert duty.gaps(duty.spans(Rota((DAY, NIGHT)), since, until, HANOI)) == []
    workdays = Shift(frozenset(range(5)), time(7), time(19), ("an",), ("binh",))
    found = duty.spans(Rota((workdays,)), since, until, HANOI)
    assert [span.began for span in found][1:] == [span.ended for span in found][:-1]
    holes = duty.gaps(found)
    assert sum((span.ended - span.began for span in holes), timedelta()) == timedelta(
        hours=7 * 24 - 5 * 12
    )
    assert holes[-1].began == at(MONDAY + timedelta(days=4), "19:00")


SMALL = (
    ALONE
    + """\
channels:
  sms: {kind: command, argv: [sms, "{to}"]}
  mail: {kind: mail, host: mail.example.vn, sender: opsd@example.vn}
"""
)


@pytest.mark.parametrize(
    ("oncall", "key"),
    [
        ("people: {an: {reach: {sms: '1'}}}", "config.one_channel"),
        ("people: {an: {reach: {sms: '1', fax: '2'}}}", "config.no_such_name"),
        ("people: {an: {reach: {sms: '1', mail: a@b}}}\n  leaders: [binh]", "config.no_such_name"),
        (
            "people: {an: {reach: {sms: '1', mail: a@b}, verified: yesterday}}",
            "config.date",
        ),
    ],
)
def test_a_rota_that_would_call_nobody_is_refused(oncall: str, key: str) -> None:
    shifts = "shifts: [{begins: '00:00', ends: '00:00', main: [an]}]"
    with pytest.raises(ConfigMistakes) as caught:
        parse(f"{SMALL}oncall:\n  {oncall}\n  {shifts}\n")
    assert [mistake.key for mistake in caught.value.mistakes] == [key]


@pytest.mark.parametrize(
    "channel",
    [
        "{kind: mail, host: mail.example.vn, security: none, sender: a@b, password_file: /p}",
        "{kind: webhook, url: 'http://chat.example.vn/', password_file: /p}",
    ],
)
def test_a_secret_does_not_cross_the_network_in_the_clear(channel: str) -> None:
    with pytest.raises(ConfigMistakes) as caught:
        parse(f"{ALONE}channels:\n  one: {channel}\n")
    assert [mistake.key for mistake in caught.value.mistakes] == ["config.secret_in_clear"]
    near = channel.replace("mail.example.vn", "127.0.0.1").replace("http:", "https:")
    assert "one" in parse(f"{ALONE}channels:\n  one: {near}\n").channels
