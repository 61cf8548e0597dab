"""Prometheus' own programs read what opsd exports: its lint, its rules, a real scrape."""

import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.catalogue import Language
from opsd.config import users
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
from tests.guards import PASSWORD, certificate, guarded, written
from tests.prometheus import eventually, stack

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
    retention: {{min_age: 14d}}
    members:
      scans: {{kind: files, path: /srv/scans}}
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
    words = ("read_bytes", "files", "bytes", "rows", "reconciled_rows")
    found_figures: dict[str, object] = dict.fromkeys(words, 7)
    covered = {"read_bytes": 7, "unread": 0, "damaged": 0, "oldest": NIGHT.isoformat()}
    covered["stored_bytes"] = 7
    for task in (Task.BACKUP, Task.PROVE, Task.COVER, Task.RETAIN):
        run = Run(task.value, task, "dossiers", "main", NIGHT, "srv", 1, NIGHT)
        found.open_run(run)
        found.add_evidence(Evidence(run.id, NIGHT, "phases", {"upload": 2.5, "fetch": 1.0}))
        found.add_evidence(Evidence(run.id, NIGHT, "proof", found_figures))
        found.add_evidence(Evidence(run.id, NIGHT, "coverage", covered))
        found.close_run(Closing(run.id, NIGHT, Outcome.SUCCEEDED, timedelta(minutes=5)))
    found.add_point(
        RecoveryPoint("backup", "dossiers", "main", "srv", NIGHT, (member,), complete=True)
    )
    found.add_proof(ProofReached("prove", "backup", "main", NIGHT, Proof.PROVED, Outcome.PASSED))
    found.add_verified(NIGHT, 1)
    yield found
    found.close()


@pytest.fixture
def exposition(store: Store, tmp_path: Path) -> Exposition:
    config = parse(CONFIG.format(repository=tmp_path / "repository"))
    board = Board()
    board.line("dossiers").advance(1, 2)
    vitals = Vitals(NIGHT, {"dossiers": NIGHT + timedelta(days=1)}, True, NIGHT)
    sources = Sources(lambda: config, store, lambda run: True, board, lambda: vitals)
    return Exposition(Collector(replace(sources, messages=lambda: {"error": 1})))


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


# ------------------------------------------------------------------------------ a real scrape


def test_a_real_prometheus_scrapes_it_and_answers(server: Server, tmp_path: Path) -> None:
    query = 'opsd_proof_newest_point_timestamp_seconds{job="opsd",level="proved"}'
    with stack([server.address], tmp_path) as running:
        eventually(lambda: running.query(query), "a sample")
        (sample,) = running.query(query)
        assert float(sample["value"][1]) == NIGHT.timestamp()
        assert sample["metric"]["backup_set"] == "dossiers"
        assert not [name for name in sample["metric"] if name.startswith("exported_")]
        (up,) = running.query("up")
        assert up["value"][1] == "1"


def test_a_real_prometheus_comes_through_tls_with_its_password_and_not_without(
    exposition: Exposition, tmp_path: Path
) -> None:
    path, key = certificate(tmp_path)
    users_file = written(tmp_path / "users", users.entry("prometheus", PASSWORD, os.urandom(16)))
    guard = guarded(certificate_file=path, key_file=key, users_file=users_file)
    server = Server(Address("127.0.0.1:0"), MetricsPages(exposition, lambda: Language.VI), guard)
    (tmp_path / "stack").mkdir()
    password = written(tmp_path / "password", PASSWORD)
    over = {
        "scheme": "https",
        "tls_config": {"ca_file": str(path), "server_name": "localhost"},
        "basic_auth": {"username": "prometheus", "password_file": str(password)},
    }
    with closing(server), stack([server.address], tmp_path / "stack", over=over) as running:
        eventually(lambda: running.query('up{job="opsd"} == 1'), "a scrape")
        assert running.query("opsd_build_info")
        written(users_file, users.entry("prometheus", PASSWORD + "x", os.urandom(16)))
        eventually(lambda: running.query('up{job="opsd"} == 0'), "a refusal")


def test_an_alert_goes_all_the_way_and_comes_back(server: Server, tmp_path: Path) -> None:
    """The newest data is far older than its RPO, until opsd is gone altogether."""
    with stack([server.address], tmp_path) as running:
        eventually(lambda: running.told("OpsdBackupTooOld"), "the alert at the receiver")
        (told, *_) = running.told("OpsdBackupTooOld")
        assert told["labels"]["backup_set"] == "dossiers"
        assert "docs" not in told["labels"]
        said = told["annotations"]
        assert said["runbook_url"] == "http://docs/runbooks/OpsdBackupTooOld.md"
        assert "dossiers" in said["description_vi"]
        eventually(lambda: running.told("Watchdog"), "the heartbeat")
        eventually(lambda: "OpsdDown" not in running.firing(), "the first scrape")
        server.close()
        eventually(lambda: "OpsdDown" in running.firing(), "OpsdDown")
        eventually(lambda: running.told("OpsdBackupTooOld", "resolved"), "its end")


# ------------------------------------------------------------------------------ a broken history


def test_a_history_that_cannot_be_read_fails_the_scrape(server: Server, store: Store) -> None:
    """Rather no page than one that looks well."""
    store.close()
    assert isinstance(store.place, Path)
    store.place.write_bytes(b"no history at all" * 1000)
    for leftover in store.place.parent.glob("opsd.sqlite-*"):
        leftover.unlink()
    with pytest.raises(urllib.error.HTTPError, match="500") as caught:
        urllib.request.urlopen(f"http://{server.address}/metrics", timeout=10)
    assert b"opsd_" not in caught.value.read()
    caught.value.close()
