"""Private MariaDB servers: reached by a Unix socket alone, ended with us."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from opsd.drivers import process
from opsd.drivers.mariadb import Database, Way
from opsd.drivers.mariadb.words import literal, quoted, version_number
from opsd.errors import DatabaseFailed, OpsdError, ScratchFull, ToolFailed

# The server refuses to run as root; Debian's package brings this account.
SERVER_ACCOUNT = "mysql"

_PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump")
_INSTALL_LIMIT = timedelta(minutes=5)
_START_LIMIT = timedelta(seconds=60)
_MAJOR = 100  # of a version number: 101119 is 10.11

# A server that is thrown away may lose everything at a power cut: speed is all it needs.
THROWAWAY: Mapping[str, str] = {
    "event_scheduler": "OFF",  # what a restored event would do to others is nobody's wish
    "innodb_buffer_pool_size": "256M",
    "innodb_doublewrite": "OFF",
    "innodb_flush_log_at_trx_commit": "0",
    "innodb_flush_method": "nosync",
    "innodb_log_file_size": "64M",
    "local_infile": "OFF",
    "max_connections": "20",
    "performance_schema": "OFF",
    "sync_binlog": "0",
}


def version() -> int:
    """The version of the server that this machine can run. Raises `ToolFailed` where it cannot."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        raise ToolFailed("mariadb.no_programs", names=missing)
    done = process.run(process.Command(("mariadbd", "--no-defaults", "--version"), _START_LIMIT))
    found = re.search(r"Ver (\S+)", done.text)
    return version_number(found[1]) if found else 0


def insist_on(wanted: int) -> None:
    """Raise `ToolFailed` when this machine's server is of an older series than `wanted`."""
    here = version()
    if here // _MAJOR < wanted // _MAJOR:
        raise ToolFailed("mariadb.too_old", here=_dotted(here), wanted=_dotted(wanted))


def _dotted(number: int) -> str:
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


@dataclass(slots=True)
class Server:
    """A server below `directory`: `data/`, `server.log`, and the socket itself."""

    directory: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    niceness: int = 0
    user: str = "root"
    _server: process.Background | None = None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.directory / "server.log"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @property
    def way(self) -> Way:
        """How to reach it."""
        return Way(self.user, socket=self.directory / "socket")

    def database(self, name: str = "mysql") -> Database:
        """The door to one of its databases."""
        return Database(self.way, name)

    def create(self) -> None:
        """Make an empty server. Raises `ToolFailed` with what was said."""
        for place in (self.directory, self.data):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.geteuid() == 0:
                shutil.chown(place, SERVER_ACCOUNT)
        argv = (
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={self.data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *(f"--{n}={value}" for n, value in self.settings.items() if n.startswith("innodb")),
        )
        command = process.Command(argv, _INSTALL_LIMIT, cwd=self.directory, user=SERVER_ACCOUNT)
        done = process.run(command)
        if done.exit_code != 0:
            raise self._failed(done.complaint or done.text[-2000:])

    def make(self, name: str, charset: str) -> Database:
        """An empty database of this name."""
        made = f"CREATE DATABASE {quoted(name)} CHARACTER SET {literal(charset)};"
        list(self.database().ask(made))
        return self.database(name)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {"pid_file": str(self.directory / "pid"), **self.settings}
        argv = (
            *(process.LAST_AT_THE_DISK if self.niceness else ()),
            *(("prlimit", *self.limits, "--") if self.limits else ()),
            "mariadbd",
            "--no-defaults",
            f"--datadir={self.data}",
            f"--socket={self.directory / 'socket'}",
            "--skip-networking",
            "--max-allowed-packet=1G",
            *(f"--{name}={value}" for name, value in options.items()),
        )
        command = process.Command(
            argv,
            _START_LIMIT,
            cwd=self.data,
            user=SERVER_ACCOUNT,
            death_signal="KILL",
            niceness=self.niceness,
        )
        self._server = process.Background(command, self.log)
        self._await_answer(self._server)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server: SIGTERM in order, SIGKILL where nothing needs to be kept."""
        if self._server is not None:
            self._server.end(how)
            self._server = None

    @property
    def pid(self) -> int:
        """The process id of the server."""
        if self._server is None:
            raise self._failed("not started")
        return self._server.pid

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._server is not None and self._server.alive

    def _await_answer(self, server: process.Background) -> None:
        deadline = time.monotonic() + _START_LIMIT.total_seconds()
        while server.alive and time.monotonic() < deadline:
            try:
                list(self.database().ask("SELECT 1;"))
            except DatabaseFailed:
                time.sleep(0.05)
            else:
                return
        server.end(signal.SIGKILL)
        raise self._failed(self.log.read_text(errors="backslashreplace")[-2000:])

    def _failed(self, detail: str) -> OpsdError:
        if "No space left on device" in detail or "Disk is full" in detail:
            return ScratchFull("scratch.full", detail=detail)
        return ToolFailed("cluster.failed", directory=self.directory, log=self.log, detail=detail)
