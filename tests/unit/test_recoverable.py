"""What of a log can be brought back, and how fast: told of a real history, never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from opsd import assembly
from opsd.binlog import LogFile, Spot
from opsd.cli import main
from opsd.clock import now
from opsd.config.load import load
from opsd.metrics import Board, Collector, Sources, Vitals, Watched
from opsd.model import (
    CheckId,
    CheckResult,
    CheckState,
    Closing,
    Evidence,
    Outcome,
    Run,
    Status,
    Task,
)
from opsd.policy.recoverable import Reach, Recoverable, forecast, measured
from opsd.store.watch import Page
from opsd.tasks.binlog import guarding, shipping
from opsd.tasks.binlog.stream import streams
from opsd.tasks.kit import Kit
from opsd.tasks.wal import shipping as wal_shipping
from opsd.tasks.wal import telling
from opsd.tasks.wal.guard import Guard, Look
from opsd.tasks.wal.log import logs
from opsd.tasks.wal.receiving import Reception
from opsd.wal import Gap, position
from tests.configured import configured

NOON = datetime(2026, 11, 28, 5, tzinfo=UTC)  # at which it is noon in Vietnam
HOUR = timedelta(hours=1)
MIB = 1 << 20
CONFIG = """
language: en
demo: true
state: {base}/state
repositories:
  main: {{url: {base}/main, password_file: {base}/password}}
  away: {{url: {base}/away, password_file: {base}/password}}
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 1h
    members:
      database:
        kind: postgres
        connection: host=/nowhere dbname=dossiers
        wal:
          receivers: {{here: {{directory: {base}/wal}}}}
          repositories: [main, away]
      fees:
        kind: mariadb
        database: fees
        socket: /nowhere/socket
        binlog: {{directory: {base}/binlog}}
"""
ONE, TWO, THREE = (LogFile("log", number) for number in (1, 2, 3))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configured(tmp_path, CONFIG)


@pytest.fixture
def kit(config: Path) -> Iterator[Kit]:
    made = assembly.assemble(load(config), clock=lambda: NOON)
    yield made
    made.store.close()


def ran(
    kit: Kit, task: Task, at: datetime, *told: tuple[str, dict[str, Any]], good: bool = True
) -> str:
    """A run of the history that told this."""
    run = Run(f"{task}-{at:%Y%m%dT%H%M%S}", task, "dossiers", "main", at, "srv", 1, None)
    kit.store.open_run(run)
    for kind, body in told:
        kit.store.add_evidence(Evidence(run.id, at, kind, body))
    outcome = Outcome.PASSED if good else Outcome.FAILED
    kit.store.close_run(Closing(run.id, at + HOUR, outcome, HOUR, "" if good else "integrity"))
    return run.id


def based(kit: Kit, at: datetime, read: int, start: str) -> None:
    """A base copy of PostgreSQL's, in both repositories."""
    told: list[tuple[str, dict[str, Any]]] = []
    for name in ("main", "away"):
        who = {"member": "database", "repository": name}
        copy = {"bytes": 9 * MIB, "read_bytes": read, "added_bytes": 1, "start": start}
        told.append(("base", {**who, **copy, "until": at.isoformat()}))
        told.append(("bases", {**who, "oldest": (NOON - 48 * HOUR).isoformat()}))
    ran(kit, Task.BASE, at, *told)


def based_fees(kit: Kit, at: datetime) -> None:
    who = {"member": "fees", "repository": "main", "until": at.isoformat()}
    copy = {"bytes": 90 * MIB, "added_bytes": 1, "spot": "log.000002:50"}
    oldest = {**who, "oldest": (NOON - 30 * HOUR).isoformat()}
    ran(kit, Task.BASE, at, ("base", {**who, **copy}), ("bases", oldest))


def played(kit: Kit, at: datetime, member: str, *, good: bool = True, **figures: object) -> None:
    """A replay that took 20 s."""
    told = {"member": member, "repository": "main", "achieved": at.isoformat(), **figures}
    seconds = {"fetch": 5.0, "verify": 5.0, "replay": 10.0}
    ran(kit, Task.REPLAY, at, ("replayed", {**told, "seconds": seconds}), good=good)


def nights(kit: Kit) -> None:
    """Two base copies, of which the second is read in several packs, and one of MariaDB's."""
    based(kit, NOON - 36 * HOUR, 100 * MIB, "0/1000000")
    based(kit, NOON - 12 * HOUR, 230 * MIB, "0/6400000")
    played(kit, NOON - 11 * HOUR, "database", read_bytes=200 * MIB)
    based_fees(kit, NOON - 10 * HOUR)
    played(kit, NOON - 9 * HOUR, "fees", base_bytes=80 * MIB, wal_bytes=20 * MIB)
    played(kit, NOON - 8 * HOUR, "database", good=False, read_bytes=1)


RUNS = Reception(running=True, restarts=0, said="", free=50 << 30, since=NOON)
END = position("0/6400000") + 70 * MIB


def looked(kit: Kit, **of_away: Any) -> list[CheckResult]:
    """What the guards of both logs tell, when all of the log is there; of `away` some changed."""
    (log,), (stream,) = logs(kit), streams(kit)
    whole: dict[str, Any] = {"at": NOON, "timeline": 1, "end": END}
    shipped = {
        "main": wal_shipping.Shipped(**whole),
        "away": wal_shipping.Shipped(**{**whole, **of_away}),
    }
    guard = Guard(log, dict, lambda: shipped, lambda _: None)
    told = guard.turn()  # there is no server
    held = {name: NOON - timedelta(seconds=5) for name in shipped}
    look = Look(
        NOON, None, "", {}, shipped, {"here": NOON}, held, None, timedelta(), {}, told.forecasts
    )
    sizes = {ONE: 7 * MIB, TWO: 4 * MIB, THREE: 6 * MIB}
    fees = shipping.Shipped(NOON, Spot(THREE, 6 * MIB), sizes=sizes)
    seen = guarding.Guard(stream).turn(RUNS, {"main": fees})
    mine = guarding.Look(NOON, None, "", RUNS, NOON, {"main": (fees, NOON)}, seen.forecasts)
    return [*telling.results(log, look), *guarding.results(stream, mine)]


def states(results: list[CheckResult], seen_at: datetime | None = None) -> list[CheckState]:
    at = seen_at or now()
    return [CheckState(CheckId("", "wal", one.subject), one.status, at, one, at) for one in results]


def watched(kit: Kit, results: list[CheckResult], seen_at: datetime | None = None) -> None:
    """Let the watch know it, as a daemon does."""
    watch = assembly.samples(kit.config)
    watch.write(Page(states=states(results, seen_at)))
    watch.close()


Ask = Callable[..., str]


@pytest.fixture
def ask(config: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """`opsd status`, as it is printed."""

    def asked(*arguments: str, language: str = "en") -> str:
        main.main(["status", *arguments, "--config", str(config), "--language", language])
        return capsys.readouterr().out

    return asked


def recovery(ask: Ask) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask("--json"))["sets"]["dossiers"]["recovery"]
    return found


def test_status_tells_since_when_and_how_fast_each_log_comes_back(kit: Kit, ask: Ask) -> None:
    nights(kit)
    watched(kit, looked(kit))
    found = recovery(ask)
    # 130 MiB of base copies, of which one of 100 is made anew, and 70 of the log, at 10 MiB/s.
    reach = {
        "oldest": "2026-11-26T05:00:00Z",
        "newest": "2026-11-28T04:59:55Z",
        "gaps": 0,
        "forecast_seconds": 30.0,
    }
    assert found["dossiers/database"] == {
        "repositories": {"main": reach, "away": reach},
        "measured": {"status": "ok", "seconds": 20.0},
        "forecast": {"status": "ok", "seconds": 30.0},
    }
    # MariaDB's: 90 MiB and two files of the log, at 5 MiB/s.
    assert found["dossiers/fees"]["forecast"] == {"status": "ok", "seconds": 20.0}
    assert found["dossiers/fees"]["repositories"]["main"]["oldest"] == "2026-11-26T23:00:00Z"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            """\
dossiers/database: Recovery to any moment
  main             oldest 2026-11-26 12:00:00 +07:00
                   newest 2026-11-28 11:59:55 +07:00
X away             oldest 2026-11-26 12:00:00 +07:00
                   newest 2026-11-28 11:59:55 +07:00; gaps: 1
  Time measured    20.0 s, within the RTO of 1 h
  Expected to now  30.0 s, within the RTO of 1 h
""",
        ),
        ("vi", "\n  Dự kiến tới lúc này  30,0 giây, trong hạn RTO 1 giờ\n"),
    ],
)
def test_people_read_the_same(language: str, said: str, kit: Kit, ask: Ask) -> None:
    nights(kit)
    watched(kit, looked(kit, gaps=(Gap(1, 0, 1, NOON, NOON),)))
    assert said in ask(language=language)


def test_a_set_is_as_good_as_its_logs(kit: Kit, ask: Ask) -> None:
    nights(kit)
    watched(kit, looked(kit))
    before = ask().partition("\n")[0]
    watched(kit, looked(kit, gaps=(Gap(1, 0, 1, NOON, NOON),)))
    assert (before, ask().partition("\n")[0]) == ("dossiers: UNKNOWN", "dossiers: CRITICAL")


def test_what_nobody_watches_and_nothing_measured_is_unknown(kit: Kit, ask: Ask) -> None:
    unknown = {"oldest": None, "newest": None, "gaps": None, "forecast_seconds": None}
    nothing = {"status": "unknown", "seconds": None}
    expected = {"repositories": {"main": unknown}, "measured": nothing, "forecast": nothing}
    assert recovery(ask)["dossiers/fees"] == expected
    based_fees(kit, NOON - HOUR)
    reach = recovery(ask)["dossiers/fees"]["repositories"]["main"]
    assert reach == {**unknown, "oldest": "2026-11-26T23:00:00Z"}
    assert """\
dossiers/fees: Recovery to any moment
? main             oldest 2026-11-27 06:00:00 +07:00
                   newest not known
? Time measured    not known
? Expected to now  not known
""" in ask()


def test_what_was_seen_before_the_daemon_ended_says_nothing_of_now(kit: Kit, ask: Ask) -> None:
    nights(kit)
    watched(kit, looked(kit), now() - 2 * timedelta(minutes=1))
    found = recovery(ask)["dossiers/database"]
    assert found["repositories"]["main"] == {
        "oldest": "2026-11-26T05:00:00Z",
        "newest": "2026-11-28T04:59:55Z",
        "gaps": None,
        "forecast_seconds": None,
    }
    assert (found["measured"]["status"], found["forecast"]["status"]) == ("ok", "unknown")
    assert "? main             oldest 2026-11-26 12:00:00 +07:00\n" in ask()


def test_a_recovery_that_takes_too_long_is_as_bad_as_a_restore(kit: Kit, ask: Ask) -> None:
    nights(kit)
    played(kit, NOON - HOUR, "database", read_bytes=20 * (MIB >> 4))
    watched(kit, looked(kit))
    found = recovery(ask)["dossiers/database"]
    assert found["measured"]["status"] == "ok"
    assert found["forecast"] == {"status": "critical", "seconds": 4800.0}
    assert "X Expected to now  1 h 20 min, BEYOND the RTO of 1 h\n" in ask()


METRIC = "opsd_wal_recovery_predicted_duration_seconds"


def told(results: list[CheckResult]) -> dict[tuple[str, str], float]:
    """What is expected of each log and repository."""
    return {
        (one.labels["member"], one.labels["repository"]): one.value
        for result in results
        for one in result.measurements
        if one.metric == METRIC
    }


@pytest.mark.parametrize(
    "of_away",
    [
        {"gaps": (Gap(1, 0, 1, NOON, NOON),)},
        {"error": "no answer"},
        {"end": 0},
        {"end": position("0/6400000") - 1},
    ],
    ids=["gap", "silent", "empty", "another server's"],
)
def test_where_the_log_is_not_all_there_nothing_is_expected(
    of_away: dict[str, Any], kit: Kit
) -> None:
    nights(kit)
    assert told(looked(kit, **of_away)) == {("database", "main"): 30.0, ("fees", "main"): 20.0}


def test_a_speed_that_is_not_known_says_nothing(kit: Kit) -> None:
    based(kit, NOON - 12 * HOUR, 30 * MIB, "0/6400000")
    based_fees(kit, NOON - 10 * HOUR)
    played(kit, NOON - 9 * HOUR, "fees")
    assert not told(looked(kit))


def test_the_same_is_told_as_metrics_and_of_no_repository_that_is_not_configured(
    kit: Kit,
) -> None:
    nights(kit)
    at = NOON - HOUR
    stray = {"member": "fees", "repository": "left", "until": at.isoformat(), "added_bytes": 7}
    ran(kit, Task.BASE, at, ("base", stray), ("bases", {**stray, "oldest": at.isoformat()}))
    seen = Watched(states=states(looked(kit)))
    vitals = Vitals(NOON, {}, reload_successful=True, reloaded_at=NOON)
    sources = Sources(
        config=lambda: kit.config,
        store=kit.store,
        alive=lambda run: False,
        board=Board(),
        vitals=lambda: vitals,
        messages=dict,
        watched=lambda: seen,
    )
    page = Collector(sources).page().text()
    found = {
        (one.name, one.labels["member"], one.labels["repository"]): one.value
        for family in text_string_to_metric_families(page)
        for one in family.samples
        if "repository" in one.labels and "member" in one.labels
    }
    oldest, newest = (
        {who[1:]: at for who, at in found.items() if who[0] == f"opsd_wal_{name}_timestamp_seconds"}
        for name in ("oldest_recoverable", "base_newest")
    )
    long_ago = (NOON - 48 * HOUR).timestamp()
    assert oldest == {
        ("database", "main"): long_ago,
        ("database", "away"): long_ago,
        ("fees", "main"): (NOON - 30 * HOUR).timestamp(),
    }
    assert set(newest) == set(oldest)
    assert newest["fees", "main"] == (NOON - 10 * HOUR).timestamp()
    assert {who[1:]: at for who, at in found.items() if who[0] == METRIC} == {
        ("database", "main"): 30.0,
        ("database", "away"): 30.0,
        ("fees", "main"): 20.0,
    }


@pytest.mark.parametrize(
    ("log", "speed", "seconds"), [(20, 10, 12), (None, 10, None), (-1, 10, None), (20, None, None)]
)
def test_an_expectation_needs_log_and_speed(
    log: int | None, speed: float | None, seconds: float | None
) -> None:
    found = forecast(100, log, speed)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_the_longest_of_what_is_known_counts_and_old_replays_have_no_speed() -> None:
    spans = {"a": Reach(forecast=HOUR), "b": Reach(forecast=2 * HOUR), "c": Reach()}
    found = Recoverable(HOUR, spans, HOUR)
    assert (found.forecast, found.statuses) == (2 * HOUR, (Status.OK, Status.CRITICAL))
    assert Recoverable(HOUR, {"c": Reach()}).statuses == (Status.UNKNOWN, Status.UNKNOWN)
    old = measured({"seconds": {"fetch": 2.0, "replay": 1.0}})
    assert (old.span, old.speed) == (timedelta(seconds=3), None)
