"""Recovery to any moment: a base copy, and the log replayed onto it until there.

The plan comes first and says what will be done; carrying it out writes into an empty directory and
touches nothing that lives. What comes out is a stopped cluster that anybody can start.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from shlex import quote

from opsd.clock import Stopwatch, timed
from opsd.drivers import cluster, system
from opsd.drivers.postgres import Database
from opsd.drivers.postgres.replication import Replay, visiting
from opsd.drivers.process import Stop
from opsd.errors import Cancelled, DatabaseFailed, OpsdError, ToolFailed
from opsd.model import Finding, Outcome, Severity, Task
from opsd.policy import wal as policy
from opsd.tasks.journal import end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.wal import fetching, reading
from opsd.tasks.wal.clearing import cleared, wait_at
from opsd.tasks.wal.files import Brought, bring
from opsd.tasks.wal.layout import DATA, PLACES, WAL
from opsd.tasks.wal.planning import HBA, Goal, Planned, Ways
from opsd.tasks.wal.reading import Tables
from opsd.wal import written

_LIMIT = timedelta(days=7)
_TOO_SHORT = "recovery ended before configured recovery target"
_ONE_RECORD = 1 << 20  # bytes: hardly any is longer
_LENGTH_BYTES = 4
_POLL = (0.01, 0.5)  # seconds between two looks: at first, and when it takes long
_THROWAWAY = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
_NICENESS = 10
_CONFIG = "recovery.conf.d"
_SIGNAL = "recovery.signal"


@dataclass(slots=True)
class Recovered:
    """What came out: until which commit and position, how long it took, what was wrong."""

    planned: Planned
    replay: Replay | None = None
    files: Brought | None = None
    tables: Mapping[str, Tables] | None = None  # of each database, where they were read
    seconds: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    paused: bool = False  # it goes to its goal again when it is started, and stands there

    @property
    def good(self) -> bool:
        """Whether it is what was asked for."""
        return not any(one.severity is Severity.FAULT for one in self.findings)

    @property
    def whole(self) -> bool:
        """Whether every row has its file, too."""
        return self.files is None or self.files.whole


# ------------------------------------------------------------------------------ doing


@contextmanager
def recovered(
    kit: Kit, planned: Planned, ways: Ways | None = None
) -> Iterator[tuple[Recovered, cluster.Cluster]]:
    """Bring it there, and give the server while it still runs; it is stopped in the end."""
    ways = ways or Ways()
    target = planned.target
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)  # everybody's data is in it: for the server's account, and for root
    fetched = fetching.fetch(kit, planned, proof=ways.throwaway)
    findings = [*planned.findings, *fetched.findings]
    done = Recovered(planned, seconds=fetched.seconds, findings=findings)
    with _server(planned, ways) as server:
        server.log.unlink(missing_ok=True)  # what an earlier attempt said
        with timed(done.seconds, "replay"):
            done.replay = _replayed(kit.stop, server)
        _insist_on_end(done)
        yield done, server


@contextmanager
def further(
    kit: Kit, planned: Planned, goal: Goal, ways: Ways
) -> Iterator[tuple[Replay, cluster.Cluster]]:
    """A recovery that was paused goes on to a later goal; the server, while it stands there."""
    with _server(replace(planned, goal=goal), ways) as server:
        yield _replayed(kit.stop, server), server


def recorded(kit: Kit, planned: Planned, ways: Ways) -> Recovered:
    """The same as `carry_out`, as a run of the history, told in the audit chain."""
    base = planned.base
    with opened(kit, Task.RESTORE, planned.log.backup_set, base.repository) as journal:
        told = {
            "backup_set": planned.log.backup_set,
            "base": base.id,
            "member": planned.log.name,
            "target": str(planned.target),
            "goal": dict(planned.goal.settings),
        }
        journal.evidence("recover", told)
        kit.store.tell(kit.clock(), "recover", system.person(), {**told, "run": journal.run.id})
        done = carry_out(kit, planned, ways)
        journal.findings += done.findings
        journal.phases.update(done.seconds)
        if done.tables is not None:
            journal.evidence("tables", dict(done.tables))
        if not done.good:
            end(journal, Outcome.FAILED, "integrity")
        elif not done.whole:
            end(journal, Outcome.PARTIAL, "partial")
    return done


def carry_out(kit: Kit, planned: Planned, ways: Ways | None = None) -> Recovered:
    """Bring it there and leave it stopped, ready to be started by whoever takes it over."""
    ways = ways or Ways()
    with recovered(kit, planned, ways) as (done, server):
        if ways.digests:
            with timed(done.seconds, "tables"):
                done.tables = reading.read_all(planned.log, server)
        if ways.files and kit.backup_set(planned.log.backup_set).trees:
            _bring_files(kit, done, Database(server.connection(planned.log.database_name)))
    if ways.promote:
        for path in (planned.target / WAL).iterdir():
            path.unlink()
        (planned.target / WAL).rmdir()
    elif (planned.target / DATA / _SIGNAL).exists():  # to the end of the log there is no pause
        wait_at(planned.target / DATA, {**_replaying(planned, ways), "hot_standby": "on"})
        done.paused = True
    return done


def _bring_files(kit: Kit, done: Recovered, database: Database) -> None:
    """The trees of the same moment. The database is recovered, whatever becomes of them."""
    planned = done.planned
    moment = (done.replay and done.replay.at) or planned.base.until
    try:
        with timed(done.seconds, "files"):
            done.files = bring(kit, planned.log, database, moment, planned.target)
    except OpsdError as error:
        if kit.stop.requested:
            raise
        done.findings.append(error.finding(Severity.FAULT))
    else:
        done.findings += done.files.findings


def _is_left_out(planned: Planned, reached: int) -> bool:
    """Whether all of the record is there with which the server could not go on: it is damaged.

    A record begins with its length (PostgreSQL's access/xlogrecord.h). Zeros before the end of the
    log are a hole.
    """
    size, end = planned.stock.size, planned.chain.end
    begin = policy.next_record(reached, size)
    found = [one for one in planned.chain.segments if one.number == begin // size]
    if begin >= end or not found:
        return False
    with (planned.target / WAL / found[0].name(size)).open("rb") as stream:
        stream.seek(begin % size)
        length = int.from_bytes(stream.read(_LENGTH_BYTES), sys.byteorder)
    return policy.lies_before(length, begin, end, size)


@contextmanager
def _server(planned: Planned, ways: Ways) -> Iterator[cluster.Cluster]:
    """The server as it will replay, with nothing of the lost one's settings; stopped in the end."""
    target, major = planned.target, planned.base.version // 10000
    with cleared(target / DATA, major):
        (target / DATA / _SIGNAL).touch()
        (target / HBA).write_text("local all all trust\n", encoding="utf-8")
        (target / _CONFIG).write_text("", encoding="utf-8")
        settings = {
            **cluster.least(major, target / DATA),
            "config_file": str(target / _CONFIG),
            "hba_file": str(target / HBA),
            "unix_socket_permissions": "0700",
            "archive_mode": "off",
            "hot_standby": "on",
            "max_logical_replication_workers": "0",  # no subscription takes what another waits for
            "wal_recycle": "off",  # what was fetched is not written over
            **_replaying(planned, ways),
            # By another name of the same file, where that can be: the log is not written twice.
            "restore_command": f"{_given(planned, 'ln')} 2>/dev/null || {_given(planned, 'cp')}",
            **(_THROWAWAY if ways.throwaway else {}),
        }
        made = cluster.Cluster(
            target,
            major,
            settings,
            niceness=_NICENESS if ways.throwaway else 0,
            superuser=planned.base.superuser,
            start_limit=_LIMIT,
        )
        made.adopt(target / PLACES, target / WAL)
        try:
            yield made
        finally:
            made.stop(signal.SIGINT)


def _replaying(planned: Planned, ways: Ways) -> dict[str, str]:
    """From where it takes the log, until where, and what then."""
    return {
        "restore_command": _given(planned, "cp"),
        "recovery_target_timeline": "latest",
        "recovery_target_action": "promote" if ways.promote else "pause",
        **planned.goal.settings,
    }


def _given(planned: Planned, program: str) -> str:
    """How the server comes by a segment: a program gives it what was fetched."""
    segment = quote(str(planned.target / WAL)).replace("%", "%%") + "/%f"
    return f'{program} {segment} "%p"'


def _replayed(stop: Stop, server: cluster.Cluster) -> Replay:
    """Start it, and wait until it is where it should be.

    Raises `DatabaseFailed` when the log ends before.
    """
    try:
        server.start()
        return _await(stop, server)
    except ToolFailed as error:
        if _TOO_SHORT in error.detail:
            raise DatabaseFailed("recover.not_reached", detail=error.detail) from error
        raise


def _await(stop: Stop, server: cluster.Cluster) -> Replay:
    """Wait until a server that runs is where it should be. Raises `ToolFailed` when it ends."""
    watch = Stopwatch()
    pause = _POLL[0]
    seen: Replay | None
    while server.alive and watch.elapsed() < _LIMIT:
        if stop.requested:
            raise Cancelled("run.cancelled")
        try:
            with visiting(Database(server.connection("template1"))) as one:
                seen = one.replay()
        except OpsdError:
            seen = None
        if seen is not None and (seen.paused or not seen.recovering):
            return seen
        time.sleep(pause)
        pause = min(2 * pause, _POLL[1])
    said = server.log.read_text(errors="backslashreplace")[-2000:]
    raise ToolFailed("cluster.failed", directory=server.directory, log=server.log, detail=said)


def _insist_on_end(done: Recovered) -> None:
    """The end of the log is where the log ends, and not where the server could read no further.

    It may end within a record, which is not replayed.
    """
    planned, reached = done.planned, (done.replay and done.replay.position) or 0
    if not planned.goal.is_end or not done.good:
        return
    if reached < planned.chain.end - _ONE_RECORD or _is_left_out(planned, reached):
        bounds = {"end": written(planned.chain.end), "reached": written(reached)}
        done.findings.append(Finding(Severity.FAULT, "recover.ended_early", bounds))
