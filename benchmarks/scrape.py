"""`python -m benchmarks scrape`: what a scrape of opsd costs beside one of node_exporter."""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import psutil

from benchmarks.borgmatic import ROOT
from opsd.catalogue import Language
from opsd.config.load import parse
from opsd.config.values import Address
from opsd.metrics import Collector, Exposition, Sources, Watched
from opsd.model import CheckId, CheckResult, CheckState, Measurement, Status
from opsd.store import Store
from opsd.web import MetricsPages, Server
from tests.prometheus import free_port

AIM_MS = 50.0
CONFIG = """\
host: bench
repositories:
  main: {{url: "s3:https://store.example.vn/bucket", password_file: {home}/password}}
backup_sets:
  one:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: {home}/tree}}
"""
# Figures of a check: two, so that with its state it tells five samples.
FIGURES = ("opsd_host_load1", "opsd_host_load5")
# Hosts are asked one after the other, and no moment is a round number.
_APART = timedelta(microseconds=74_321)


@dataclass(frozen=True, slots=True)
class Scraped:
    """What the scrapes of one exporter cost; times in milliseconds."""

    name: str
    samples: int
    size: int
    wall: Sequence[float]
    cpu: float
    memory: int

    @property
    def row(self) -> str:
        """A line of the table."""
        median, worst = statistics.median(self.wall), max(self.wall)
        each = 1000 * self.cpu / self.samples
        return (
            f"| {self.name} | {self.samples:,} | {self.size / 1000:,.0f} | {median:.1f} |"
            f" {worst:.1f} | {self.cpu:.1f} | {each:.2f} | {self.size / self.samples:.0f} |"
            f" {self.memory >> 20} |"
        )


HEAD = (
    "| exporter | samples | kB | median ms | worst ms | CPU ms | CPU µs a sample |"
    " bytes a sample | MiB |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def main(argv: Sequence[str]) -> int:
    """Measure both, in turns."""
    parser = argparse.ArgumentParser(prog="benchmarks scrape", description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--checks", type=int, default=15, help="of each host (%(default)s)")
    parser.add_argument("--scrapes", type=int, default=60, help="of each exporter (%(default)s)")
    asked = parser.parse_args(argv)
    os.environ["PATH"] = f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    ours = [sys.executable, "-m", "benchmarks.scrape", str(asked.hosts), str(asked.checks)]
    theirs = ["prometheus-node-exporter", "--no-collector.systemd", "--no-collector.textfile"]
    port = f"127.0.0.1:{free_port()}"
    with (
        _running(ours) as one,
        _running([*theirs, f"--web.listen-address={port}"]) as other,
    ):
        assert one.stdout is not None
        address = one.stdout.readline().decode().strip()
        exporters = (("opsd", one, address), ("node_exporter", other, port))
        found = [_measured(*exporter, asked.scrapes) for exporter in exporters]
    print("\n".join((HEAD, *(one.row for one in found))))
    spent = found[0].cpu
    print(f"\naim: a scrape under {AIM_MS:.0f} ms; processor time {spent:.1f} ms")
    return 0


@contextmanager
def _running(argv: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _measured(name: str, process: subprocess.Popen[bytes], address: str, times: int) -> Scraped:
    text = _patiently(address)
    for _ in range(3):
        _page(address)
    seen = psutil.Process(process.pid)
    before = seen.cpu_times()
    wall = []
    for _ in range(times):
        begin = time.perf_counter()
        _page(address)
        wall.append(1000 * (time.perf_counter() - begin))
        time.sleep(0.05)
    after = seen.cpu_times()
    spent = (after.user + after.system) - (before.user + before.system)
    samples = sum(not line.startswith(b"#") for line in text.splitlines())
    return Scraped(name, samples, len(text), wall, 1000 * spent / times, seen.memory_info().rss)


def _patiently(address: str) -> bytes:
    end = time.monotonic() + 30
    while True:
        try:
            return _page(address)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _page(address: str) -> bytes:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        return bytes(answer.read())


# ------------------------------------------------------------------------------ the side of opsd


def watched(hosts: int, checks: int, at: datetime) -> Watched:
    """What is known when every check has just answered."""
    names = [f"commune-{number:03}" for number in range(hosts)]
    asked = [f"check_{number}" for number in range(checks)]
    figures = [Measurement(metric, at.timestamp() % 97) for metric in FIGURES]
    result = CheckResult(Status.OK, "check.reached", measurements=tuple(figures))
    moments = {host: at + n * _APART for n, host in enumerate(names)}
    return Watched(
        states=[
            CheckState(CheckId(host, check), Status.OK, moments[host], result, moments[host])
            for host in names
            for check in asked
        ],
        intervals={(host, check): timedelta(seconds=15) for host in names for check in asked},
        counts={(host, check, ""): 1000 for host in names for check in asked},
        hosts=names,
    )


def serve(hosts: int, checks: int) -> None:
    """Show a page whose every figure changes from scrape to scrape, until stdin ends."""
    begin = datetime(2026, 11, 23, tzinfo=UTC)
    states = cycle([watched(hosts, checks, begin + timedelta(seconds=15 * n)) for n in range(4)])
    with tempfile.TemporaryDirectory(prefix="opsd-bench-") as home:
        config = parse(CONFIG.format(home=home))
        store = Store(Path(home) / "opsd.sqlite")
        sources = Sources(lambda: config, store, lambda _: True, watched=lambda: next(states))
        pages = MetricsPages(Exposition(Collector(sources)), lambda: Language.EN)
        server = Server(Address("127.0.0.1:0"), pages)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # by which nothing is left
        print(server.address, flush=True)
        sys.stdin.read()
        server.close()
        store.close()


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
