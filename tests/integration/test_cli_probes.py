"""`opsd probe` and `opsd outages`, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsd import assembly
from opsd.cli import outages
from opsd.cli.main import main
from opsd.config.load import load
from opsd.model import CheckId, CheckResult, Maintenance, Status
from opsd.policy.judging import Rule
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.notebook import Answers
from tests.servers import answering, page, serving

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 15, 17, 0, tzinfo=UTC)  # fifteen days of November in Vietnam
CONFIG = """\
language: en
host: srv
demo: true
state: {base}/state
repositories:
  main: {{url: {base}/repository, password_file: {base}/password}}
backup_sets:
  web:
    repository: main
    schedule: "13:30"
    rpo: 24h
    rto: 4h
    members: {{tree: {{kind: files, path: {base}/web}}}}
probes:
  portal:
    kind: walk
    title: Cổng của bạn
    scope: upstream
    timeout: 3s
    url: http://127.0.0.1:{port}
    steps:
      - name: in
        path: "/in?ticket=hidden"
        form: {{user: probe}}
        secret_form: {{word: {base}/word}}
  line: {{kind: ping, address: 127.0.0.1, count: 2, gap: 10ms, timeout: 3s}}
  other: {{kind: tcp, address: 127.0.0.1, port: {port}, scope: upstream, timeout: 3s}}
  off: {{kind: tcp, address: 127.0.0.1, port: {port}, scope: upstream, enabled: false}}
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def port() -> Iterator[int]:
    with serving(answering(page(b"closed for today", "503 Service Unavailable"))) as found:
        yield found


@pytest.fixture
def config(tmp_path: Path, port: int) -> Path:
    (tmp_path / "word").write_text("sesame\n")
    path = tmp_path / "opsd.yaml"
    path.write_text(CONFIG.format(base=tmp_path, port=port), encoding="utf-8")
    return path


@pytest.fixture
def opsd(config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(outages, "now", lambda: NOW)

    def run(*arguments: str) -> tuple[int, str]:
        code = main([*arguments, "--config", str(config)])
        return code, "".join(capsys.readouterr())

    return run


def test_a_probe_ends_with_the_codes_of_nagios(opsd: Run) -> None:
    assert opsd("probe", "line")[0] == Status.OK
    code, said = opsd("probe", "portal")
    assert (code, said.split()[0]) == (Status.CRITICAL, "CRITICAL")
    assert "503 Service Unavailable" in said
    assert "theirs: they take the connection" in said, "it is a partner's"
    code, said = opsd("probe", "nothing")
    assert code == Status.UNKNOWN
    assert "there is no probe nothing; there are: line, off, other, portal" in said


def test_each_phase_is_shown_as_it_ends(opsd: Run) -> None:
    _, said = opsd("probe", "portal", "--debug")
    shown = [line.split() for line in said.splitlines() if " ms  " in line]
    assert [words[2] for words in shown[:3]] == ["connect", "send", "status"]
    assert "status_wrong 503 Service Unavailable" in said


def test_a_probe_is_told_to_programs(opsd: Run) -> None:
    code, said = opsd("probe", "portal", "--json", "--debug")
    body = json.loads(said)
    assert code == Status.CRITICAL
    assert (body["status"], body["cause"]) == ("critical", "status_wrong")
    assert [phase["name"] for phase in body["phases"]] == ["connect", "send", "status"]
    assert body["facts"]["status"] == 503
    assert body["blame"] == {"side": "theirs", "because": "blame.answered"}
    assert datetime.fromisoformat(body["at"]).utcoffset() == timedelta()


def test_evidence_is_for_the_other_side_in_both_languages(opsd: Run, tmp_path: Path) -> None:
    path = tmp_path / "evidence.txt"
    code, said = opsd("probe", "portal", "--evidence", str(path))
    assert code == Status.CRITICAL
    assert "theirs: they take the connection" in said
    text = path.read_text(encoding="utf-8")
    for wanted in (
        "BẰNG CHỨNG DÒ DỊCH VỤ: Cổng của bạn",
        "EVIDENCE OF A PROBE: Cổng của bạn",
        "phía bạn: ",
        "theirs: ",
        "+00:00",
        "+07:00",
        "status_wrong 503 Service Unavailable",
        "other (tcp, upstream): OK",
        "line (ping, internal): OK",
        "our address",
    ):
        assert wanted in text, wanted
    for secret in ("sesame", "ticket", "hidden", "off ("):
        assert secret not in text
    way = text.split("The way of the packets:")[1].split("\n\n")[0].split()
    assert way[-1] == "127.0.0.1"


def watched(config: Path, script: dict[range, tuple[Status, str]]) -> None:
    """An hour that ends now, asked each minute, as the daemon would have kept it."""
    loaded, begin = load(config), NOW - 60 * MINUTE
    with closing(assembly.cases(loaded)) as cases, closing(assembly.samples(loaded)) as watch:
        ledger = Ledger(cases, watch)
        ledger.adopt({("", "portal"): Rule(MINUTE)}, begin)
        for minute in range(61):
            status, cause = next((s for r, s in script.items() if minute in r), (Status.OK, ""))
            key = f"cause.{cause}" if cause else "probe.good"
            result = CheckResult(status, key, cause=cause)
            ledger.take(Answers("", "portal", begin + minute * MINUTE, (result,)))
        ledger.close()
        cases.start_maintenance(
            Maintenance("m", begin + 30 * MINUTE, begin + 35 * MINUTE, "patches", "me")
        )


def services(said: str) -> dict[str, Any]:
    return {service["probe"]: service for service in json.loads(said)["services"]}


def test_outages_are_told_with_their_minutes_and_causes(config: Path, opsd: Run) -> None:
    out, slow = (Status.CRITICAL, "send_timeout"), (Status.WARNING, "slow")
    watched(config, {range(10, 20): out, range(30, 40): out, range(45, 50): slow})
    code, said = opsd("outages", "--json")
    assert code == 0
    portal = services(said)["portal"]
    assert portal["seconds"]["unplanned"] == 15 * 60
    assert portal["seconds"]["planned"] == 5 * 60
    assert [one["causes"] for one in portal["outages"]] == [["send_timeout"]] * 2
    assert portal["budget"]["allowed_seconds"] == pytest.approx(216 * 60)
    windows = [one["window_seconds"] for one in portal["burning"]]
    assert windows == [6 * 3600, 86400, 3 * 86400], "in the last five minutes it was up"
    assert sum(portal["seconds"].values()) == 15 * 86400
    _, text = opsd("outages", "--month", "2026-11")
    assert "portal (Cổng của bạn)" in text
    assert "objective 99.500 %" in text
    assert text.count("send_timeout") == 2
    assert " ".join(text.split()).count("planned: 5 min") == 1
    _, text = opsd("outages", "--month", "11/2026", "--language", "vi")
    assert "mục tiêu 99,500 %" in text


def test_a_month_before_anybody_looked_has_no_data(opsd: Run) -> None:
    _, said = opsd("outages", "--month", "2020-02", "--json")
    portal = services(said)["portal"]
    assert portal["availability"] is None
    assert portal["seconds"]["blind"] == 29 * 86400
    code, said = opsd("outages", "--month", "November")
    assert code == 2
    assert "not a month: November" in said


def test_a_stretch_of_another_probe_does_not_count(config: Path, opsd: Run) -> None:
    watched(config, {range(10, 20): (Status.CRITICAL, "send_timeout")})
    assert services(opsd("outages", "--json")[1])["other"]["outages"] == []
    with closing(assembly.samples(load(config))) as watch:
        assert len(watch.stretches(CheckId("", "portal"), NOW - 61 * MINUTE)) == 3
