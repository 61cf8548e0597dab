"""One server, protected by opsd and by pgBackRest at once: how both are told of it and called."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg

from benchmarks.borgmatic import ROOT
from opsd.drivers.cluster import Cluster

OTHERS = ROOT / ".tools" / "postgresql" / "usr"  # PostgreSQL 17 and pgBackRest: tools/setup soak
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
          cache_bases: true
          receivers: {{one: {{directory: {base}/wal/one}}, two: {{directory: {base}/wal/two}}}}
"""
BACKREST = """\
[global]
repo1-path={base}/backrest
repo1-bundle=y
repo1-block=y
repo1-retention-full=2
start-fast=y
process-max=2
compress-type=zst
compress-level=3
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=only-for-measuring
log-level-console=warn
log-path={base}/backrest.log
lock-path={base}/backrest.lock
spool-path={base}/backrest.spool
[one]
pg1-path={data}
pg1-socket-path={socket}
pg1-user=opsd
pg1-database=postgres
"""
# What opsd's command line needs to find programs that are not where Debian puts them.
_HERE = (
    "import opsd.__main__ as start, sys; from pathlib import Path;"
    " from opsd.drivers import cluster; cluster._DEBIAN_ROOT = Path(sys.argv.pop(1));"
    " sys.exit(start.run())"
)


@dataclass(slots=True)
class Bench:
    """One run: the server, and both that protect it."""

    base: Path
    programs: Path
    server: Cluster
    backrest: str

    @property
    def connection(self) -> str:
        """The way to the server."""
        return self.server.connection()

    @property
    def config(self) -> str:
        """Opsd's configuration."""
        return str(self.base / "opsd.yaml")

    def opsd(self, *words: str) -> tuple[str, ...]:
        """Opsd's command line."""
        root = str(self.programs.parent.parent)
        return (sys.executable, "-c", _HERE, root, *words, "--quiet", "--config", self.config)

    def rest(self, *words: str) -> tuple[str, ...]:
        """PgBackRest's command line, as the server's account."""
        config = f"--config={self.base}/backrest.conf"
        account = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        return (*account, self.backrest, config, "--stanza=one", *words)

    def grown(self, name: str) -> int:
        """Bytes of a repository."""
        found = (self.base / name).rglob("*")
        return sum(p.stat().st_blocks * 512 for p in found if p.is_file())

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
