"""What people are told: each occasion once, step by step, until somebody takes it on."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.config.load import parse
from opsd.config.schema import Config
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.people import Address, EntryKind, Urgency
from opsd.response import Call, Page
from opsd.store import SENT, Notices, Post, Responses
from opsd.tasks.notify import answers, calling, words
from tests.unit.test_duty import SMALL

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONCALL = """\
oncall:
  people:
    an: {reach: {sms: "1", mail: an@example.vn}}
    binh: {reach: {sms: "2", mail: binh@example.vn}}
    cuong: {reach: {sms: "3", mail: cuong@example.vn}, verified: "2025-01-01"}
  shifts: [{begins: "00:00", ends: "00:00", main: [an], deputy: [binh]}]
  leaders: [cuong]
"""


@pytest.fixture
def config() -> Config:
    return parse(SMALL + ONCALL)


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[Notices]:
    with closing(Notices(tmp_path / "opsd.sqlite")) as found:
        yield found


def opened(notices: Notices, subject: str = "/srv", at: datetime = NOW) -> str:
    said = Finding(Severity.FAULT, "check.gone")
    one = CheckId("db1", "filesystems", subject)
    return notices.open_incident(Incident("", one, at, at, "full", said))


def called(notices: Notices, channel: str = "sms") -> list[tuple[str, str]]:
    return [(one.address.person, one.notice.key) for one in notices.waiting(channel)]


def of_incidents(notices: Notices) -> list[str]:
    return [who for who, key in called(notices) if key.startswith("incident:")]


def test_nobody_is_told_of_nothing_and_each_thing_is_told_once(
    notices: Notices, config: Config
) -> None:
    calling.look(notices, config, NOW)
    assert of_incidents(notices) == []
    opened(notices)
    for _ in range(3):
        calling.look(notices, config, NOW)
    assert of_incidents(notices) == ["an"]
    assert [who for who, key in called(notices, "mail") if key.startswith("incident")] == ["an"]


def test_the_next_one_is_called_until_somebody_takes_it_on(
    notices: Notices, config: Config
) -> None:
    code = opened(notices)
    for minutes, people in ((0, "an"), (14, "an"), (15, "an binh"), (30, "an binh cuong")):
        calling.look(notices, config, NOW + minutes * MINUTE)
        assert of_incidents(notices) == people.split()
    other = opened(notices, "/var", NOW + 31 * MINUTE)
    notices.add_entry(other, NOW + 31 * MINUTE, "An", EntryKind.ACK, {})
    calling.look(notices, config, NOW + 120 * MINUTE)
    assert of_incidents(notices) == ["an", "binh", "cuong", "an"]
    assert notices.owned() == {other: NOW + 31 * MINUTE}
    assert notices.lines()[-1].kind == "incident_ack"
    assert {one.incident for one in notices.entries(code)} == set()


def test_an_end_is_told_to_those_who_heard_of_the_beginning(
    notices: Notices, config: Config
) -> None:
    code = opened(notices)
    unheard = opened(notices, "/var")
    notices.close_incident(unheard, NOW)
    calling.look(notices, config, NOW)
    notices.close_incident(code, NOW + MINUTE)
    calling.look(notices, config, NOW + MINUTE)
    calling.look(notices, config, NOW + 2 * MINUTE)
    assert [key for _, key in called(notices) if key.startswith("closed")] == [f"closed:{code}"]


def test_many_at_once_are_told_together(notices: Notices, config: Config) -> None:
    for number in range(200):
        opened(notices, f"/{number}")
    calling.look(notices, config, NOW)
    assert of_incidents(notices) == ["an"]
    (one,) = [one for one in notices.waiting("sms") if one.notice.key.startswith("incident")]
    assert one.notice.said.fields["count"] == 200
    calling.look(notices, config, NOW)
    assert of_incidents(notices) == ["an"]


def test_after_many_pages_what_follows_is_gathered(notices: Notices, config: Config) -> None:
    for number in range(30):
        opened(notices, f"/{number}", NOW + number * timedelta(seconds=1))
        calling.look(notices, config, NOW + number * timedelta(seconds=1))
    assert len(of_incidents(notices)) == 10
    calling.look(notices, config, NOW + 2 * MINUTE)
    assert len(of_incidents(notices)) == 11


def test_addresses_that_nobody_tried_and_holes_are_told(notices: Notices, config: Config) -> None:
    assert calling.look(notices, config, NOW) == 1
    assert [key for _, key in called(notices)][:1] == ["verify:cuong:2026"]
    holed = parse(SMALL + ONCALL.replace("begins", "days: [mon], begins"))
    assert calling.look(notices, holed, NOW) == 2
    assert calling.look(notices, holed, NOW + timedelta(hours=3)) == 0


def test_without_a_rota_those_in_the_channels_are_told(notices: Notices) -> None:
    config = parse(SMALL.replace('argv: [sms, "{to}"]', 'argv: [sms, "{to}"], to: ["9"]'))
    opened(notices)
    calling.look(notices, config, NOW)
    assert [one.address.to for one in notices.waiting("sms")] == ["9"]
    assert notices.waiting("mail") == ()


def test_what_is_no_page_goes_on_to_the_next_channel_when_one_has_failed(
    notices: Notices,
) -> None:
    said = Finding(Severity.NOTE, "notice.closed", {"code": "-", "about": "-", "lasted": MINUTE})
    to = [Address("sms", "1", "an"), Address("mail", "an@example.vn", "an")]
    assert notices.queue(Post("closed:1", NOW, Urgency.TELL, said), to)
    assert not notices.queue(Post("closed:1", NOW, Urgency.TELL, said), to)
    assert notices.waiting("mail") == ()
    (first,) = notices.waiting("sms")
    notices.fail(notices.begin(first, NOW), NOW, "timeout", "")
    (second,) = notices.waiting("mail")
    notices.begin(second, NOW)
    notices.end(second, NOW, SENT)
    assert notices.waiting("sms") == notices.waiting("mail") == ()
    assert notices.tally("mail").sent == 1
    assert notices.tally("sms").failures == {"timeout": 1}


def test_a_try_without_an_end_is_told_as_a_possible_repetition(
    notices: Notices, config: Config
) -> None:
    opened(notices)
    calling.look(notices, config, NOW)
    one = next(o for o in notices.waiting("mail") if o.notice.incident)
    first = words.letter(config, notices, one, NOW)
    notices.begin(one, NOW)
    again = next(o for o in notices.waiting("mail") if o.notice.incident)
    assert again.unsure
    second = words.letter(config, notices, again, NOW + MINUTE)
    assert second.id == first.id
    assert "có thể đã tới" in second.text
    assert "có thể đã tới" not in first.text


def test_legal_deadlines_are_warned_of_once_each(notices: Notices, config: Config) -> None:
    code = opened(notices)
    body = {"sort": "security", "grade": "serious", "personal_data": "no"}
    notices.add_entry(code, NOW, "An", EntryKind.CLASS, body)

    def warned(hours: float) -> list[str]:
        calling.look(notices, config, NOW + timedelta(hours=hours))
        keys = {key for _, key in called(notices) if key.startswith("clock")}
        return sorted(key.removeprefix(f"clock:{code}:") for key in keys)

    assert warned(1) == []
    assert warned(12) == ["first-notice:50"]
    assert warned(23) == ["first-notice:50", "first-notice:90"]
    notices.add_entry(code, NOW, "An", EntryKind.NOTICE, {"name": "first-notice"})
    assert warned(25) == ["first-notice:50", "first-notice:90"]
    assert warned(36) == ["first-notice:50", "first-notice:90", "report:50"]


def test_what_a_playbook_needs_a_person_for_is_paged_once_with_what_it_found(
    tmp_path: Path, notices: Notices, config: Config
) -> None:
    said = Finding(Severity.FAULT, "respond.breaker", {"name": "p", "target": "db1"})
    found = {"df": "/srv 100%"}
    with closing(Responses(tmp_path / "opsd.sqlite")) as journal:
        journal.open_breaker("p", "db1", Page(NOW, Call.BREAKER, "SC-1", "r", said, found))
        assert answers.look(notices, journal, config, NOW) == 1
        assert answers.look(notices, journal, config, NOW) == 0
        (told,) = notices.waiting("mail")
        assert told.address.person == "an"
        text = words.letter(config, notices, told, NOW).text
        assert "/srv 100%" in text
        assert "opsd automation reset p --host db1" in text
        for _ in range(50):
            journal.open_breaker("p", "db1", Page(NOW, Call.BREAKER, "SC-1", "r", said))
        assert answers.look(notices, journal, config, NOW) == 1
        assert answers.look(notices, journal, config, NOW) == 0
        assert notices.waiting("mail")[-1].notice.said.fields["count"] == 50
