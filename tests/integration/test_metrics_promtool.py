"""Prometheus' own programs read what opsd exports: its lint, its rules, a real scrape."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsd.catalogue import Language
from opsd.config.load import parse
from opsd.config.values import Address
from opsd.metrics import Board, Collector, Exposition, Sources, Vitals
from opsd.metrics.families import OF_THE_HISTORY
from opsd.metrics.table import FAMILIES, Page
from opsd.model import (
    Closing,
    Evidence,
    MemberKind,
    MemberSnapshot,
    Outcome,
    Proof,
    ProofReached,
    RecoveryPoint,
    Run,
    Task,
)
from opsd.store import Store
from opsd.web import MetricsPages, Server
from tests.site import ROOT

PROMETHEUS = ROOT / "grafana" / "prometheus"
ALERTS = PROMETHEUS / "alerts" / "opsd_backup.yml"
NIGHT = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)
CONFIG = """\
host: srv
repositories:
  main: {{url: {repository}, password_file: /etc/opsd/main.password}}
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      scans: {{kind: files, path: /srv/scans}}
"""
SCRAPE = """\
scrape_configs:
  - job_name: opsd
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{{targets: ["{target}"]}}]
"""


def promtool(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A history in which every metric has something to tell."""
    found = Store(tmp_path / "opsd.sqlite")
    member = MemberSnapshot(
        "scans", MemberKind.FILES, "ab" * 32, "/srv/scans", 60, 4096, 0, 1024, timedelta()
    )
    found_figures = dict.fromkeys(("read_bytes", "files", "bytes", "rows", "reconciled_rows"), 7)
    for task in (Task.BACKUP, Task.PROVE):
        run = Run(task.value, task, "dossiers", "main", NIGHT, "srv", 1, NIGHT)
        found.open_run(run)
        found.add_evidence(Evidence(run.id, NIGHT, "phases", {"upload": 2.5, "fetch": 1.0}))
        found.add_evidence(Evidence(run.id, NIGHT, "proof", found_figures))
        found.close_run(Closing(run.id, NIGHT, Outcome.SUCCEEDED, timedelta(minutes=5)))
    found.add_point(
        RecoveryPoint("backup", "dossiers", "main", "srv", NIGHT, (member,), complete=True)
    )
    found.add_proof(ProofReached("prove", "backup", "main", NIGHT, Proof.PROVED, Outcome.PASSED))
    yield found
    found.close()


@pytest.fixture
def exposition(store: Store, tmp_path: Path) -> Exposition:
    config = parse(CONFIG.format(repository=tmp_path / "repository"))
    board = Board()
    board.line("dossiers").advance(1, 2)
    vitals = Vitals(NIGHT, {"dossiers": NIGHT + timedelta(days=1)}, True, NIGHT)
    return Exposition(
        Collector(Sources(lambda: config, store, lambda run: True, board, lambda: vitals))
    )


@pytest.fixture
def server(exposition: Exposition) -> Iterator[Server]:
    made = Server(Address("127.0.0.1:0"), MetricsPages(exposition, lambda: Language.VI))
    yield made
    made.close()


def test_promtool_has_nothing_to_say_about_the_page(exposition: Exposition) -> None:
    page = exposition.page().decode()
    found = promtool("check", "metrics", text=page)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    exported = set(re.findall(r"^# TYPE (opsd_\w+) ", page, re.MULTILINE))
    assert exported == {family.name for family in OF_THE_HISTORY}, "promtool saw only a part"


def test_promtool_has_nothing_to_say_about_any_metric_there_is() -> None:
    page = Page()
    for name, family in FAMILIES.items():
        page.add(name, 1, *("x" for _ in family.labels))
    found = promtool("check", "metrics", text=page.text())
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_promtool_would_have_something_to_say() -> None:
    bad = "# TYPE opsd_backup_runs counter\nopsd_backup_runs 1\n"
    assert promtool("check", "metrics", text=bad).returncode != 0


# ------------------------------------------------------------------------------ the rules


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def test_the_rules_pass_their_tests() -> None:
    for test in sorted((PROMETHEUS / "tests").glob("*_test.yml")):
        found = promtool("test", "rules", test)
        assert found.returncode == 0, found.stdout + found.stderr


def test_the_example_is_a_configuration_with_our_rules(tmp_path: Path) -> None:
    shutil.copytree(PROMETHEUS / "alerts", tmp_path / "alerts")
    shutil.copy(PROMETHEUS / "scrape.example.yml", tmp_path / "prometheus.yml")
    found = promtool("check", "config", tmp_path / "prometheus.yml")
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(rules())} rules found" in found.stdout


def test_every_alert_is_tested_and_asks_only_what_is_exported() -> None:
    tested = (PROMETHEUS / "tests" / "opsd_backup_test.yml").read_text(encoding="utf-8")
    for rule in rules():
        assert rule["alert"] in tested
        assert set(re.findall(r"opsd_\w+", rule["expr"])) <= set(FAMILIES)
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert {"summary", "summary_vi", "description", "description_vi"} == set(
            rule["annotations"]
        )


@pytest.mark.parametrize("number", range(len(rules())))
def test_an_alert_that_never_fires_would_fail_the_tests(number: int, tmp_path: Path) -> None:
    """A test that passes whatever the rule says tests nothing."""
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    copy = tmp_path / "prometheus" / "alerts" / ALERTS.name
    spoiled = yaml.safe_load(copy.read_text(encoding="utf-8"))
    spoiled["groups"][0]["rules"][number]["expr"] = "vector(1) < 0"
    copy.write_text(yaml.safe_dump(spoiled), encoding="utf-8")
    test = tmp_path / "prometheus" / "tests" / "opsd_backup_test.yml"
    assert promtool("test", "rules", test).returncode != 0


# ------------------------------------------------------------------------------ a real scrape


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def asked(base: str, query: str) -> list[dict[str, Any]]:
    url = f"{base}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  (http, put together here)
            return list(json.load(answer)["data"]["result"])
    except (urllib.error.URLError, ConnectionError):
        return []  # not up yet


@pytest.fixture
def prometheus(server: Server, tmp_path: Path) -> Iterator[str]:
    """A real Prometheus that scrapes the real server; gives its address."""
    config = tmp_path / "prometheus.yml"
    config.write_text(SCRAPE.format(target=server.address))
    address = f"127.0.0.1:{free_port()}"
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(30)


def test_a_real_prometheus_scrapes_it_and_answers(prometheus: str) -> None:
    query = 'opsd_proof_newest_point_timestamp_seconds{job="opsd",level="proved"}'
    end = time.monotonic() + 60
    while not (found := asked(prometheus, query)) and time.monotonic() < end:
        time.sleep(0.1)
    (sample,) = found
    assert float(sample["value"][1]) == NIGHT.timestamp()
    assert sample["metric"]["backup_set"] == "dossiers"
    assert not [name for name in sample["metric"] if name.startswith("exported_")]
    (up,) = asked(prometheus, "up")
    assert up["value"][1] == "1"


# ------------------------------------------------------------------------------ a broken history


def test_a_history_that_cannot_be_read_fails_the_scrape(server: Server, store: Store) -> None:
    """Rather no page than one that looks well."""
    store.close()
    store.path.write_bytes(b"no history at all" * 1000)
    for leftover in store.path.parent.glob("opsd.sqlite-*"):
        leftover.unlink()
    with pytest.raises(urllib.error.HTTPError, match="500") as caught:
        urllib.request.urlopen(f"http://{server.address}/metrics", timeout=10)
    assert b"opsd_" not in caught.value.read()
    caught.value.close()
