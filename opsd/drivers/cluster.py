"""Private PostgreSQL clusters: made by initdb, reached by a Unix socket alone, ended with us.

The demo's living database and the throwaway clusters of proofs are the same thing with other
settings. A cluster never listens on the network and never touches the machine's own clusters.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from opsd.drivers import process
from opsd.errors import OpsdError, Refused, ScratchFull, ToolFailed

_DEBIAN_ROOT = Path("/usr/lib/postgresql")
_START_LIMIT = timedelta(seconds=60)
_POLL_SECONDS = 0.01
_INITDB_LIMIT = timedelta(minutes=5)
_NAME = "cluster"  # of the data directory below the cluster's own directory
_SOCKET = ".s.PGSQL.5432"
_SOCKET_BYTES = 107  # unix(7): sun_path, less the byte that ends it
_IDENTIFIER_BYTES = 8
_APART = frozenset(',"')  # these part one place from the next in a list of libpq or the server

# It may have had more since: a log that says so stops a replay with less.
_ROOM: Mapping[str, int] = {
    "max_connections": 500,
    "max_worker_processes": 64,
    "max_wal_senders": 64,
    "max_prepared_xacts": 100,
    "max_locks_per_xact": 256,
}
_CALLED: Mapping[str, str] = {
    "max_prepared_xacts": "max_prepared_transactions",
    "max_locks_per_xact": "max_locks_per_transaction",
}

# PostgreSQL refuses to run as root; Debian's package brings this account.
SERVER_ACCOUNT = "postgres"

DURABLE: Mapping[str, str] = {"wal_level": "replica"}
# A cluster that is thrown away may lose everything at a power cut: speed is all it needs. What it
# may take of the machine is said here in full, and not left to the defaults of some release.
THROWAWAY: Mapping[str, str] = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "log_error_verbosity": "terse",  # no details: they quote rows
    "log_min_error_statement": "panic",  # no statements: they quote values
    "log_statement": "none",
    "maintenance_work_mem": "256MB",
    "max_connections": "20",
    "max_parallel_maintenance_workers": "2",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "2",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "max_worker_processes": "4",
    "shared_buffers": "256MB",
    "synchronous_commit": "off",
    "temp_file_limit": "64GB",
    "wal_level": "minimal",
    "work_mem": "16MB",
}


def binaries(major: int) -> Path:
    """The directory of PostgreSQL's programs for `major`, or of the next newer version here."""
    found = {
        int(path.parent.parent.name): path.parent
        for path in _DEBIAN_ROOT.glob("*/bin/initdb")
        if path.parent.parent.name.isdigit()
    }
    usable = sorted(version for version in found if version >= major)
    if not usable:
        raise ToolFailed("cluster.no_binaries", major=str(major))
    return found[usable[0]]


def newest() -> int:
    """The newest major version of which this machine can run a server."""
    majors = [int(path.name) for path in _DEBIAN_ROOT.glob("*") if path.name.isdigit()]
    if not majors:
        raise ToolFailed("cluster.no_binaries", major="15")
    return max(majors)


def least(major: int, data: Path) -> dict[str, str]:
    """What a server that replays another's log must have room for: as much as that one had."""
    program = str(binaries(major) / "pg_controldata")
    done = process.run(process.Command((program, str(data)), timedelta(seconds=30)))
    found = re.findall(r"^(max_\w+) setting: +(\d+)$", done.text, re.MULTILINE)
    return {_CALLED.get(name, name): str(max(int(value), _ROOM[name])) for name, value in found}


def system_of(data: Path) -> str:
    """The system identifier of the cluster in a directory; empty where none can be read.

    Its control file begins with it (PostgreSQL's catalog/pg_control.h).
    """
    try:
        with (data / "global" / "pg_control").open("rb") as stream:
            return str(int.from_bytes(stream.read(_IDENTIFIER_BYTES), sys.byteorder))
    except OSError:
        return ""


def insist_on_place(directory: Path) -> None:
    """Raise `Refused` where a server's socket cannot lie there or cannot be addressed."""
    if _APART & set(str(directory)) or len(os.fsencode(directory / _SOCKET)) > _SOCKET_BYTES:
        most = _SOCKET_BYTES - len(_SOCKET) - 1
        raise Refused("cluster.place", directory=directory, most=most)


@dataclass(slots=True)
class Cluster:
    """A cluster below `directory`: `cluster/` the data, `server.log`, and the socket itself.

    `limits` are arguments of prlimit(1) for each process of the server. `niceness` is
    that of the whole server (`process.Command`).
    """

    directory: Path
    major: int
    settings: Mapping[str, str] = field(default_factory=lambda: DURABLE)
    encoding: str = "UTF8"
    checksums: bool = True
    limits: tuple[str, ...] = ()
    niceness: int = 0
    superuser: str = "opsd"  # the role that initdb makes
    start_limit: timedelta = _START_LIMIT  # how long until it answers
    _server: process.Background | None = None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.directory / "server.log"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / _NAME

    def connection(self, database: str = "postgres") -> str:
        """A libpq connection string to `database` over the socket."""
        named = {"host": self.directory, "dbname": database, "user": self.superuser}
        return (
            " ".join(f"{key}={_worded(str(value))}" for key, value in named.items()) + " port=5432"
        )

    def create(self) -> None:
        """Run initdb. Raises `ToolFailed` with what it said, `Refused` for a place of no use."""
        insist_on_place(self.directory)
        _own(self.directory)
        argv = (
            str(binaries(self.major) / "initdb"),
            f"--pgdata={self.data}",
            f"--encoding={self.encoding}",
            f"--username={self.superuser}",
            "--no-locale",
            "--auth=trust",
            "--no-sync",
            *(("--data-checksums",) if self.checksums else ()),
        )
        done = process.run(process.Command(argv, _INITDB_LIMIT, user=SERVER_ACCOUNT))
        if done.exit_code != 0:
            raise self._failed(f"initdb ended with {done.exit_code}\n{done.complaint}".strip())

    def adopt(self, *others: Path) -> None:
        """Take over a data directory that was brought here, with what else belongs to it."""
        tops = [top for top in (self.data, *others) if top.exists()]
        below = (path for top in tops for path in (top, *top.rglob("*")))
        for path in (self.directory, *below):
            if os.geteuid() == 0:
                account = pwd.getpwnam(SERVER_ACCOUNT)
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
        self.data.chmod(0o700)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "unix_socket_permissions": "0777",
            "port": "5432",
            "log_min_messages": "warning",
            "jit": "off",  # it writes memory and executes it: refused to a hardened service
            # Below the data directory: nothing stays in /dev/shm after a kill.
            "dynamic_shared_memory_type": "mmap",
            **self.settings,
        }
        argv = (
            *(process.LAST_AT_THE_DISK if self.niceness else ()),
            *(("prlimit", *self.limits, "--") if self.limits else ()),
            str(binaries(self.major) / "postgres"),
            "-D",
            str(self.data),
            *(f"--{name}={value}" for name, value in options.items()),
        )
        command = process.Command(
            argv,
            _START_LIMIT,
            cwd=self.directory,
            user=SERVER_ACCOUNT,
            death_signal="QUIT",
            niceness=self.niceness,
        )
        self._server = process.Background(command, self.log)
        self._await_answer(self._server)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one."""
        if self._server is not None:
            self._server.end(how)
            self._server = None

    @property
    def pid(self) -> int:
        """The process id of the server's first process."""
        if self._server is None:
            raise self._failed("not started")
        return self._server.pid

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._server is not None and self._server.alive

    def _await_answer(self, server: process.Background) -> None:
        deadline = time.monotonic() + self.start_limit.total_seconds()
        while server.alive and time.monotonic() < deadline:
            if self._answers(server.pid):
                return
            time.sleep(_POLL_SECONDS)
        silent = server.alive
        ended = server.end(signal.SIGQUIT)
        limit = self.start_limit.total_seconds()
        how = f"no answer within {limit:.0f} s" if silent else f"the server ended with {ended}"
        said = self.log.read_text(errors="backslashreplace")[-2000:]
        raise self._failed(f"{how}\n{said}".strip())

    def _answers(self, pid: int) -> bool:
        """Whether it takes connections, as it writes for pg_ctl (its source has the lines)."""
        try:
            said = (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        except OSError:
            return False
        return said[:1] == [str(pid)] and "".join(said[7:8]).strip() in {"ready", "standby"}

    def _failed(self, detail: str) -> OpsdError:
        if "No space left on device" in detail:
            return ScratchFull("scratch.full", detail=detail)
        return ToolFailed("cluster.failed", directory=self.directory, log=self.log, detail=detail)


def _worded(value: str) -> str:
    """A value as libpq's connection strings want it where it is no plain word."""
    if re.fullmatch(r"[\w./-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _own(directory: Path) -> None:
    """Make `directory` belong to the account that the server runs under."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(directory, SERVER_ACCOUNT)
