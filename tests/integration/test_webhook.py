"""The way in of alerts: a real Alertmanager, a real daemon, strangers, a history that is full."""

import json
import resource
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import psutil
import pytest

from opsd.assembly import STORE
from opsd.catalogue import Language
from opsd.cli.main import main
from opsd.clock import now
from opsd.config.load import parse
from opsd.config.values import Address
from opsd.config.web import Guard
from opsd.model import CheckId, Incident
from opsd.people import ALERT
from opsd.store import Alerts
from opsd.tasks.incidents.intake import Intake
from opsd.web import AdminPages, Server, Webhook
from tests.alertmanager import alertmanager
from tests.guards import certificate, guarded, written
from tests.integration.test_daemon import Daemon, Place, eventually
from tests.site import workplace
from tests.webhooks import alert_of, message

TOKEN = "only for tests"
CONFIG = """\
repositories:
  main: {{url: /srv/backup, password_file: /etc/opsd/main.password}}
backup_sets:
  dossiers:
    repository: main
    schedule: 13:30
    rpo: 24h
    rto: 4h
    members:
      scans: {{kind: files, path: /srv/scans}}
web: {{admin: {{certificate_file: /a, key_file: /b}}}}
webhook: {{{webhook}, max_body: 1MiB}}
"""
Headers = dict[str, str]
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@contextmanager
def door(
    base: Path, webhook: str, guard: Guard | None = None, client_ca: Path | None = None
) -> Iterator[Server]:
    """The admin port with a way in, in this process."""
    config = parse(CONFIG.format(webhook=webhook))
    assert config.webhook is not None
    with closing(Alerts(base / STORE)) as alerts:
        made = Webhook(config.webhook, Intake(alerts, lambda: config, now))
        pages = AdminPages(str, str, str, lambda: Language.EN, made)
        with closing(Server(Address("127.0.0.1:0"), pages, guard, client_ca)) as server:
            yield server


def asked(
    server: Server,
    body: bytes,
    headers: Headers,
    method: str = "POST",
    tls: ssl.SSLContext | None = None,
) -> int:
    host, _, port = server.address.rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=10)
    if tls:
        connection = HTTPSConnection(host, int(port), timeout=10, context=tls)
    with closing(connection):
        connection.request(method, "/-/alerts", body, headers)
        return connection.getresponse().status


def test_a_stranger_hands_in_nothing(tmp_path: Path) -> None:
    token = written(tmp_path / "token", f"{TOKEN}\n")
    body = message(alert_of("DiskDying"))
    with door(tmp_path, f"token_file: {token}") as server:
        assert asked(server, body, {}) == 401
        assert asked(server, body, {"Authorization": "Bearer another"}) == 401
        assert asked(server, body, {"Authorization": f"Basic {TOKEN}"}) == 401
        assert asked(server, body, {"Authorization": "Bearer "}) == 401
        assert asked(server, b"x" * (1 << 19), {}) == 401
        assert asked(server, body, BEARER) == 200
        assert asked(server, b"", BEARER, "GET") == 405
        assert asked(server, b"{}", BEARER) == 400
        assert asked(server, b"x" * (1 << 20) + b"x", BEARER) == 413
        written(token, "another")
        assert asked(server, body, BEARER) == 401
        assert asked(server, body, {"Authorization": "bearer another"}) == 200
        with closing(Alerts(tmp_path / STORE)) as alerts:
            assert len(alerts.alerts(now().replace(year=2000))) == 1


def signed(base: Path, name: str, ca: tuple[Path, Path]) -> tuple[Path, Path]:
    """A certificate that an authority gave."""
    path, key, request = (base / f"{name}.{kind}" for kind in ("crt", "key", "csr"))
    for command in (
        f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {key} -out {request}",
        f"x509 -req -in {request} -CA {ca[0]} -CAkey {ca[1]} -CAcreateserial -out {path}",
    ):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True, timeout=60)
    return path, key


def test_a_certificate_of_ours_is_let_in_and_no_other(tmp_path: Path) -> None:
    own, ca = certificate(tmp_path), certificate(tmp_path, "ca")
    client, stranger = signed(tmp_path, "client", ca), certificate(tmp_path, "stranger")
    guard = guarded(certificate_file=own[0], key_file=own[1])
    body = message(alert_of("DiskDying"))

    def shows(pair: tuple[Path, Path] | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(own[0]))
        if pair:
            context.load_cert_chain(*pair)
        return context

    with door(tmp_path, f"client_ca_file: {ca[0]}", guard, ca[0]) as server:
        assert asked(server, body, {}, tls=shows(None)) == 401
        assert asked(server, body, {}, tls=shows(client)) == 200
        with pytest.raises(OSError, match=r"(?i)ssl|reset|broken pipe"):
            asked(server, body, {}, tls=shows(stranger))


# ------------------------------------------------------------------------------ the real things

WEBHOOK = """\
webhook:
  token_file: {base}/token
  incidents: [{{alert: DiskDying}}]
"""


@pytest.fixture
def place() -> Iterator[Place]:
    with workplace() as base:
        (base / "tree").mkdir()
        written(base / "password", "only for tests\n")
        written(base / "token", f"{TOKEN}\n")
        made = Place(base)
        made.configure(one="01:00")
        with made.config.open("a") as file:
            file.write(WEBHOOK.format(base=base))
        yield made


def incidents(place: Place) -> list[Incident]:
    with closing(Alerts(place.base / "state" / STORE)) as alerts:
        return [one for one in alerts.incidents() if one.id.check in {ALERT, "watchdog"}]


def stored(place: Place) -> int:
    with closing(Alerts(place.base / "state" / STORE)) as alerts:
        return len(alerts.alerts(now().replace(year=2000)))


def http(place: Place) -> str:
    return json.dumps({"authorization": {"credentials_file": str(place.base / "token")}})


def full(daemon: Daemon, most: int) -> None:
    """Let the daemon write no file beyond so many bytes."""
    _, hard = psutil.Process(daemon.process.pid).rlimit(resource.RLIMIT_FSIZE)
    psutil.Process(daemon.process.pid).rlimit(resource.RLIMIT_FSIZE, (most, hard))


def answered(daemon: Daemon, code: int) -> float:
    return daemon.metric("opsd_webhook_requests_total", f'{{code="{code}"}}') or 0


def test_alertmanager_tells_opsd_and_an_incident_begins_and_ends(place: Place) -> None:
    disk = [{"alertname": "DiskDying", "host": "db1", "device": "sda"}]
    with place.ready() as daemon:
        url = daemon.url("/-/alerts")
        with alertmanager(place.base / "am", url, http(place)) as told:
            told.hand(disk)
            eventually(lambda: incidents(place), "an incident")
            assert incidents(place)[0].id == CheckId("", ALERT, "DiskDying")
            known = "opsd_webhook_alerts_deduplicated_total"
            eventually(lambda: (daemon.metric(known) or 0) > 0, "the same alert once more")
            assert stored(place) == 1
            told.hand(disk, over=True)
            eventually(lambda: not incidents(place), "the end of the incident")
            assert answered(daemon, 401) == 0


def test_what_cannot_be_kept_now_is_sent_again(place: Place) -> None:
    with place.ready() as daemon:
        url = daemon.url("/-/alerts")
        eventually(place.ended, "the backup that was owed")
        full(daemon, 1)
        with alertmanager(place.base / "am", url, http(place)) as told:
            told.hand([{"alertname": "DiskDying", "host": "db1"}])
            eventually(lambda: answered(daemon, 503) > 0, "a refusal")
            assert incidents(place) == []
            full(daemon, resource.RLIM_INFINITY)
            eventually(lambda: incidents(place), "the incident after all")


def test_five_thousand_alerts_at_once_are_taken_whole(place: Place) -> None:
    burst = [
        {"alertname": "DiskDying" if n < 50 else "Noise", "instance": f"h{n}:9100", "n": str(n)}
        for n in range(5000)
    ]
    with place.ready() as daemon:
        url = daemon.url("/-/alerts")
        with alertmanager(place.base / "am", url, http(place)) as told:
            began = time.monotonic()
            told.hand(burst)
            eventually(lambda: stored(place) == len(burst), "all of them", 30)
            assert time.monotonic() - began < 20
            assert len(incidents(place)) == 1
            assert answered(daemon, 503) == 0


def test_a_heartbeat_that_stops_is_an_incident(place: Place) -> None:
    with place.config.open("a") as file:
        file.write("  watchdog: Watchdog\n  watchdog_within: 3s\n")
    with place.ready() as daemon:
        url = daemon.url("/-/alerts")
        with alertmanager(place.base / "am", url, http(place)) as told:
            told.hand([{"alertname": "Watchdog", "severity": "none"}])
            heard = "opsd_watchdog_last_received_timestamp_seconds"
            eventually(lambda: daemon.metric(heard), "the heartbeat")
        eventually(lambda: incidents(place), "an incident")
        assert incidents(place)[0].id == CheckId("", "watchdog")
        assert stored(place) == 0


def test_a_stored_message_is_shown_and_taken_once_more(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    def fates(*arguments: str) -> list[str]:
        assert main(["replay", *arguments, "--json", "--config", str(place.config)]) == 0
        return [one["fate"] for one in json.loads(capsys.readouterr().out)["alerts"]]

    file = place.base / "message.json"
    file.write_bytes(message(alert_of("DiskDying", host="db1"), alert_of("Noise")))
    assert fates(str(file), "--dry-run") == ["opened", "kept"]
    assert stored(place) == 0
    assert fates(str(file)) == ["opened", "kept"]
    assert fates(str(file), "--dry-run") == ["known", "known"]
    assert fates("--since", "1h", "--dry-run") == ["joined", "kept"]
    file.write_text("no message")
    assert main(["replay", str(file), "--config", str(place.config)]) == 2
