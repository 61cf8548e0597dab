"""Several logs and several repositories in one set: what is told of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.config.load import parse
from opsd.metrics import Board, Collector, Sources
from opsd.model import Closing, Evidence, Outcome, Run, Task
from opsd.store import Store

NIGHT = datetime(2026, 11, 28, 1, 30, tzinfo=UTC)
CONFIG = """\
host: srv
repositories:
  main: {url: /srv/main, password_file: /etc/opsd/main.password}
  far: {url: /srv/far, password_file: /etc/opsd/far.password}
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      one:
        kind: postgres
        connection: dbname=one
        wal: {receivers: {here: {directory: /srv/wal}}, repositories: [main, far]}
      two:
        kind: postgres
        connection: dbname=two
        wal: {receivers: {here: {directory: /srv/wal2}}, repositories: [main, far]}
      fees:
        kind: mariadb
        database: fees
        socket: /run/fees.sock
        binlog: {directory: /srv/binlog}
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "opsd.sqlite")
    yield found
    found.close()


def replayed(store: Store, night: int, member: str, repository: str, outcome: Outcome) -> None:
    at = NIGHT + timedelta(days=night)
    run = Run(f"{member}{night}", Task.REPLAY, "dossiers", repository, at, "srv", 1, None)
    store.open_run(run)
    body = {
        "member": member,
        "repository": repository,
        "achieved": at.isoformat(),
        "seconds": {"fetch": 2.0, "replay": night},
    }
    store.add_evidence(Evidence(run.id, at, "replayed", body))
    store.close_run(Closing(run.id, at, outcome, timedelta(minutes=1)))


def copied(store: Store, night: int, member: str) -> None:
    at = NIGHT + timedelta(days=night)
    run = Run(f"{member}{night}", Task.BASE, "dossiers", "main", at, "srv", 1, None)
    store.open_run(run)
    for repository in ("main", "far"):
        labels = {"member": member, "repository": repository}
        base = {**labels, "until": at.isoformat(), "added_bytes": night}
        store.add_evidence(Evidence(run.id, at, "base", base))
        left = {**labels, "oldest": NIGHT.isoformat()}
        store.add_evidence(Evidence(run.id, at, "bases", left))
    store.close_run(Closing(run.id, at, Outcome.SUCCEEDED, timedelta(minutes=1)))


def told(store: Store, name: str) -> dict[tuple[str, str], float]:
    """A metric of the page by member and repository."""
    sources = Sources(lambda: parse(CONFIG), store, alive=lambda run: True, board=Board())
    text = Collector(sources).page().text()
    found = re.findall(
        rf'^{name}{{.*member="(.*?)",repository="(.*?)"}} (\S+)$', text, re.MULTILINE
    )
    return {(member, repository): float(value) for member, repository, value in found}


def test_each_log_is_told_from_each_repository_however_the_newest_run_ended(store: Store) -> None:
    for night in range(0, 10, 2):
        replayed(store, night, "one", "main", Outcome.PASSED)
        replayed(store, night + 1, "one", "far", Outcome.PASSED if night < 3 else Outcome.FAILED)
    replayed(store, 4, "two", "main", Outcome.PASSED)
    replayed(store, 9, "fees", "main", Outcome.PASSED)
    replayed(store, 7, "two", "given_up", Outcome.PASSED)

    def at(night: int) -> float:
        return (NIGHT + timedelta(days=night)).timestamp()

    good = {("one", "main"): 8, ("one", "far"): 3, ("two", "main"): 4, ("fees", "main"): 9}
    for name in ("success", "achieved"):
        found = told(store, f"opsd_wal_replay_last_{name}_timestamp_seconds")
        assert found == {place: at(night) for place, night in good.items()}
    seconds = told(store, "opsd_wal_replay_last_duration_seconds")
    assert seconds == {place: 2.0 + night for place, night in good.items()}


def test_base_copies_of_each_log_are_told(store: Store) -> None:
    for night in (1, 2):
        copied(store, night, "one")
        copied(store, night + 10, "two")
    every = {("one", "main"): 2, ("one", "far"): 2, ("two", "main"): 12, ("two", "far"): 12}
    assert told(store, "opsd_wal_base_last_added_bytes") == every
    newest = told(store, "opsd_wal_base_newest_timestamp_seconds")
    assert newest[("two", "far")] == (NIGHT + timedelta(days=12)).timestamp()
    oldest = told(store, "opsd_wal_oldest_recoverable_timestamp_seconds")
    assert oldest == dict.fromkeys(every, NIGHT.timestamp())
