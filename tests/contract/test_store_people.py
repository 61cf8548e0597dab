"""What the history promises of alerts and notices, in a SQLite file and on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.errors import StorageFailed
from opsd.model import CheckId, Finding, Severity
from opsd.people import ALERT, Address, Alert, AlertStatus, EntryKind, Fate, Urgency
from opsd.store import GIVEN_UP, SENT, Notices, Place, Post, Sorting, Way
from opsd.store.alerts import alert
from tests.stores import Stores

pytestmark = pytest.mark.xdist_group("stores")

AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SORTING = Sorting(
    subject=lambda one: CheckId("db1", ALERT, one.name),
    own=lambda _: None,
    opens=lambda one: one.name == "DiskDying",
)
AN = (Address("sms", "1", "an"), Address("mail", "an@test", "an"))


@pytest.fixture(params=["sqlite", "postgresql"])
def notices(request: pytest.FixtureRequest, tmp_path: Path, stores: Stores) -> Iterator[Notices]:
    shared: Place = stores.fresh() if request.param == "postgresql" else tmp_path / "opsd.sqlite"
    with closing(Notices(shared)) as found:
        yield found


def burning(name: str = "DiskDying", number: int = 0, **labels: str) -> Alert:
    return Alert(f"f{number}", AlertStatus.FIRING, AT, {"alertname": name, **labels}, {}, 3)


def over(one: Alert) -> Alert:
    return Alert(one.fingerprint, AlertStatus.RESOLVED, one.starts_at, one.labels)


def test_alerts_are_taken_once_and_read_back_as_they_were(notices: Notices) -> None:
    hostile = burning(label="'\"; DROP TABLE alert; -- \n$(reboot) \U0001f525")
    many = [hostile, *(burning("Noise", number) for number in range(1, 1200))]
    first = notices.take(many, AT, SORTING)
    assert [one.fate for one in first] == [Fate.OPENED, *[Fate.KEPT] * 1199]
    assert {one.fate for one in notices.take(many, AT, SORTING)} == {Fate.KNOWN}
    assert [one.alert for one in notices.alerts(AT)] == many
    (incident,) = notices.incidents()
    assert incident.said.fields["label"] == hostile.labels["label"]
    assert notices.take([over(hostile)], AT, SORTING, Way.ASK)[0].fate is Fate.CLOSED
    assert notices.take([over(hostile)], AT + MINUTE, SORTING)[0].fate is Fate.CLOSED
    assert notices.incidents() == ()
    assert [one.fate for _, one in notices.alerts_of(incident.code)] == [Fate.OPENED, Fate.CLOSED]


def test_a_heartbeat_is_remembered(notices: Notices) -> None:
    assert notices.last_heard() is None
    for minutes in (0, 1, 2):
        notices.hear(AT + minutes * MINUTE)
    assert notices.last_heard() == AT + 2 * MINUTE


def test_a_notice_waits_until_it_is_sent_or_given_up(notices: Notices) -> None:
    said = Finding(Severity.FAULT, "notice.gap", {"since": AT, "until": AT + MINUTE})
    post = Post("incident:SC_1%:0", AT, Urgency.PAGE, said, "SC_1%")
    assert notices.queue(post, AN, ["incident:SC-2:0"])
    assert not notices.queue(post, AN)
    assert notices.told("incident:SC_") == {"incident:SC_1%:0"}
    assert notices.told("incident:") == {"incident:SC_1%:0", "incident:SC-2:0"}
    assert list(notices.paged(AT)) == [AT]
    (sms,), (mail,) = notices.waiting("sms"), notices.waiting("mail")
    assert sms.notice.said == said
    notices.fail(notices.begin(sms, AT), AT + MINUTE, "timeout", "chậm")
    notices.begin(sms, AT + 2 * MINUTE)
    (again,) = notices.waiting("sms")
    assert (again.tries, again.tried_at, again.unsure) == (1, AT + MINUTE, True)
    notices.end(again, AT, GIVEN_UP)
    notices.end(mail, AT, SENT)
    assert notices.waiting("sms") == notices.waiting("mail") == ()
    assert (notices.tally("sms").given_up, notices.tally("mail").sent) == (1, 1)
    assert notices.tally("sms").failures == {"timeout": 1}
    assert [outcome for *_, outcome in notices.sendings("SC_1%")] == [GIVEN_UP, SENT]


def test_the_record_of_an_incident_is_added_to_and_told_in_the_chain(notices: Notices) -> None:
    (opened,) = notices.take([burning()], AT, SORTING)
    notices.add_entry(opened.incident, AT, "An", EntryKind.ACK, {"note": "đang xem"})
    assert notices.owned() == {opened.incident: AT}
    notices.add_entry(opened.incident, AT + MINUTE, "An", EntryKind.CLOSE, {"note": "hết"})
    assert notices.owned() == {}
    found = notices.incident(opened.incident)
    assert found is not None
    assert found.closed_at == AT + MINUTE
    assert [line.kind for line in notices.lines()] == ["incident_ack", "incident_close"]
    assert notices.incident("SC-0") is None


def test_a_sign_of_life_of_a_run_is_told_once(notices: Notices) -> None:
    notices.add_ping("nightly", "r1", "/start", AT)
    assert notices.pinged("nightly", "r1") == {"/start"}
    with pytest.raises(StorageFailed):
        notices.add_ping("nightly", "r1", "/start", AT)


def test_what_was_taken_can_be_neither_changed_nor_removed(notices: Notices) -> None:
    notices.take([burning()], AT, SORTING)
    for statement in (alert.update().values(name="x"), alert.delete()):
        with pytest.raises(StorageFailed), notices._writing() as connection:
            connection.execute(statement)
