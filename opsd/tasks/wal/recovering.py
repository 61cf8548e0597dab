"""Recovery to any moment: a base copy, and the log replayed onto it until there.

The plan comes first and says what will be done; carrying it out writes into an empty directory and
touches nothing that lives. What comes out is a stopped cluster that anybody can start.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from shlex import quote

from opsd.clock import Stopwatch, timed
from opsd.drivers import cluster, system, tree
from opsd.drivers.mirror import mirror
from opsd.drivers.postgres import Database
from opsd.drivers.postgres.replication import Replay, visiting
from opsd.drivers.process import Stop
from opsd.drivers.restic import Piece
from opsd.drivers.tree import NOT_FLUSHED
from opsd.errors import Cancelled, DatabaseFailed, OpsdError, RepositoryDamaged, ToolFailed
from opsd.model import Finding, Outcome, Severity, Task
from opsd.tasks.beside import Beside, beside
from opsd.tasks.journal import end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import Forward
from opsd.tasks.wal import at_hand, reading
from opsd.tasks.wal.clearing import cleared, wait_at
from opsd.tasks.wal.files import PLACE, Brought, bring
from opsd.tasks.wal.layout import DATA, PLACES, settle_places
from opsd.tasks.wal.planning import HBA, Goal, Planned, Ways, is_made
from opsd.tasks.wal.reading import Tables
from opsd.wal import Base, written

WAL = "wal"
_LIMIT = timedelta(days=7)
_TOO_SHORT = "recovery ended before configured recovery target"
_ONE_RECORD = 1 << 20  # bytes: hardly any is longer
_POLL = (0.05, 0.5)  # seconds between two looks: at first, and when it takes long
_THROWAWAY = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
_NICENESS = 10
_CONFIG = "recovery.conf.d"
_SIGNAL = "recovery.signal"
_PARTS = ".parts"  # base copies until they are made one
_SPARED = (f"/{PLACE}", f"/{WAL}")  # what a restore over a used target leaves alone


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
    done = Recovered(planned, findings=list(planned.findings))
    target = planned.target
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)  # everybody's data is in it: for the server's account, and for root
    _bring(kit, done, ways or Ways())
    with _server(planned, ways or Ways()) as server:
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
        done.findings.append(Finding(Severity.FAULT, error.key, error.fields, error.detail))
    else:
        done.findings += done.files.findings


def _bring(kit: Kit, done: Recovered, ways: Ways) -> None:
    """Base copy and log, from what is at hand; where that is not good, from elsewhere."""
    line = done.planned.line if done.planned.at_hand else ()
    with at_hand.held(done.planned.log, line) as near:
        if near:
            try:
                _fetch(kit, done, ways, near)
            except OpsdError as error:
                if kit.stop.requested or error.key == NOT_FLUSHED:
                    raise
                told = Finding(Severity.CHANGE, "recover.at_hand_damaged", detail=str(error))
                done.findings.append(told)
            else:
                return
    _fetch(kit, done, ways, {})


def _fetch(kit: Kit, done: Recovered, ways: Ways, near: Mapping[str, Path]) -> None:
    """The base copy and the log at the same time, into the target.

    What is made from a line of copies, or from one that is `near`, comes beside what lies there,
    which stays until all is here; with `delta` a single copy is written over it.
    """
    planned, target = done.planned, done.planned.target
    in_place = ways.delta and len(planned.line) == 1  # only what differs is written
    beside_it = is_made(planned.line, near) and not in_place
    shutil.rmtree(target / _PARTS, ignore_errors=True)
    log = (target / _PARTS if beside_it else target) / WAL
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir(parents=True, mode=0o700)

    def fetch_log(own: Kit) -> None:
        own.watcher.phase("fetch", WAL)
        try:
            planned.stock.fetch(planned.chain.segments, log, own.go_on)
        except RepositoryDamaged as error:
            if not planned.goal.is_end:
                raise
            # As at a gap: the last commit there is, is the last before it.
            done.findings.append(Finding(Severity.FAULT, error.key, error.fields, error.detail))

    with timed(done.seconds, "fetch"):
        with beside(kit) as side:
            side.start(fetch_log)
            if beside_it:
                _make(side, planned, near)
            elif near:
                _copy(side.kit, planned, near[planned.base.id], target)
            else:
                _fetch_base(side.kit, planned, planned.base, target, exact=ways.delta)
        if beside_it:
            for name in (DATA, PLACES, WAL):
                shutil.rmtree(target / name, ignore_errors=True)
                (target / _PARTS / name).rename(target / name)
            shutil.rmtree(target / _PARTS)
        settle_places(target)
    with timed(done.seconds, "verify"), beside(kit) as side:
        if not ways.throwaway:  # the server would wait for the disk before it replays
            side.start(lambda own: tree.flush(target, own.stop))
        _insist_good(planned, planned.base, target)


def _insist_good(planned: Planned, base: Base, home: Path, *, contents: bool = True) -> None:
    """Raise `RepositoryDamaged` unless a copy is as its manifest says."""
    programs = planned.log.programs(base.version // 10000)
    if wrong := programs.verify(home / DATA, contents=contents):
        raise RepositoryDamaged("recover.base_damaged", id=base.id, detail=wrong)


def _fetch_base(
    kit: Kit, planned: Planned, base: Base, target: Path, *, exact: bool = False
) -> None:
    kit.watcher.phase("fetch", planned.log.name)
    fetched = kit.restic(base.repository).restore(
        Piece(base.snapshot, base.root, target, exact=exact, spared=_SPARED),
        limits=kit.limits(base.repository, _LIMIT),
        on_progress=Forward(kit),
    )
    if fetched.failures:
        detail = "\n".join(fetched.failures[:5])
        raise RepositoryDamaged("proof.fetch_failed", member=planned.log.name, detail=detail)


def _make(side: Beside, planned: Planned, near: Mapping[str, Path]) -> None:
    """One whole copy of a line, below `_PARTS`, from those that are `near` and what is fetched.

    The large one is fetched beside the small ones. Each of a line is verified beside what goes on
    with it: what comes out has a manifest of its own.
    """
    home = planned.target / _PARTS

    def part(kit: Kit, number: int) -> Path:
        base = planned.line[number]
        place = near.get(base.id, home / str(number))
        if base.id not in near:
            place.mkdir(parents=True, mode=0o700)
            _fetch_base(kit, planned, base, place)
            settle_places(place)
        if len(planned.line) > 1:
            side.start(lambda _: _insist_good(planned, base, place))
        return place

    large = side.start(lambda kit: part(kit, 0))
    small = [part(side.kit, number) for number in range(1, len(planned.line))]
    parts = [large.result(), *small]
    if not small:
        _copy(side.kit, planned, parts[0], home)
        return
    (home / PLACES).mkdir(mode=0o700)
    old = parts[-1] / PLACES
    places = {one: home / PLACES / one.name for one in (old.iterdir() if old.exists() else ())}
    programs = planned.log.programs(planned.base.version // 10000)
    programs.combine([one / DATA for one in parts], home / DATA, places)


def _copy(kit: Kit, planned: Planned, near: Path, home: Path) -> None:
    """A whole copy that is at hand; of what lies at home already, only what differs is written.

    It is looked at first: one that lacks something takes nothing away from what lies there.
    """
    _insist_good(planned, planned.base, near, contents=False)
    try:
        for name in (DATA, PLACES):
            mirror(near / name, home / name, kit.stop)
    finally:
        settle_places(home)


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
            **_replaying(planned, ways),
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
        "restore_command": f'cp {quote(str(planned.target / WAL)).replace("%", "%%")}/%f "%p"',
        "recovery_target_timeline": "latest",
        "recovery_target_action": "promote" if ways.promote else "pause",
        **planned.goal.settings,
    }


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
    if planned.goal.is_end and reached < planned.chain.end - _ONE_RECORD and done.good:
        bounds = {"end": written(planned.chain.end), "reached": written(reached)}
        done.findings.append(Finding(Severity.FAULT, "recover.ended_early", bounds))
