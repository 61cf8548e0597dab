"""`python -m benchmarks idle`: what the daemon takes while nothing is due."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.borgmatic import ROOT
from opsd.drivers.cluster import Cluster, newest
from opsd.model import Task
from opsd.store import Place, Server, Store

AIM_PERCENT, AIM_MIB = 1.0, 150
SET = "one"
_PATIENCE = 180.0
_SETTLED = 15.0
CONFIG = """\
language: en
demo: true
host: bench
state: {home}/state
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
{store}
repositories:
  main: {{url: {home}/repository, password_file: {home}/password, min_free: 1MiB}}
backup_sets:
  one:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    prove: {{after_backup: false}}
    members:
      tree: {{kind: files, path: {home}/tree}}
"""
HEAD = "| history in | seconds | CPU % of a core | MiB | threads |\n|---|--:|--:|--:|--:|"


@dataclass(frozen=True, slots=True)
class Idle:
    """What one daemon took."""

    name: str
    seconds: float
    percent: float
    mib: float
    threads: int

    @property
    def row(self) -> str:
        """A line of the table."""
        return (
            f"| {self.name} | {self.seconds:.0f} | {self.percent:.2f} | {self.mib:.0f} |"
            f" {self.threads} |"
        )

    @property
    def good(self) -> bool:
        """Whether the aims are met."""
        return self.percent < AIM_PERCENT and self.mib < AIM_MIB


def main(argv: Sequence[str]) -> int:
    """Measure a daemon alone, and one that shares its history."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    asked = parser.parse_args(argv)
    os.environ["PATH"] = f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    print(HEAD)
    found = []
    with tempfile.TemporaryDirectory(prefix="opsd-bench-") as base:
        Path(base).chmod(0o711)  # PostgreSQL's account crosses it
        for name, place in (("SQLite", None), ("PostgreSQL", Path(base) / "server")):
            home = Path(base) / name
            home.mkdir(mode=0o711)
            with _served(place) as server:
                found.append(_measured(name, home, server, asked.seconds))
            print(found[-1].row, flush=True)
    return 0 if all(one.good for one in found) else 1


@contextmanager
def _served(place: Path | None) -> Iterator[Server | None]:
    """A server of its own for the history, where one is wanted."""
    if place is None:
        yield None
        return
    cluster = Cluster(place, newest())
    cluster.create()
    cluster.start()
    try:
        yield Server(f"postgresql://{cluster.superuser}@/postgres?host={place}&port=5432")
    finally:
        cluster.stop()


def _measured(name: str, home: Path, server: Server | None, seconds: float) -> Idle:
    """Let a daemon do what is due, and then nothing."""
    (home / "tree").mkdir()
    (home / "tree" / "file").write_text("content\n")
    password = home / "password"
    password.touch(0o600)
    password.write_text("only for benchmarks\n")
    config = home / "opsd.yaml"
    config.write_text(CONFIG.format(home=home, store=f"store: {server.url}" if server else ""))
    process = subprocess.Popen(
        [sys.executable, "-m", "opsd", "run", "--config", str(config)],
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        _until_done(server or home / "state" / "opsd.sqlite", process)
        return _idle(name, psutil.Process(process.pid), seconds)
    finally:
        process.terminate()
        process.wait()


def _until_done(place: Place, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        time.sleep(1)
        if process.poll() is not None:
            sys.exit(f"the daemon ended with {process.returncode}")
        if isinstance(place, Path) and not place.exists():
            continue
        with closing(Store(place)) as store:
            if store.last_ended(Task.BACKUP, SET, good=True):
                time.sleep(_SETTLED)
                return
    sys.exit("the daemon did not do what was due")


def _idle(name: str, process: psutil.Process, seconds: float) -> Idle:
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, took = process.cpu_times(), time.monotonic() - began
    spent = after.user + after.system - before.user - before.system
    memory = process.memory_info().rss / (1 << 20)
    return Idle(name, took, 100 * spent / took, memory, process.num_threads())
