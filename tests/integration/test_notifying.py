"""People are told by a real daemon: one channel down, both down, killed in the middle."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from opsd.assembly import STORE
from opsd.cli.main import main
from opsd.clock import now
from opsd.config.units import read_duration
from opsd.drivers.notify import mail, post, program
from opsd.drivers.notify.letter import Letter
from opsd.errors import ChannelFailed
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.store import Notices
from tests.guards import written
from tests.integration.test_daemon import Place, eventually
from tests.mailbox import Mailbox, mailbox
from tests.prometheus import free_port, receiver
from tests.site import workplace

CHANNELS = """\
channels:
  sms: {{kind: command, argv: [{base}/send-sms, "{{to}}"], timeout: 5s}}
  mail: {{kind: mail, host: 127.0.0.1, port: {port}, security: none, sender: opsd@test}}
heartbeats:
  daemon: {{url_file: {base}/url, every: 1s}}
  nightly: {{url_file: {base}/url, backup_set: one}}
oncall:
  people:
    an: {{reach: {{sms: "1", mail: an@test}}}}
    binh: {{reach: {{sms: "2", mail: binh@test}}}}
  shifts: [{{begins: "00:00", ends: "00:00", main: [an], deputy: [binh]}}]
  acknowledge_within: 4s
"""
SMS = """\
#!/bin/sh
[ -e {base}/modem ] || exit 1
said=$(cat)
printf '%s: %s\\n' "$1" "$said" >>{base}/sms  # in one write, as two may be sent at once
"""


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """A dead-man switch; its first item is its address, the others are what it was asked."""
    asked: list[str] = []

    class Switch(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Switch) as server:
        asked.append(f"http://127.0.0.1:{server.server_address[1]}/ping/secret")
        thread = threading.Thread(target=server.serve_forever, args=(0.1,))
        thread.start()
        yield asked
        server.shutdown()
        thread.join()


@pytest.fixture
def place(box: Mailbox, heard: list[str]) -> Iterator[Place]:
    with workplace() as base:
        (base / "tree").mkdir()
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        written(base / "url", heard[0])
        (base / "send-sms").write_text(SMS.format(base=base))
        (base / "send-sms").chmod(0o755)
        made = Place(base)
        made.configure(one="01:00")
        with made.config.open("a") as file:
            file.write(CHANNELS.format(base=base, port=box.port))
        yield made


def opened(place: Place) -> str:
    said = Finding(Severity.FAULT, "check.gone")
    one, at = CheckId("db1", "filesystems", "/srv"), now()
    with closing(Notices(place.base / "state" / STORE)) as notices:
        return notices.open_incident(Incident("", one, at, at, "full", said))


def sms(place: Place) -> list[str]:
    path = place.base / "sms"
    return path.read_text().splitlines() if path.exists() else []


def test_the_second_channel_works_while_the_first_is_down_and_nothing_is_lost(
    place: Place, box: Mailbox, heard: list[str]
) -> None:
    with place.ready() as daemon:
        code = opened(place)
        eventually(lambda: any(code in one for one in box.subjects()), "mail")
        assert box.taken[0]["To"] == "an@test"
        assert sms(place) == [], "the modem is away"
        failed = "opsd_notification_failures_total"
        refused = '{channel="sms",reason="refused"}'
        eventually(lambda: daemon.metric(failed, refused), "a failure that is counted")
        assert daemon.metric("opsd_incidents_unacknowledged") == 1
        eventually(lambda: [one["To"] for one in box.taken] == ["an@test", "binh@test"], "next")
        assert main(["incident", "ack", code, "--by", "Bình", "--config", str(place.config)]) == 0
        (place.base / "modem").touch()
        eventually(lambda: len(sms(place)) == 2, "the short messages after all")
        assert min(sms(place)).startswith("1: opsd #1.1: ")
        eventually(lambda: daemon.metric("opsd_incidents_unacknowledged") == 0, "taken on")
        assert len(box.taken) == 2
        # and a dead-man switch heard of the daemon, and of the backup from its start to its end
        backup = [asked for asked in heard[1:] if "?rid=" in asked]
        paths, runs = zip(*(asked.split("?rid=") for asked in backup), strict=True)
        assert paths == ("/ping/secret/start", "/ping/secret")
        assert len(set(runs)) == 1
        assert heard.count("/ping/secret") > 2


def test_a_daemon_that_is_killed_forgets_nothing_and_says_what_may_be_a_repetition(
    place: Place, box: Mailbox
) -> None:
    (place.base / "modem").touch()
    box.down = True
    with place.ready() as daemon:
        code = opened(place)
        eventually(lambda: box.refused, "a refusal")
        daemon.end(signal.SIGKILL)
    box.down = False
    box.hold.clear()
    with place.ready() as daemon:
        eventually(lambda: box.taken, "the mail after all")
        daemon.end(signal.SIGKILL)
    box.hold.set()
    with place.ready():
        eventually(lambda: len([o for o in box.taken if o["To"] == "an@test"]) > 1, "once more")
    first, second = [one for one in box.taken if one["To"] == "an@test"][:2]
    assert first["Message-ID"] == second["Message-ID"]
    assert code in str(first["Subject"])
    assert "may have arrived before" in second.get_content()
    assert len({o for o in sms(place) if o.startswith("1:") and code in o}) == 1


# ------------------------------------------------------------------------------ each channel


def letter(to: str = "an@test") -> Letter:
    return Letter("opsd-1.1", "srv", now(), to, "Sự cố\r\nBcc: all@test", "Đĩa đầy.\n")


def test_mail_is_whole_and_a_subject_is_one_line(box: Mailbox) -> None:
    mail.send(mail.Server("127.0.0.1", box.port, "none", 5), "opsd@test", letter())
    (found,) = box.taken
    assert found["Subject"] == "Sự cố Bcc: all@test"
    assert found["Bcc"] is None
    assert found.get_content() == "Đĩa đầy.\r\n"


@pytest.mark.parametrize(
    ("security", "reason"), [("starttls", "refused"), ("tls", "tls"), ("none", "refused")]
)
def test_a_mail_server_that_does_not_do_as_it_should_is_told(
    box: Mailbox, security: str, reason: str
) -> None:
    box.down = True
    with pytest.raises(ChannelFailed) as caught:
        mail.send(mail.Server("127.0.0.1", box.port, security, 5), "opsd@test", letter())
    assert caught.value.reason == reason


def test_who_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(ChannelFailed) as caught:
        mail.send(mail.Server("127.0.0.1", port, "none", 5), "opsd@test", letter())
    assert caught.value.reason == "connect"
    with pytest.raises(ChannelFailed) as caught:
        post.post(post.Place(f"http://127.0.0.1:{port}/", 5), {})
    assert caught.value.reason == "connect"
    with pytest.raises(ChannelFailed) as caught:
        program.send([str(tmp_path / "none")], "1", "a", read_duration("5s"))
    assert caught.value.reason == "program"


def test_a_post_carries_what_is_said() -> None:
    received: list[dict[str, object]] = []
    with receiver(received) as address:
        post.post(post.Place(f"http://{address}/hook?a=b", 5), {"text": "Đĩa đầy"})
    assert received == [{"text": "Đĩa đầy"}]


def test_a_program_gets_the_text_and_its_address_as_one_argument(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = tmp_path / "say"
    script.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >{out}; cat >>{out}\n')
    script.chmod(0o755)
    program.send([str(script), "{to}"], "$(reboot) '\"", "một\nhai", read_duration("5s"))
    assert out.read_text() == "$(reboot) '\"|một\nhai\n"


def test_the_rota_is_shown(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["oncall", "--json", "--config", str(place.config)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["main"] for one in found["oncall"]} == {"an"}
    assert found["gaps"] == 0
    text = place.config.read_text().replace('ends: "00:00", main', 'ends: "23:00", main')
    place.config.write_text(text)
    assert main(["config", "check", "--language", "en", "--config", str(place.config)]) == 0
    assert capsys.readouterr().out.count("nobody is on duty from") in {28, 29}
