"""One server that opsd and peers keep at once: how opsd is told of it, and what a peer does."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString, Protocol

import psutil
import psycopg

from benchmarks import measure
from benchmarks.borgmatic import ROOT
from benchmarks.measure import Cost
from opsd.drivers import cluster
from opsd.drivers.cluster import Cluster

OTHERS = ROOT / ".tools" / "postgresql" / "usr"  # PostgreSQL 17 and the peers: tools/setup soak
PATIENCE = 240
# The peers run as the server does.
ACCOUNT = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
CONFIG = """\
language: en
demo: true
host: bench
state: {base}/state
scratch: {base}/scratch
cache: {base}/cache
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
repositories:
  main: {{url: {base}/repository, password_file: {base}/password, min_free: 1MiB}}
backup_sets:
  one:
    repository: main
    schedule: "{never}"
    rpo: 24h
    rto: 4h
    members:
      database:
        kind: postgres
        connection: {connection}
        wal:
          keep: 0
          receivers: {{one: {{directory: {base}/wal/one}}, two: {{directory: {base}/wal/two}}}}
"""
# What opsd's command line needs to find programs that are not where Debian puts them.
_HERE = (
    "import opsd.__main__ as start, sys; from pathlib import Path;"
    " from opsd.drivers import cluster; cluster._DEBIAN_ROOT = Path(sys.argv.pop(1));"
    " sys.exit(start.run())"
)


@dataclass(slots=True)
class Bench:
    """One run: the server, and opsd that protects it."""

    base: Path
    programs: Path
    server: Cluster

    @property
    def connection(self) -> str:
        """The way to the server."""
        return self.server.connection()

    @property
    def config(self) -> str:
        """Opsd's configuration."""
        return str(self.base / "opsd.yaml")

    @property
    def kept(self) -> Path:
        """What opsd keeps of log and base copies; the dump, which no peer takes, lies beside it."""
        return self.base / "repository" / "opsd-objects"

    def opsd(self, *words: str) -> tuple[str, ...]:
        """Opsd's command line."""
        root = str(self.programs.parent.parent)
        return (sys.executable, "-c", _HERE, root, *words, "--quiet", "--config", self.config)

    def sql(self, statement: LiteralString, number: int = 0) -> None:
        """Change something."""
        with psycopg.connect(self.connection, autocommit=True) as connection:
            connection.execute(statement, {"number": number} if number else None)

    def bench(self, *words: str) -> str:
        """Run pgbench."""
        program = str(self.programs / "pgbench")
        server = ("-h", str(self.server.directory), "-p", "5432", "-U", "opsd")
        done = subprocess.run(
            (program, *server, *words, "postgres"), capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr


class Peer(Protocol):
    """Something else that keeps this server's log and copies of it."""

    @property
    def name(self) -> str:
        """What it is called on the page."""
        ...

    @property
    def version(self) -> str:
        """Which one it is."""
        ...

    @property
    def manner(self) -> str:
        """How it keeps what it keeps, and what its figures count; for the page."""
        ...

    @property
    def repository(self) -> Path:
        """Where its copies and its log lie."""
        ...

    @property
    def settings(self) -> Mapping[str, str]:
        """What the server is started with for it."""
        ...

    def keeping(self) -> AbstractContextManager[None]:
        """From now on it keeps the log, until the end."""
        ...

    def copy(self, *, whole: bool) -> Cost:
        """Take a copy of everything, or of what changed since the one before."""
        ...

    def settle(self, segment: str) -> None:
        """Return when its repository has the log to the end of this segment."""
        ...

    def log_cpu(self) -> float:
        """Seconds that it took for the log until now."""
        ...

    def restore(self, target: Path, *, delta: bool) -> Cost | None:
        """Bring the newest copy back, ready to replay all of the log; None where it cannot.

        `delta`: over an older cluster.
        """
        ...


def own(directory: Path) -> Path:
    """Make a directory of the server's account, where there is none yet."""
    directory.mkdir(mode=0o700, exist_ok=True)
    shutil.chown(directory, cluster.SERVER_ACCOUNT)
    return directory


def grown(repository: Path) -> int:
    """Bytes of a repository."""
    return sum(p.stat().st_blocks * 512 for p in repository.rglob("*") if p.is_file())


def cpu(process: psutil.Process) -> float:
    """Seconds of a process and of what it runs and ran."""
    family = (process, *process.children(recursive=True))
    times = [one.cpu_times() for one in family]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def until(what: Callable[[], object]) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > end:
            raise measure.Failed("it did not come to that")
        time.sleep(0.1)
