"""The binary log of a MariaDB server: received, copied with its server, replayed."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsd.binlog import LogFile, Spot
from opsd.drivers import process
from opsd.drivers.mariadb import Database, failure
from opsd.drivers.process import Stop
from opsd.errors import DatabaseFailed, ToolFailed

_INFO = ("mariadb_backup_binlog_info", "xtrabackup_binlog_info")  # newer, and older than 11
_DONE = "completed OK!"
_PREPARE_LIMIT = timedelta(days=1)
_READER_SERVER_ID = 3_735_928_559  # no server's: two readers of one number end each other


@dataclass(frozen=True, slots=True)
class Logged:
    """What a server says of its log: who it is, its files, and how far it has written."""

    server: str
    clock: datetime
    files: tuple[LogFile, ...]
    end: Spot


def logged(database: Database) -> Logged:
    """Ask a server of its log. Raises `DatabaseFailed` where it keeps none."""
    rows = tuple(database.ask("SELECT @@server_uid, UTC_TIMESTAMP(6); SHOW MASTER STATUS;"))
    if len(rows) < 2:
        raise DatabaseFailed("binlog.none")
    listed = database.ask("SHOW BINARY LOGS;")
    files = tuple(f for f in (LogFile.of(row[0]) for row in listed) if f is not None)
    current = LogFile.of(rows[1][0])
    if current is None:
        raise DatabaseFailed("binlog.none")
    at = datetime.fromisoformat(rows[0][1]).replace(tzinfo=UTC)
    return Logged(rows[0][0], at, files, Spot(current, int(rows[1][1])))


def receive(database: Database, first: LogFile, directory: Path, said: Path) -> process.Background:
    """Begin to receive the log from a file on, each into a file of its name."""
    argv = (
        "mariadb-binlog",
        *database.way.options,
        "--read-from-remote-server",
        "--raw",
        "--stop-never",
        f"--stop-never-slave-server-id={_READER_SERVER_ID + os.getpid() % 1000}",
        f"--result-file={directory}/",
        first.name,
    )
    return process.Background(process.Command(argv, timedelta.max), said)


def copy_server(database: Database, target: Path, limit: timedelta) -> Spot:
    """Copy a whole server while it works, make the copy consistent, and say where it stands."""
    argv = ("mariadb-backup", *database.way.options, "--backup", f"--target-dir={target}")
    run(argv, limit, database.stop)
    argv = ("mariadb-backup", "--no-defaults", "--prepare", f"--target-dir={target}")
    run(argv, _PREPARE_LIMIT, database.stop)
    there = (target / name for name in _INFO)
    text = "".join(file.read_text(encoding="utf-8") for file in there if file.exists())
    found = re.match(r"(\S+)\s+(\d+)", text)
    file = LogFile.of(found[1]) if found else None
    if found is None or file is None:
        raise ToolFailed("binlog.no_spot", detail=text[:200])
    return Spot(file, int(found[2]))


def run(argv: tuple[str, ...], limit: timedelta, stop: Stop) -> None:
    """Run mariadb-backup, which ends with its word that all is well."""
    done = process.run(process.Command(argv, limit), stop=stop)
    if done.exit_code != 0 or _DONE not in done.complaint[-200:]:
        raise failure(done.complaint[-1000:])


@dataclass(frozen=True, slots=True)
class Until:
    """Where a replay ends: before the first event of this moment or later, or at this place."""

    time: datetime | None = None
    spot: Spot | None = None


def replay(
    database: Database, files: list[Path], begin: int, until: Until, limit: timedelta
) -> None:
    """Let a server do what files of a log say, from a place in the first on.

    Reader and server work at the same time, through a pipe that has a name.
    """
    pipe = files[0].parent / "replay.pipe"
    os.mkfifo(pipe, 0o600)
    halt = Stop(database.stop)
    argv = (
        "mariadb-binlog",
        "--no-defaults",
        f"--start-position={begin}",
        *_ends(until),
        f"--result-file={pipe}",
        *map(str, files),
    )
    command = process.Command(argv, limit, env={"TZ": "UTC"})
    try:
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(process.run, command, stop=halt)
            reading.add_done_callback(lambda _: _let_go(pipe))
            try:
                database.load(pipe, limit)
            except BaseException:
                halt.request()
                raise
            done = reading.result()
    finally:
        pipe.unlink()
    if done.exit_code != 0:
        raise DatabaseFailed("binlog.unreadable", detail=done.complaint[-1000:])


def _let_go(pipe: Path) -> None:
    """Whoever still waits at the pipe for somebody to write finds its end."""
    with suppress(OSError):
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))


def _ends(until: Until) -> tuple[str, ...]:
    if until.spot is not None:
        return (f"--stop-position={until.spot.offset}",)
    if until.time is not None:
        return (f"--stop-datetime={until.time.astimezone(UTC):%Y-%m-%d %H:%M:%S}",)
    return ()
