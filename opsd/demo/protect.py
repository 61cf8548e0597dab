"""The story of the database's log on one machine: nothing acknowledged is lost, no mistake stays.

As in `story`, everything is done by the commands that a sysadmin types. It begins anew each time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opsd.catalogue import Language
from opsd.demo import clerk, schema
from opsd.demo.dataset import Scale
from opsd.demo.psql import ask
from opsd.demo.stage import SET, SYSTEM, Stage, clear, configure
from opsd.demo.system import DossierSystem
from opsd.demo.verdict import Content, insist_on_table, insist_on_visits
from opsd.drivers import cluster, lock, process
from opsd.errors import DatabaseFailed, Refused, ToolFailed

PLACE = "protect"  # below the demo's directory
NOTES = "acknowledged.tsv"
_NOW, _TABLE_BACK = "recovered-now", "recovered-table"
_KEPT = ("opsd", NOTES, _NOW, _TABLE_BACK)
_LOCK = "lock"
OWN = (*_KEPT, _LOCK)
_SCALE = Scale(dossiers=300, mean_scan_bytes=4096)
_DROPPED = "signed_receipt"

# By name: whoever takes a base copy streams as well.
_STREAMING = """
SELECT count(*) FROM pg_stat_replication
WHERE application_name IN ('opsd_first', 'opsd_second') AND state = 'streaming'
"""
_WAITED_FOR = f"{_STREAMING} AND sync_state = 'quorum'"
_CONTENT = f"""
SELECT count(*), encode(sha256(convert_to(
    coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), ''), 'UTF8')), 'hex')
FROM {_DROPPED} t
"""  # noqa: S608  (our own text)
_ROWS_SECONDS, _MOMENT_SECONDS, _POLL_SECONDS = 2.0, 1.5, 0.5
_READY_SECONDS = 180.0
_LOG_BYTES = 3000
_LOG = f"{SET}/database"
_LOSS_LINES = 4  # of `opsd wal status`: what would be lost, by what is left


@dataclass(frozen=True, slots=True)
class Before:
    """What must be there again."""

    visits: list[clerk.Visit]
    table: Content


def tell(directory: Path, language: Language) -> None:
    """Tell the story below `directory`. Raises `ToolFailed` when something did not come back."""
    directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    stage = Stage(directory.absolute() / PLACE, language)
    stage.directory.mkdir(mode=0o711, exist_ok=True)
    with _alone(stage.directory):
        stage.say("demo.story_begins", directory=stage.directory)
        clear(stage.directory, _KEPT)
        system = DossierSystem(stage.directory / SYSTEM, _SCALE)
        system.create()
        system.start()
        try:
            _set_up(stage, system)
            with _daemon(stage) as daemon:
                _protect(stage, system, daemon)
                before = _work_and_burn(stage, system)
                _bring_back(stage, system.cluster.major, before)
        finally:
            system.stop()


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Nobody else tells it here meanwhile."""
    try:
        with lock.lease(place / _LOCK, "opsd.demo protect"):
            yield
    except lock.Busy as busy:
        raise Refused("demo.told_already", directory=place, holder=busy.holder) from busy


def _set_up(stage: Stage, system: DossierSystem) -> None:
    """The server is told whom to keep its log for; nobody receives it yet."""
    ask(system.connection, clerk.TABLE)
    configure(stage, system, stage.home / "wal")
    stage.say("demo.system_runs", dossiers=_SCALE.dossiers, scans=system.scans)
    stage.say("demo.log_begins", config=stage.config)
    stage.opsd("wal", "setup", SET, "--plan")
    stage.opsd("wal", "setup", SET)


@contextmanager
def _daemon(stage: Stage) -> Iterator[process.Background]:
    """The real daemon, which runs the receivers."""
    stage.show("run", then=" &")
    daemon = process.Background(stage.command("run"), stage.home / "run.log")
    try:
        yield daemon
    finally:
        daemon.end()


def _protect(stage: Stage, system: DossierSystem, daemon: process.Background) -> None:
    """Until each commit waits for a receiver, and the first night took what a recovery needs."""

    def two(query: str) -> Callable[[], bool]:
        return lambda: ask(system.connection, query) == [("2",)]

    _await(daemon, two(_STREAMING))
    stage.say("demo.log_received")
    stage.opsd("wal", "setup", SET)
    _await(daemon, two(_WAITED_FOR))
    stage.say("demo.first_night")
    _await(daemon, lambda: _recoverable(stage))


def _recoverable(stage: Stage) -> bool:
    """Whether there is a base copy, the night is over, and what would be lost is known."""
    told = process.run(stage.command("status", "--json"))
    if not told.stdout:
        raise ToolFailed("demo.opsd_failed", verb="status", exit_code=told.exit_code)
    seen = json.loads(told.stdout)["sets"][SET]
    kept = [one["oldest"] for one in seen["recovery"][_LOG]["repositories"].values()]
    known = [*kept, *seen["loss"][_LOG].values()]
    return not seen["running"] and all(one is not None for one in known)


def _await(daemon: process.Background, done: Callable[[], bool]) -> None:
    """Wait until something holds. Raises `ToolFailed` with what the daemon said last."""
    deadline = time.monotonic() + _READY_SECONDS
    while not done():
        if not daemon.alive or time.monotonic() > deadline:
            said = daemon.log.read_text(errors="backslashreplace")[-_LOG_BYTES:]
            raise ToolFailed("demo.not_protected", log=daemon.log, detail=said)
        time.sleep(_POLL_SECONDS)


def _work_and_burn(stage: Stage, system: DossierSystem) -> Before:
    """A clerk works, somebody makes a mistake, everything burns."""
    notes = stage.directory / NOTES
    stage.say("demo.clerk_works", notes=notes)
    with clerk.at_work(system.connection, notes) as working:
        time.sleep(_ROWS_SECONDS)
        _show_loss(stage)
        table = _content(system.connection)
        stage.say("demo.mistake", table=_DROPPED, rows=table.rows)
        ask(system.connection, f"DROP TABLE {_DROPPED}")
        time.sleep(_MOMENT_SECONDS)
        if not working.working:
            working.insist()
        _burn(system.cluster)
    visits = working.acknowledged
    stage.say("demo.server_burns", acknowledged=len(visits))
    return Before(visits, table)


def _show_loss(stage: Stage) -> None:
    """The part of the status that is about this."""
    words = ("wal", "status", SET)
    stage.show(*words, then=f" | head -n {_LOSS_LINES}")
    said = process.run(stage.command(*words)).text.splitlines()
    print("\n".join(said[:_LOSS_LINES]), flush=True)


def _burn(server: cluster.Cluster) -> None:
    """All processes at once, as a fire ends them; then what they had written."""
    for pid in (server.pid, *_children(server.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.stop(signal.SIGKILL)
    shutil.rmtree(server.data)


def _children(parent: int) -> list[int]:
    """The processes that one began: those of PostgreSQL are in groups of their own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            _, _, after = path.read_text(errors="replace").rpartition(")")
            if int(after.split()[1]) == parent:
                found.append(int(path.parent.name))
    return found


def _bring_back(stage: Stage, major: int, before: Before) -> None:
    """Twice: to the last commit, and to just before the mistake."""
    now = stage.directory / _NOW
    took = _recover(stage, now, "now")
    with _started(now, major) as connection:
        insist_on_visits(before.visits, clerk.visits(connection))
    count = len(before.visits)
    stage.say("demo.visits_back", count=count, acknowledged=count, table=_DROPPED)
    beside = stage.directory / _TABLE_BACK
    took_for_table = _recover(stage, beside, "before-drop", _DROPPED)
    with _started(beside, major) as connection:
        table = _content(connection)
        insist_on_table(_DROPPED, before.table, table)
    fields = {"count": count, "acknowledged": count, "table": _DROPPED, "rows": table.rows}
    stage.say("demo.nothing_lost", now=took, drop=took_for_table, place=stage.directory, **fields)


def _recover(stage: Stage, target: Path, *goal: str) -> timedelta:
    """Recover the database alone, as a person would; how long that took."""
    began = time.monotonic()
    stage.opsd("recover", SET, "--to", *goal, "--target", str(target), "--without-files")
    return timedelta(seconds=time.monotonic() - began)


@contextmanager
def _started(target: Path, major: int) -> Iterator[str]:
    """The server that was recovered; it lies as one of ours does."""
    server = cluster.Cluster(target, major)
    server.adopt()
    server.start()
    try:
        yield server.connection(schema.DATABASE)
    finally:
        server.stop()


def _content(connection: str) -> Content:
    """The table that is dropped by mistake. Raises `ToolFailed` where it is not there."""
    try:
        ((rows, digest),) = ask(connection, _CONTENT)
    except DatabaseFailed as error:
        raise ToolFailed("demo.table_missing", table=_DROPPED, detail=error.detail) from error
    return Content(int(rows), digest)
