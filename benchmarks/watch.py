"""`python -m benchmarks watch`: what watching hosts costs, beside other tools and at scale."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, measure, table
from benchmarks.asked import READS
from benchmarks.borgmatic import ROOT
from benchmarks.measure import Cost
from benchmarks.watchers import BIN, PEERS, Fleet, Watcher
from tests.hosts import Network, network

_SERVERS = 3
_AIM_RATIO, _AIM_MIB = 20, 200
_PATIENCE = 60  # seconds: until every host has answered once
_PACKAGES = ("ansible-core", "pyinfra", "fabric")
_SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
_NOTES = """\
What the figures are:

- {checks} reads of each host, the same texts for every tool. Names of hosts lead to {servers} real
  sshd in network namespaces of this machine, which also pays for the reads themselves: its load is
  everybody's.
- CPU is of the tool's own side: for peers of the whole process tree from start to end, as a person
  or cron starts them. Ansible leaves its SSH connections behind in the background and keeps them
  for the next run; they are not counted. Peers print; they judge and keep nothing.
- opsd is measured as its daemon works: connections kept, each answer judged, states and history
  written, after every host has answered once. `threads` and memory are of that process.
- *late* is how much later than its interval a round began after the one before.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What one tool needed to ask all hosts once."""

    tool: str
    cost: Cost
    host_checks: int

    @property
    def per_thousand(self) -> float:
        """CPU seconds for a thousand checks of a host."""
        return self.cost.cpu / self.host_checks * 1000


def main(argv: Sequence[str]) -> int:
    """Measure what the command line asks for."""
    asked = _parser().parse_args(argv)
    if asked.peers and not BIN.exists():
        print("the peers are not here: run `tools/setup bench`, or give --without-peers")
        return 1
    tools = ROOT / ".tools" / "bin"
    os.environ["PATH"] = os.pathsep.join((str(tools), os.environ["PATH"], _SYSTEM))
    with tempfile.TemporaryDirectory(prefix="opsd-bench-") as home, _servers() as net:
        place = Path(home)
        measured: dict[str, Any] = {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": machine.facts(borgmatic=False) | (_versions() if asked.peers else {}),
            "own": _watched(net, place, asked.hosts, asked),
            "peers": _peers(net, place, asked),
            "scale": _watched(net, place, asked.scale, asked) if asked.scale else None,
        }
    report = _report(measured)
    print(report)
    if asked.results:
        name = f"{measured['date']}-watch-{machine.kind()}"
        asked.results.mkdir(parents=True, exist_ok=True)
        (asked.results / f"{name}.md").write_text(report, encoding="utf-8")
        plain = {**measured, "peers": [_plain(row) for row in measured["peers"]]}
        text = json.dumps(plain, indent=1, ensure_ascii=False)
        (asked.results / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return 0


@contextmanager
def _servers() -> Iterator[Network]:
    with network() as net:
        for number in range(_SERVERS):
            net.add(f"server{number}")
        yield net


def _names(net: Network, count: int) -> dict[str, int]:
    """So many names of hosts, each with the number of the server behind it."""
    return {f"host-{number:03}": number % len(net.hosts) for number in range(count)}


def _watched(net: Network, place: Path, count: int, asked: argparse.Namespace) -> dict[str, Any]:
    """What a watch over so many hosts needs, in a process of its own."""
    _say(f"opsd watches {count} hosts every {asked.interval} s for {asked.seconds} s")
    with tempfile.TemporaryDirectory(dir=place) as own:
        plan = Path(own) / "plan.json"
        names = _names(net, count)
        hosts = {name: net.written(net.hosts[server]) for name, server in names.items()}
        told = {"hosts": hosts, "interval": asked.interval, "seconds": asked.seconds}
        plan.write_text(json.dumps({**told, "patience": max(_PATIENCE, 4 * asked.interval)}))
        cost = measure.run((sys.executable, "-m", "benchmarks.watched", str(plan)))
    figures: dict[str, Any] = json.loads(cost.output)
    figures["per_thousand"] = figures["cpu_seconds"] / figures["host_checks"] * 1000
    return figures


def _peers(net: Network, place: Path, asked: argparse.Namespace) -> list[Row]:
    """Each peer in turn, so often."""
    names = _names(net, asked.hosts)
    addresses = {name: net.hosts[server].address for name, server in names.items()}
    fleet = Fleet(addresses, net.key, net.known_hosts, place)
    rows = []
    for _ in range(asked.rounds):
        for peer in asked.peers:
            rows.append(_asked(peer, fleet))
            _say(f"{rows[-1].tool}: {rows[-1].cost.cpu:.1f} s of CPU, {rows[-1].cost.wall:.1f} s")
    return rows


def _asked(peer: Watcher, fleet: Fleet) -> Row:
    return Row(peer.name, peer.ask(fleet), len(fleet.addresses) * len(READS))


def _versions() -> dict[str, str]:
    """Of the peers."""
    program = f"from importlib.metadata import version as v; print(*map(v, {_PACKAGES}))"
    said = measure.run((str(BIN / "python"), "-c", program)).output
    return dict(zip(_PACKAGES, said.split(), strict=True))


# --- what people read


def _report(measured: dict[str, Any]) -> str:
    facts = "\n".join(f"- {name}: {value}" for name, value in measured["machine"].items())
    parts = [f"# What watching hosts costs, {measured['date']}\n\n{facts}"]
    if measured["peers"]:
        parts.append(_beside(measured["own"], measured["peers"]))
    parts.append(_alone([one for one in (measured["own"], measured["scale"]) if one]))
    parts.append(_NOTES.format(checks=len(READS), servers=_SERVERS))
    return "\n\n".join(parts)


def _beside(own: dict[str, Any], rows: Sequence[Row]) -> str:
    lines = [
        "| tool | CPU s / 1,000 host-checks | times opsd's | wall s for all | peak MiB, tree |",
        "|---|--:|--:|--:|--:|",
    ]
    verdicts: list[str] = []
    for tool in dict.fromkeys(row.tool for row in rows):
        found = [row for row in rows if row.tool == tool]
        each = statistics.median(row.per_thousand for row in found)
        wall = statistics.median(row.cost.wall for row in found)
        peak = max(row.cost.tree for row in found) / table.MIB
        ratio = each / own["per_thousand"]
        lines.append(f"| {tool} | {each:.2f} | {ratio:.1f} | {wall:.1f} | {peak:.0f} |")
        if "ansible" in tool:
            word = "reached" if ratio >= _AIM_RATIO else "missed"
            verdicts.append(f"{word} beside `{tool}` ({ratio:.1f})")
    said = (
        f"{own['hosts']} hosts; opsd needs {own['per_thousand']:.2f} s of CPU for a thousand"
        f" checks of a host. Aim: {_AIM_RATIO} times less than Ansible;"
        f" {', '.join(verdicts) or 'not measured'}.\n"
    )
    return "\n".join((said, *lines))


def _alone(found: Sequence[dict[str, Any]]) -> str:
    head = (
        f"| hosts | checks each | answers | CPU, of one core | peak MiB (aim: {_AIM_MIB})"
        " | threads | round s, median / p99 | late s, p99 / most | missed | bad |"
    )
    lines = [
        head,
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        took, late = one["round_seconds"], one["late_seconds"]
        lines.append(
            f"| {one['hosts']} | {one['checks']} | {one['host_checks']:,}"
            f" | {one['cpu_seconds'] / one['seconds']:.1%} | {one['peak_bytes'] / table.MIB:.0f}"
            f" | {one['threads']} | {took['median']:.2f} / {took['p99']:.2f}"
            f" | {late['p99']:.2f} / {late['most']:.2f} | {one['missed']} | {one['bad']} |"
        )
    return "\n".join(lines)


def _plain(row: Row) -> dict[str, Any]:
    return {"tool": row.tool, "host_checks": row.host_checks, **row.cost.figures}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks watch", description=__doc__)
    parser.add_argument("--hosts", type=int, default=50, help="beside peers (%(default)s)")
    parser.add_argument("--scale", type=int, default=200, help="hosts at scale; 0: not")
    parser.add_argument("--interval", type=int, default=15, help="seconds (%(default)s)")
    parser.add_argument("--seconds", type=int, default=60, help="how long (%(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="of the peers (%(default)s)")
    parser.add_argument(
        "--without-peers", dest="peers", action="store_const", const=(), default=PEERS
    )
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--no-results", dest="results", action="store_const", const=None)
    return parser


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
