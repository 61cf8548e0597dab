"""What a message of Alertmanager becomes: read, bounded, each alert once, one cause once."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsd.config.load import parse
from opsd.config.mistakes import ConfigMistakes
from opsd.config.schema import Config
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.people import ALERT, Alert, AlertStatus, Fate
from opsd.policy import alerting
from opsd.policy.alerting import Malformed
from opsd.store import Alerts, Way
from opsd.tasks.incidents import intake
from tests.unit.test_config import SMALL as ALONE
from tests.webhooks import alert_of, message

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
SMALL = (
    ALONE
    + """\
hosts:
  db1: {address: 10.0.0.7, key_file: /etc/opsd/key, known_hosts: /etc/opsd/known_hosts}
  db2: {address: "db2.example.vn", key_file: /etc/opsd/key, known_hosts: /etc/opsd/known_hosts}
"""
)
WEBHOOK = """\
webhook:
  token_file: /etc/opsd/webhook.token
  watchdog: Watchdog
  incidents:
    - alert: DiskDying
    - {alert: LinkDown, labels: {severity: critical}}
"""


@pytest.fixture
def config() -> Config:
    return parse(SMALL + WEBHOOK)


@pytest.fixture
def alerts(tmp_path: Path) -> Iterator[Alerts]:
    with closing(Alerts(tmp_path / "opsd.sqlite")) as found:
        yield found


class Desk:
    """A history that alerts come into, minute by minute."""

    def __init__(self, alerts: Alerts, config: Config) -> None:
        self.alerts = alerts
        self.config = config
        self.now = NOW

    def take(self, *found: dict[str, Any], way: Way = Way.TAKE, truncated: int = 0) -> list[Fate]:
        self.now += timedelta(minutes=1)
        read = alerting.read(message(*found, truncatedAlerts=truncated), 100)
        received = intake.receive(self.alerts, self.config, read, lambda: self.now, way)
        return [one.fate for one in received]

    @property
    def open(self) -> list[CheckId]:
        return [one.id for one in self.alerts.incidents()]


@pytest.fixture
def desk(alerts: Alerts, config: Config) -> Desk:
    return Desk(alerts, config)


# ------------------------------------------------------------------------------ reading


def test_a_message_is_read_as_alertmanager_writes_it() -> None:
    (found,) = alerting.read(message(alert_of("DiskDying", host="db1")), 10)
    assert found.name == "DiskDying"
    assert found.status is AlertStatus.FIRING
    assert found.starts_at == datetime(2026, 11, 28, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"alerts": {}}',
        b'{"alerts": [1]}',
        b'{"alerts": [{"status": "firing", "startsAt": "2026-11-28T09:00:00Z", "labels": 1}]}',
        b'{"alerts": [{"status": "burning", "startsAt": "2026-11-28T09:00:00Z", "labels": {}}]}',
        b'{"alerts": [{"status": "firing", "startsAt": "soon", "labels": {}}]}',
        b'{"alerts": [{"status": "firing", "startsAt": "2026-11-28", "labels": {"a": 1}}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_message_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Malformed):
        alerting.read(body, 10)


def test_too_many_alerts_are_refused() -> None:
    with pytest.raises(Malformed):
        alerting.read(message(*(alert_of("A", number=str(n)) for n in range(3))), 2)


def test_hostile_labels_are_kept_as_data_and_bounded(desk: Desk) -> None:
    hostile = {
        "quotes": "'\"`",
        "lines": "a\nb\r\x1b[31m\0",
        "order": "$(reboot) ; rm -rf / {host} {0}",
        "half": "\ud800",
        "long": "x" * 100_000,
    }
    assert desk.take(alert_of("DiskDying", host="db1", **hostile)) == [Fate.OPENED]
    (incident,) = desk.alerts.incidents()
    kept = incident.said.fields
    assert kept["order"] == hostile["order"]
    assert kept["quotes"] == hostile["quotes"]
    assert len(str(kept["long"])) == 1024
    assert str(kept["long"]).endswith("…")
    assert "\0" not in str(kept["lines"])
    assert incident.id == CheckId("db1", ALERT, "DiskDying")
    assert alerting.shown(hostile["lines"]) == "a b  [31m "
    assert len(alerting.shown(hostile["long"])) == 120


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=5))
def test_any_labels_are_read(labels: dict[str, str]) -> None:
    (found,) = alerting.read(message({**alert_of("A"), "labels": labels}), 10)
    assert all(text.isprintable() or text for text in map(str, found.labels.values()) if text)


@pytest.mark.parametrize(
    ("labels", "host"),
    [
        ({"host": "db1"}, "db1"),
        ({"instance": "db1:9100"}, "db1"),
        ({"instance": "10.0.0.7:9100"}, "db1"),
        ({"instance": "db2.example.vn"}, "db2"),
        ({"instance": "[2001:db8::7]:9100"}, "db6"),
        ({"instance": "2001:db8::7"}, "db6"),
        ({"host": "$(reboot)", "nodename": "db2"}, "db2"),
        ({"host": "stranger"}, ""),
        ({}, ""),
    ],
)
def test_an_alert_is_about_a_host_of_the_inventory_or_about_none(
    labels: dict[str, str], host: str
) -> None:
    hosts = {"db1": "10.0.0.7", "db2": "db2.example.vn", "db6": "2001:db8::7", "local": ""}
    one = Alert("f", AlertStatus.FIRING, NOW, {"alertname": "A", **labels})
    assert alerting.subject(one, hosts) == CheckId(host, ALERT, "A")


# ------------------------------------------------------------------------------ once


def test_the_same_alert_is_known_however_often_it_is_sent(desk: Desk) -> None:
    burning = alert_of("DiskDying", host="db1")
    assert desk.take(burning, burning) == [Fate.OPENED, Fate.KNOWN]
    assert desk.take(burning) == [Fate.KNOWN]
    over = {**burning, "status": "resolved"}
    assert desk.take(over) == [Fate.CLOSED]
    assert desk.take(over, burning) == [Fate.KNOWN, Fate.KNOWN]
    assert desk.open == []
    again = {**burning, "startsAt": "2026-11-28T10:00:00Z"}
    assert desk.take(again) == [Fate.OPENED]


def test_an_end_that_arrives_before_its_beginning_leaves_nothing_open(desk: Desk) -> None:
    burning = alert_of("DiskDying", host="db1")
    assert desk.take({**burning, "status": "resolved"}) == [Fate.KEPT]
    assert desk.take(burning) == [Fate.KEPT]
    assert desk.open == []


# ------------------------------------------------------------------------------ one cause


def test_only_what_the_configuration_names_opens_an_incident(desk: Desk) -> None:
    assert desk.take(
        alert_of("LinkDown", severity="warning"),
        alert_of("LinkDown", severity="critical", instance="10.0.0.7:1"),
        alert_of("Other"),
    ) == [Fate.KEPT, Fate.OPENED, Fate.KEPT]
    assert desk.open == [CheckId("db1", ALERT, "LinkDown")]


def test_alerts_of_one_name_about_one_host_are_one_incident_until_the_last_ends(desk: Desk) -> None:
    sda, sdb = (alert_of("DiskDying", host="db1", device=device) for device in ("sda", "sdb"))
    assert desk.take(sda, sdb) == [Fate.OPENED, Fate.JOINED]
    assert desk.take({**sda, "status": "resolved"}) == [Fate.KEPT]
    assert len(desk.open) == 1
    assert desk.take({**sdb, "status": "resolved"}) == [Fate.CLOSED]
    assert desk.open == []


def opened(alerts: Alerts, one: CheckId) -> str:
    said = Finding(Severity.FAULT, "check.load", {"load": 1.0, "processors": 1})
    return alerts.open_incident(Incident("", one, NOW, NOW, "full", said))


def test_alerts_of_opsd_itself_join_the_incident_of_their_check(desk: Desk) -> None:
    code = opened(desk.alerts, CheckId("db1", "filesystems", "/srv"))
    found = alert_of(
        "OpsdFilesystemTrouble", host="db1", check="filesystems", subject="/srv", job="opsd"
    )
    assert desk.take(found) == [Fate.JOINED]
    (received,) = desk.alerts.alerts_of(code)
    assert received[1].alert.name == "OpsdFilesystemTrouble"
    assert desk.take({**found, "status": "resolved"}) == [Fate.KEPT]
    assert len(desk.open) == 1, "its check ends it, and nobody else"


def test_an_alert_of_opsd_itself_opens_none_even_where_it_is_named(alerts: Alerts) -> None:
    text = SMALL + WEBHOOK.replace("DiskDying", "OpsdHostUnreachable")
    desk = Desk(alerts, parse(text))
    assert desk.take(alert_of("OpsdHostUnreachable", host="db1", check="reach")) == [Fate.KEPT]


def test_codes_go_on_from_one_day_to_the_next_message(desk: Desk) -> None:
    desk.take(*(alert_of("DiskDying", host="", number=str(n)) for n in range(2)))
    desk.take(alert_of("LinkDown", severity="critical"))
    code = opened(desk.alerts, CheckId("db1", "load"))
    codes = sorted(one.code for one in desk.alerts.incidents())
    assert codes == ["SC-20261128-001", "SC-20261128-002", code]


def test_a_truncated_message_says_so_in_what_it_opens(desk: Desk) -> None:
    desk.take(alert_of("DiskDying", host="db1"), truncated=7)
    (incident,) = desk.alerts.incidents()
    assert incident.said.fields["truncated_alerts"] == 7


def test_asking_records_nothing(desk: Desk) -> None:
    burning = alert_of("DiskDying", host="db1")
    assert desk.take(burning, way=Way.ASK) == [Fate.OPENED]
    assert desk.open == []
    desk.take(burning)
    assert desk.take(burning, way=Way.ASK) == [Fate.KNOWN]
    assert desk.take(burning, way=Way.AGAIN) == [Fate.JOINED]
    assert len(desk.alerts.alerts(NOW)) == 1


# ------------------------------------------------------------------------------ the heartbeat


def test_the_heartbeat_is_heard_and_is_no_alert(alerts: Alerts, config: Config) -> None:
    now = NOW
    door = intake.Intake(alerts, lambda: config, lambda: now)
    door.take(message(alert_of("Watchdog")))
    assert alerts.last_heard() == NOW
    now += timedelta(minutes=5)
    door.take(message({**alert_of("Watchdog"), "status": "resolved"}))
    assert alerts.last_heard() == NOW
    door.take(message(alert_of("Watchdog")))
    assert alerts.last_heard() == now
    assert alerts.alerts(NOW) == ()
    assert door.counted == {AlertStatus.FIRING: 2, AlertStatus.RESOLVED: 1}


# ------------------------------------------------------------------------------ the configuration


@pytest.mark.parametrize(
    ("webhook", "key"),
    [
        ("webhook: {}", "config.webhook_open"),
        ("webhook: {token_file: /a, token_credential: b}", "config.both"),
        ("webhook: {client_ca_file: /a}", "config.client_ca_without_tls"),
    ],
)
def test_a_way_in_that_stands_open_is_refused(webhook: str, key: str) -> None:
    with pytest.raises(ConfigMistakes) as caught:
        parse(f"{SMALL}{webhook}\n")
    assert key in [mistake.key for mistake in caught.value.mistakes]


def test_messages_are_json_as_alertmanager_writes_it() -> None:
    assert json.loads(message(alert_of("A")))["version"] == "4"
