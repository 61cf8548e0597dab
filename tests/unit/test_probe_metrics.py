"""Metrics of probes: what is configured, what was counted, and what the last one saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from opsd.config.probes import Probe, target
from opsd.metrics import probed, watched
from opsd.metrics.probe_families import OF_PROBES
from opsd.metrics.table import Page
from opsd.metrics.watched import Watched
from opsd.model import CheckState
from opsd.tasks.check.probing import about, judge
from opsd.trace import PHASES, Cause, Facts, Packets, Phase, Replication, Trace

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PROBES: TypeAdapter[dict[str, Probe]] = TypeAdapter(dict[str, Probe])
CONFIG: dict[str, dict[str, Any]] = {
    "portal": {
        "kind": "http",
        "url": "https://portal.example.vn:8443/a?b=c",
        "objective": "99%",
        "scope": "upstream",
    },
    "database": {"kind": "postgres", "connection": "host=db1 dbname=x", "host": "db1"},
    "link": {"kind": "ping", "address": "192.0.2.1", "standby": {"address": "192.0.2.2"}},
    "door": {"kind": "ssh", "address": "2001:db8::1", "port": 22},
    "off": {"kind": "tcp", "address": "a", "port": 1, "enabled": False},
}
READ = PROBES.validate_python(CONFIG)


def page(counts: dict[tuple[str, str, str], int], states: tuple[CheckState, ...] = ()) -> str:
    found = Page()
    watched.tell(found, Watched(states=states, counts=counts))
    probed.tell(found, READ, counts)
    return found.text()


def test_a_probe_that_never_ran_has_counted_nothing_in_every_phase() -> None:
    text = page({})
    for phase in PHASES["http"]:
        assert f'opsd_probe_run_failures_total{{check="portal",phase="{phase}"}} 0.0\n' in text
    assert 'opsd_probe_runs_total{check="portal"} 0.0\n' in text
    assert 'opsd_probe_error_budget_ratio{check="portal"} 0.01\n' in text
    assert 'check="off"' not in text
    assert (
        'opsd_probe_info{address="portal.example.vn:8443",check="portal",kind="http",'
        'scope="upstream"} 1.0\n'
    ) in text, "neither path nor query"


def test_runs_and_failures_are_counted_by_phase() -> None:
    counts = {
        ("", "portal", ""): 90,
        ("", "portal", "slow"): 4,
        ("", "portal", "blind"): 1,
        ("", "portal", "tls_expired"): 2,
        ("", "portal", "tls_timeout"): 1,
        ("", "portal", "content_wrong"): 2,
        ("db1", "database", "login_full"): 3,
        ("other", "database", "login_full"): 100,
        ("", "link", ""): 20,
        ("", "link", "lost"): 6,
        ("", "link", "main_lost"): 2,
        ("", "link", "reply_none"): 2,
    }
    text = page(counts)
    assert 'opsd_probe_runs_total{check="portal"} 100.0\n' in text
    assert 'opsd_probe_run_failures_total{check="portal",phase="tls"} 3.0\n' in text
    assert 'opsd_probe_run_failures_total{check="portal",phase="content"} 2.0\n' in text
    assert 'opsd_probe_run_failures_total{check="portal",phase="connect"} 0.0\n' in text
    assert 'opsd_probe_runs_total{check="database"} 3.0\n' in text
    assert 'opsd_probe_runs_total{check="link"} 10.0\n' in text, "three answers a run"
    assert 'opsd_probe_run_failures_total{check="link",phase="reply"} 2.0\n' in text


def test_every_family_has_samples_after_one_probe_of_each_kind() -> None:
    seen = {
        "portal": Trace(
            NOW, timedelta(seconds=1), (Phase("dns", 0.5), Phase("tls", 0.5, Cause.TLS_NAME))
        ),
        "database": Trace(
            NOW,
            timedelta(seconds=1),
            (Phase("login", 0.1),),
            Facts(replication=Replication(True, True, 0, timedelta(seconds=2))),
        ),
        "link": Trace(
            NOW,
            timedelta(seconds=1),
            (Phase("reply", 0.1, step="main"),),
            Facts(roads={"main": Packets(10, (0.1,) * 9), "standby": Packets(10, ())}),
        ),
    }
    states = tuple(
        CheckState(
            replace(about(name, READ[name]), subject=result.subject),
            result.status,
            NOW,
            result,
            NOW,
        )
        for name, trace in seen.items()
        for result in judge(READ[name], trace)
    )
    text = page({}, states)
    missing = {f.name for f in OF_PROBES if f"\n{f.name}{{" not in text}
    assert missing == {"opsd_probe_tls_certificate_expiry_timestamp_seconds"}, "there was none"
    assert 'opsd_probe_success{check="portal"} 0.0\n' in text
    assert 'opsd_link_loss_ratio{check="link",link="main"} 0.1\n' in text
    assert 'opsd_link_loss_ratio{check="link",link="standby"} 1.0\n' in text
    assert 'opsd_link_delay_seconds{check="link",link="standby"}' not in text
    assert 'opsd_probe_replication_lag_seconds{check="database"} 2.0\n' in text


def test_what_a_probe_asks_is_told_without_paths() -> None:
    assert {name: target(probe) for name, probe in READ.items()} == {
        "portal": "portal.example.vn:8443",
        "database": "db1",
        "link": "192.0.2.1",
        "door": "[2001:db8::1]:22",
        "off": "a:1",
    }
