"""The bare tools, as a careful person uses them by hand: pg_dump and restic."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks import measure
from benchmarks.measure import Cost
from opsd.drivers import cluster, process

_ROLES = ("dossier_owner", "dossier_reader", "dossier_app")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tool works, and what it protects: a libpq connection and a tree of files."""

    home: Path
    connection: str
    scans: Path


class Tool(Protocol):
    """One way to keep the dossier system safe."""

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        ...

    @property
    def repository(self) -> Path:
        """Where its backups lie."""
        ...

    def back_up(self) -> Cost:
        """Take a backup; the first one makes the repository too."""
        ...

    def prove(self) -> Mapping[str, Cost]:
        """What it can do to show that the newest backup is good, step by step."""
        ...


@dataclass(frozen=True, slots=True)
class Bare:
    """`pg_dump` and `restic`, in one of two forms of a dump."""

    place: Place
    piped: bool = False  # else the directory form that opsd uses

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return "bare, piped" if self.piped else "bare"

    @property
    def repository(self) -> Path:
        """The restic repository."""
        return self.place.home / "repository"

    @property
    def _dump(self) -> Path:
        return self.place.home / "dump"

    @property
    def _env(self) -> dict[str, str]:
        home = self.place.home
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
        password = home / "password"
        password.write_text("only for benchmarks\n")
        return {
            "RESTIC_REPOSITORY": str(self.repository),
            "RESTIC_PASSWORD_FILE": str(password),
            "RESTIC_CACHE_DIR": str(home / "cache"),
        }

    def back_up(self) -> Cost:
        """Dump and store, then store the scans."""
        dump, connection = shlex.quote(str(self._dump)), shlex.quote(self.place.connection)
        lines = [] if self.repository.exists() else ["restic init -q"]
        if self.piped:
            lines.append(
                "restic backup -q --tag database --stdin-filename database.sql"
                f" --stdin-from-command -- pg_dump -Fp {connection}"
            )
        else:
            lines += [
                f"pg_dump -Fd -Z0 -j2 -f {dump} {connection}",
                f"restic backup -q --tag database {dump}",
                f"rm -r {dump}",
            ]
        lines.append(f"restic backup -q --tag scans {shlex.quote(str(self.place.scans))}")
        return measure.script("\n".join(lines), self._env)

    def prove(self) -> Mapping[str, Cost]:
        """The check and restore of the manual; and the load that makes a dump a database."""
        back, throwaway = self.place.home / "back", self.place.home / "cluster"
        steps = {
            "check": "restic check -q --read-data",
            "restore": "\n".join(
                f"restic restore -q latest{below} --tag {part} --target {back / part}"
                for part, below in (("database", self._below), ("scans", f":{self.place.scans}"))
            ),
            "load": load_script(throwaway, back / "database", piped=self.piped),
        }
        costs = {name: measure.script(text, self._env) for name, text in steps.items()}
        for step, left in (("restore", back), ("load", throwaway)):
            costs[step] += measure.script(f"rm -r {left}")
        return costs

    @property
    def _below(self) -> str:
        return "" if self.piped else f":{self._dump}"


def load_script(home: Path, dump: Path, *, piped: bool) -> str:
    """Load a dump into a throwaway cluster with the settings that opsd gives its own."""
    newest = cluster.newest()
    programs = cluster.binaries(newest)
    account = process.become(cluster.SERVER_ACCOUNT)
    server = " ".join(("setpriv", *account, "--")) if account else ""
    settings = " ".join(f"--{name}={value}" for name, value in cluster.THROWAWAY.items())
    into = f"-h {home} -U opsd"
    load = f"pg_restore -j2 --no-owner --no-privileges --exit-on-error {into} -d restored {dump}"
    if piped:
        load = f"psql -q -X -v ON_ERROR_STOP=1 -o /dev/null {into} restored -f {dump}/database.sql"
    roles = " ".join(f"-c 'CREATE ROLE {role}'" for role in _ROLES)
    return f"""
mkdir -m 711 {home}
{f"chown {cluster.SERVER_ACCOUNT} {home}" if account else ""}
{server} {programs}/initdb --no-sync --no-locale -E UTF8 -U opsd -A trust -D {home}/data >/dev/null
{server} {programs}/postgres -D {home}/data -k {home} --listen_addresses= {settings} 2>{home}.log &
until pg_isready -q -h {home}; do sleep 0.05; done
psql -q {into} postgres {roles} -c 'CREATE DATABASE restored TEMPLATE template0'
{load}
kill -INT $!
wait $!
"""
