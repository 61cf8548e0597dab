"""Mail over TLS, and Alertmanager as a channel, against servers that insist on it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from opsd.assembly import STORE
from opsd.clock import now
from opsd.config.load import parse
from opsd.drivers.notify import mail
from opsd.drivers.notify.letter import Letter
from opsd.errors import ChannelFailed
from opsd.model import Finding, Severity
from opsd.people import Address, Urgency
from opsd.store import Notices, Post
from opsd.tasks.notify import outbox
from tests.alertmanager import alertmanager
from tests.guards import certificate, written
from tests.mailbox import Mailbox, mailbox
from tests.prometheus import eventually, receiver

LETTER = Letter("opsd-1.1", "srv", now(), "an@test", "Đĩa đầy", "Đĩa đầy.\n")
PASSWORD = "only for tests"


@dataclass
class Insisting:
    """A mail server that insists, and how it is spoken to rightly."""

    box: Mailbox
    server: mail.Server


@pytest.fixture(params=["starttls", "tls"])
def insisting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Insisting]:
    pair = certificate(tmp_path)
    password = written(tmp_path / "password", f"{PASSWORD}\n")
    account = ("opsd", PASSWORD)
    with mailbox(security=request.param, pair=pair, account=account) as box:
        server = mail.Server(
            "localhost", box.port, request.param, 20, "opsd", password, ca_file=pair[0]
        )
        yield Insisting(box, server)


def test_mail_goes_over_tls_with_a_password_that_is_never_sent_in_the_clear(
    insisting: Insisting,
) -> None:
    mail.send(insisting.server, "opsd@test", LETTER)
    assert insisting.box.subjects() == ["Đĩa đầy"]


def renamed(found: Insisting, base: Path) -> mail.Server:
    """It shows a certificate for another name, of an authority that is trusted."""
    found.box.pair = certificate(base, "elsewhere")
    return replace(found.server, ca_file=found.box.pair[0])


def stranger(found: Insisting, base: Path) -> mail.Server:
    return replace(found.server, password_file=written(base / "other", "other"))


Wrong = Callable[[Insisting, Path], mail.Server]
WRONG: dict[str, tuple[Wrong, set[str]]] = {
    "an authority that nobody trusts": (lambda f, _: replace(f.server, ca_file=None), {"tls"}),
    "another name": (renamed, {"tls"}),
    "another password": (stranger, {"auth"}),
    "in the clear": (
        lambda f, _: replace(f.server, security="none", user="", timeout=1),
        {"refused", "timeout", "connect"},
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_as_it_should_be_gets_no_mail(
    case: str, insisting: Insisting, tmp_path: Path
) -> None:
    change, reasons = WRONG[case]
    server = change(insisting, tmp_path)
    with pytest.raises(ChannelFailed) as caught:
        mail.send(server, "opsd@test", LETTER)
    assert caught.value.reason in reasons
    assert insisting.box.taken == []


CONFIG = """\
repositories:
  main: {{url: /srv/backup, password_file: /etc/opsd/main.password}}
backup_sets:
  one:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: /srv/tree}}
channels:
  am: {{kind: alertmanager, url: "http://{address}", to: [an]}}
"""


def test_alertmanager_tells_on_what_opsd_tells_it_and_takes_a_repetition_for_one(
    tmp_path: Path,
) -> None:
    told: list[dict[str, Any]] = []
    with receiver(told) as hook, alertmanager(tmp_path / "am", f"http://{hook}/") as found:
        config = parse(CONFIG.format(address=found.address))
        said = Finding(Severity.FAULT, "check.gone")
        with closing(Notices(tmp_path / STORE)) as notices:
            notices.queue(
                Post("one", now(), Urgency.PAGE, said, "SC-20261128-001"),
                [Address("am", "an", "an")],
            )
            (waits,) = notices.waiting("am")
            assert outbox.work(notices, config, "am", now, lambda: False) == 1
            outbox._send(notices, config, config.channels["am"], waits, now())
            assert notices.waiting("am") == ()
        eventually(lambda: bool(told), "it is told on")
        (alert,) = told[0]["alerts"]
        assert alert["labels"]["alertname"] == "OpsdNotice"
        assert alert["labels"]["incident"] == "SC-20261128-001"
        assert alert["labels"]["severity"] == "critical"
        with urllib.request.urlopen(f"http://{found.address}/api/v2/alerts") as answer:
            assert len(json.load(answer)) == 1
