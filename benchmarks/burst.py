"""`python -m benchmarks burst`: from the arrival of an alert to the first step on its host.

A real daemon, real sshd, a playbook of a site's own; of the alerts of a burst some are answered.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import yaml

from benchmarks import machine
from benchmarks.borgmatic import ROOT
from opsd.config.checks import Checks
from tests.hosts import Network, network
from tests.integration.test_daemon import Daemon, Place
from tests.site import workplace
from tests.webhooks import alert_of, message

TOKEN = "benchmark"  # noqa: S105  (protects nothing)
_SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
_PATIENCE = 120.0
_NOTES = """\
A burst is one message of Alertmanager, on as many hosts as alerts of it are answered; the other
alerts are kept, and nothing follows. Each answer looks at its host (one command), is weighed by
every guard, is written down, looks at its precondition and runs its step, `touch`; the time is that
of the file on the host, less the moment before the message was sent. The hosts' names lead to three
real sshd in network namespaces of this machine, so that what they do takes the same cores. The
daemon keeps its connections, and had a moment before the first burst.
"""


@dataclass(frozen=True, slots=True)
class Burst:
    """How long it took from each answered alert to its first step, in seconds."""

    answered: int
    waits: tuple[float, ...]

    def part(self, share: float) -> float:
        """The wait that this share of the alerts did not exceed."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main(argv: Sequence[str]) -> int:
    """Measure what the command line asks for."""
    asked = _parser().parse_args(argv)
    tools = ROOT / ".tools" / "bin"
    os.environ["PATH"] = os.pathsep.join((str(tools), os.environ["PATH"], _SYSTEM))
    found = [measured(answered, asked.alerts, asked.rounds) for answered in asked.answered]
    report = _report(found, asked.alerts, asked.rounds)
    print(report)
    if asked.results:
        asked.results.mkdir(parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y-%m-%d}-burst-{machine.kind()}.md"
        (asked.results / name).write_text(report, encoding="utf-8")
    return 0


def measured(answered: int, alerts: int, rounds: int) -> Burst:
    """Bursts, one after the other, of so many alerts of which so many are answered."""
    names = [f"host-{number:03}" for number in range(answered)]
    with workplace() as base, network() as net:
        for number in range(3):
            net.add(f"server{number}")
        place = _place(base, net, names, rounds)
        with place.ready() as daemon:
            time.sleep(10 + answered / 5)  # the daemon has met its hosts
            waits = [
                wait
                for number in range(rounds)
                for wait in _burst(daemon, base, names, (number, alerts))
            ]
    return Burst(answered, tuple(waits))


def _burst(
    daemon: Daemon, base: Path, names: Sequence[str], burst: tuple[int, int]
) -> Sequence[float]:
    number, alerts = burst
    noise = [alert_of("Noise", n=f"{number}.{n}") for n in range(alerts - len(names))]
    asked = [alert_of(f"Dying{number}", host=name) for name in names]
    every = [*noise[: len(noise) // 2], *asked, *noise[len(noise) // 2 :]]
    host, _, port = (
        daemon.url("/-/alerts").removeprefix("http://").partition("/")[0].rpartition(":")
    )
    began = time.time()
    with closing(HTTPConnection(host, int(port), timeout=60)) as connection:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        connection.request("POST", "/-/alerts", message(*every), headers)
        assert connection.getresponse().status == 200
    marks = base / "marks"
    wanted = {f"{name}.Dying{number}" for name in names}
    end = time.monotonic() + _PATIENCE
    while len(there := wanted & {mark.name for mark in marks.iterdir()}) < len(wanted):
        assert time.monotonic() < end, f"{len(wanted - there)} were never answered"
        time.sleep(0.2)
    time.sleep(3)  # they are judged, and end
    return [(marks / mark).stat().st_mtime - began for mark in wanted]


def _place(base: Path, net: Network, names: Sequence[str], rounds: int) -> Place:
    for part in ("tree", "marks", "playbooks"):
        (base / part).mkdir()
    for file, text in (("password", "only for tests\n"), ("token", TOKEN)):
        (base / file).write_text(text)
        (base / file).chmod(0o600)
    alerts = [f"Dying{number}" for number in range(rounds)]
    mark = f"{base}/marks/{{host}}.{{label.alertname}}"
    (base / "playbooks" / "dying.yaml").write_text(
        yaml.safe_dump(
            {
                "playbook": "dying",
                "title": "A disk is dying",
                "answers": {"alerts": alerts},
                "hosts": list(names),
                "limits": {
                    "cooldown": "0s",
                    "per_host": 1000,
                    "in_total": 1000,
                    "within": "1d",
                    "breaker_after": 1000,
                    "breaker_within": "1d",
                },
                "approval": "auto",
                "approval_expires": "15m",
                "look": [{"name": "room", "run": ["df", "-P", "/"], "timeout": "10s"}],
                "steps": [
                    {
                        "id": "mark",
                        "purpose": "leave a mark",
                        "effect": "change",
                        "run": ["touch", mark],
                        "timeout": "1m",
                        "requires": [{"run": ["test", "!", "-e", mark]}],
                        "done": {"run": ["test", "-e", mark]},
                        "undo": "none",
                    }
                ],
                "judged_within": "1s",
            }
        )
    )
    place = Place(base)
    place.configure(one="01:00")
    hosts = {name: net.written(net.hosts[n % len(net.hosts)]) for n, name in enumerate(names)}
    checks = {name: {"enabled": False} for name in Checks.model_fields}
    more = {
        "hosts": hosts,
        "checks": checks,
        "automation": {
            "enabled": True,
            "hosts_at_once": 1000,
            "playbooks": str(base / "playbooks"),
        },
        "webhook": {
            "token_file": str(base / "token"),
            "incidents": [{"alert": name} for name in alerts],
        },
    }
    with place.config.open("a") as config:
        config.write(yaml.safe_dump(more))
    return place


def _report(found: Sequence[Burst], alerts: int, rounds: int) -> str:
    facts = machine.facts(borgmatic=False)
    lines = [
        f"# From an alert to the first step, {datetime.now(UTC):%Y-%m-%d}\n",
        *(f"- {name}: {value}" for name, value in facts.items()),
        f"- load: {os.getloadavg()[0]:.1f}",
        f"\nBursts of {alerts:,} alerts, {rounds} of each kind; seconds, alert to first step:\n",
        "| answered of a burst | alerts measured | median | p95 | p99 | longest |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {one.answered} | {len(one.waits)} | {statistics.median(one.waits):.2f}"
        f" | {one.part(0.95):.2f} | {one.part(0.99):.2f} | {max(one.waits):.2f} |"
        for one in found
    ]
    return "\n".join((*lines, "", _NOTES, ""))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks burst", description=__doc__)
    parser.add_argument("--alerts", type=int, default=1000, help="of a burst (%(default)s)")
    parser.add_argument("--answered", type=int, nargs="+", default=[10, 20, 50])
    parser.add_argument("--rounds", type=int, default=5, help="bursts of a kind (%(default)s)")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--no-results", dest="results", action="store_const", const=None)
    return parser
