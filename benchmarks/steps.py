"""`python -m benchmarks steps`: what a step on hosts costs, beside other tools that do one."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import machine, measure
from benchmarks.borgmatic import ROOT
from benchmarks.watchers import BIN, Fleet
from opsd.clock import now
from opsd.drivers import process
from opsd.tasks.respond.hands import Order, Reach
from tests.hosts import Network, network
from tests.responding import configured

_ORDER = Order(("true",), timedelta(seconds=10))
_AT_ONCE = 16
_SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
_NOTES = """\
The step is `true`. *one host* is one step after the other on one host, *at once* one step on each
of so many names of hosts, which lead to three real sshd in network namespaces of this machine.
opsd keeps its connections, as its daemon does; bare ssh opens one for each step, or keeps one a
host; Ansible and pyinfra are started as a person would start them, once for all hosts. opsd's step
is in a session of its own there that ends at its deadline; those of the others are not ended."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one tool needed: seconds for a step on one host, and for one on each of all."""

    tool: str
    one: float | None
    all: float


def main(argv: Sequence[str]) -> int:
    """Measure what the command line asks for."""
    asked = _parser().parse_args(argv)
    tools = ROOT / ".tools" / "bin"
    os.environ["PATH"] = os.pathsep.join((str(tools), os.environ["PATH"], _SYSTEM))
    with tempfile.TemporaryDirectory(prefix="opsd-bench-") as home, network() as net:
        for number in range(3):
            net.add(f"server{number}")
        names = [f"host-{number:02}" for number in range(asked.hosts)]
        servers = {name: net.hosts[n % len(net.hosts)] for n, name in enumerate(names)}
        fleet = Fleet(
            {name: server.address for name, server in servers.items()},
            net.key,
            net.known_hosts,
            Path(home),
        )
        rows = [_ours(net, fleet, asked.steps), *_bare(fleet, asked.steps)]
        rows += [_peer(name, fleet) for name in asked.peers]
    report = _report(rows, asked.hosts)
    print(report)
    if asked.results:
        asked.results.mkdir(parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y-%m-%d}-steps-{machine.kind()}.md"
        (asked.results / name).write_text(report, encoding="utf-8")
    return 0


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _ours(net: Network, fleet: Fleet, steps: int) -> Row:
    by_address = {host.address: host for host in net.hosts}
    hosts = {name: net.written(by_address[a]) for name, a in fleet.addresses.items()}
    reach = Reach(configured(fleet.home / "state", hosts), now)
    try:
        hands = [reach.hand(name) for name in hosts]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda hand: hand.do(_ORDER), hands))  # the connections are there then
            every = _timed(lambda: list(pool.map(lambda hand: hand.do(_ORDER), hands)))
        one = statistics.median(_timed(lambda: hands[0].do(_ORDER)) for _ in range(steps))
    finally:
        reach.close()
    return Row("opsd", one, every)


def _bare(fleet: Fleet, steps: int) -> list[Row]:
    """OpenSSH's own program, with a new connection each time, and with a kept one."""
    common = ("-i", str(fleet.key), f"-oUserKnownHostsFile={fleet.known_hosts}", "-lroot", "-n")
    kept = ("-oControlMaster=auto", f"-oControlPath={fleet.home}/%C", "-oControlPersist=30")
    return [
        _ssh("ssh, a new connection", common, fleet, steps),
        _ssh("ssh, a kept connection", (*common, *kept), fleet, steps),
    ]


def _ssh(name: str, options: tuple[str, ...], fleet: Fleet, steps: int) -> Row:
    def do(address: str) -> None:
        command = process.Command(("ssh", *options, address, "true"), _ORDER.timeout)
        assert process.run(command).exit_code == 0

    addresses = list(fleet.addresses.values())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(do, addresses[:3]))
        every = _timed(lambda: list(pool.map(do, addresses)))
    one = statistics.median(_timed(lambda: do(addresses[0])) for _ in range(steps))
    return Row(name, one, every)


def _peer(name: str, fleet: Fleet) -> Row:
    if name == "pyinfra":
        inventory = fleet.home / "inventory.py"
        options = {
            "ssh_user": "root",
            "ssh_key": str(fleet.key),
            "ssh_known_hosts_file": str(fleet.known_hosts),
        }
        hosts = [(n, {"ssh_hostname": a, **options}) for n, a in fleet.addresses.items()]
        inventory.write_text(f"hosts = {hosts!r}\n")
        argv = ("pyinfra", "-y", "--parallel", str(_AT_ONCE), str(inventory), "exec", "--", "true")
        return Row(name, None, measure.run((str(BIN / argv[0]), *argv[1:])).wall)
    inventory = fleet.home / "ansible.json"
    known = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(fleet.key),
        "ansible_ssh_extra_args": f"-o UserKnownHostsFile={fleet.known_hosts}",
    }
    named = {n: {"ansible_host": a} for n, a in fleet.addresses.items()}
    inventory.write_text(json.dumps({"all": {"hosts": named, "vars": known}}))
    raw = ("all", "-i", str(inventory), "-f", str(_AT_ONCE), "-m", "raw", "-a", "true")
    home = {"ANSIBLE_HOME": str(fleet.home / "ansible"), "ANSIBLE_LOCALHOST_WARNING": "0"}
    return Row("ansible -m raw", None, measure.run((str(BIN / "ansible"), *raw), home).wall)


def _report(rows: Sequence[Row], hosts: int) -> str:
    facts = machine.facts(borgmatic=False)
    own = rows[0]
    lines = [
        f"# What a step on hosts costs, {datetime.now(UTC):%Y-%m-%d}\n",
        *(f"- {name}: {value}" for name, value in facts.items()),
        f"\n| tool | one host, ms a step | times opsd's | {hosts} at once, s | times opsd's |",
        "|---|--:|--:|--:|--:|",
    ]
    for row in rows:
        one = f"{row.one * 1000:.0f} | {row.one / (own.one or 1):.1f}" if row.one else "| "
        lines.append(f"| {row.tool} | {one} | {row.all:.2f} | {row.all / own.all:.1f} |")
    return "\n".join((*lines, "", _NOTES, ""))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks steps", description=__doc__)
    parser.add_argument("--hosts", type=int, default=50, help="at once (%(default)s)")
    parser.add_argument("--steps", type=int, default=30, help="on one host (%(default)s)")
    parser.add_argument(
        "--without-peers",
        dest="peers",
        action="store_const",
        const=(),
        default=("ansible", "pyinfra"),
    )
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--no-results", dest="results", action="store_const", const=None)
    return parser
