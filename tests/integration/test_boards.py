"""Every query of every dashboard, asked of a real Prometheus that reads a real opsd."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from grafana.build import BOARDS, read
from opsd.clock import now
from tests.prometheus import Stack, eventually, stack
from tests.site import ROOT, workplace

CONFIG = """\
language: en
demo: true
timezone: UTC
host: test-host
state: {base}/state
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
repositories:
  main: {{url: {base}/repository, password_file: {base}/password, min_free: 1MiB}}
backup_sets:
  papers:
    repository: main
    schedule: "{at}"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: {base}/tree}}
hosts:
  here: {{}}
probes:
  itself: {{kind: tcp, address: 127.0.0.1, port: {port}, interval: 2s, timeout: 1s}}
"""
# There now and then: while there are incidents, while a run is under way.
OF_OTHERS = {"opsd_incident_open", "opsd_run_progress_ratio"}


@pytest.fixture(scope="module")
def page() -> Iterator[tuple[str, str]]:
    """The address of a daemon that has backed up and proved a set, and its page."""
    with workplace() as base:
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        (base / "tree").mkdir()
        (base / "tree" / "dossier.txt").write_text("một hồ sơ\n")
        at = f"{now() - timedelta(hours=1):%H:%M}"
        config = base / "opsd.yaml"
        config.write_text(CONFIG.format(base=base, at=at, port=1))
        with (base / "log").open("wb") as log:
            argv = [sys.executable, "-m", "opsd", "run", "--config", str(config)]
            process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)
        try:
            address = ready(base / "log")
            text = scraped(address)
            yield address, text
        finally:
            process.terminate()
            process.wait(60)


def ready(log: Path) -> str:
    found: list[str] = []

    def listens() -> bool:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        found[:] = [line["address"] for line in lines if line.get("port") == "metrics"]
        return bool(found)

    eventually(listens, "a daemon")
    return found[0]


def scraped(address: str) -> str:
    """The page once a backup is proved."""

    def text() -> str:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    eventually(lambda: "opsd_proof_last_restored_files" in text(), "a proof", 120)
    return text()


@pytest.fixture(scope="module")
def running(page: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack([page[0]], tmp_path_factory.mktemp("stack"), hasty=False) as made:
        made_of = "count_over_time(opsd_build_info[1m]) >= 4"
        eventually(lambda: made.query(made_of), "a few scrapes")
        yield made


def queries() -> list[tuple[str, str]]:
    return [
        (f"{board.uid}: {panel.title}: {query['legend']}", query["expr"])
        for board in map(read, sorted(BOARDS.glob("*.yml")))
        for _, panels in board.rows
        for panel in panels
        for query in panel.queries
    ]


def asked(query: str) -> str:
    return re.sub(r"\$(?!__)\w+", ".+", query).replace("$__rate_interval", "1m")


def silent(running: Stack, exported: set[str]) -> list[str]:
    """The queries that get no answer although opsd exports all that they ask."""
    return [
        name
        for name, query in queries()
        if not running.query(asked(query))
        and ":" not in query
        and (wanted := set(re.findall(r"opsd_\w+", query)))
        and wanted <= exported - OF_OTHERS
    ]


def test_every_query_is_understood_and_has_an_answer_where_opsd_exports(
    running: Stack, page: tuple[str, str]
) -> None:
    exported = set(re.findall(r"^(\w+)(?:\{.*\})? ", page[1], re.MULTILINE))
    assert len([name for name in exported if name.startswith("opsd_")]) > 50
    eventually(lambda: not silent(running, exported), f"an answer to {silent(running, exported)}")
    answered = [name for name, query in queries() if running.query(asked(query))]
    assert len(answered) > 35


def test_a_query_that_cannot_be_parsed_would_be_found(running: Stack) -> None:
    with pytest.raises(ValueError, match="parse error"):
        running.query("sum(")
