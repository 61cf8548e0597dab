"""Recovery to any moment: a base copy, and the log replayed onto it until there.

The plan comes first and says what will be done; carrying it out writes into an empty directory and
touches nothing that lives. What comes out is a stopped cluster that anybody can start.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.clock import Stopwatch
from opsd.drivers import cluster, system
from opsd.drivers.postgres import Database
from opsd.drivers.postgres.replication import Replay, visiting
from opsd.drivers.process import Stop
from opsd.drivers.restic import Piece
from opsd.errors import (
    Cancelled,
    DatabaseFailed,
    OpsdError,
    Refused,
    RepositoryDamaged,
    SpaceExhausted,
    ToolFailed,
    UsageError,
)
from opsd.model import Finding, Outcome, RecoveryPoint, Severity, Task
from opsd.policy import wal as policy
from opsd.policy.wal import Chain
from opsd.tasks.journal import end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import Forward
from opsd.tasks.shelf import points_in
from opsd.tasks.wal.bases import DATA, every_base, settle_places
from opsd.tasks.wal.clearing import clear
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.stock import Stock, stock
from opsd.wal import SEGMENT_BYTES, Base, Gap, written

WAL = "wal"
REPLAYED = "replayed"  # the evidence of a replay
_LIMIT = timedelta(days=7)
_POLL = 0.2
_SPEED = 20 << 20  # bytes a second that fetching and replaying come to where nothing was measured
_SPARE = 1 << 30
_THROWAWAY = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
_NICENESS = 10
_HBA = "recovery_hba.conf"
_CONFIG = "recovery.conf.d"


@dataclass(frozen=True, slots=True)
class Goal:
    """Where to: the end of the log, a moment, a name, a position, or just before a position."""

    kind: str  # now, time, name, lsn, before
    time: datetime | None = None
    name: str = ""
    lsn: int | None = None

    @property
    def settings(self) -> Mapping[str, str]:
        """The same as settings of the server."""
        match self.kind:
            case "time":
                assert self.time is not None  # noqa: S101  (of this kind)
                return {"recovery_target_time": self.time.isoformat()}
            case "name":
                return {"recovery_target_name": self.name}
            case "lsn" | "before":
                assert self.lsn is not None  # noqa: S101
                inclusive = "on" if self.kind == "lsn" else "off"
                at = written(self.lsn)
                return {"recovery_target_lsn": at, "recovery_target_inclusive": inclusive}
            case _:
                return {}


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be done: onto which base copy, how much of the log, how long it may take."""

    log: Log
    goal: Goal
    base: Base
    chain: Chain
    stock: Stock
    target: Path
    expected: timedelta
    findings: tuple[Finding, ...] = ()

    @property
    def wal_bytes(self) -> int:
        """How much of the log is fetched."""
        return sum(self.stock.held.segments[one].bytes for one in self.chain.segments)


@dataclass(slots=True)
class Recovered:
    """What came out: until which commit and position, how long it took, what was wrong."""

    planned: Planned
    replay: Replay | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether it is what was asked for."""
        return not any(one.severity is Severity.FAULT for one in self.findings)


@dataclass(frozen=True, slots=True)
class Ways:
    """How a recovery is made: from where, and whether it ends as a server of its own."""

    here: bool = True  # from the receivers of this machine too
    only: str = ""  # from this repository alone
    promote: bool = True
    throwaway: bool = False  # it is only to be looked at: a loss of power may ruin it


def plan(log: Log, goal: Goal, target: Path, ways: Ways | None = None) -> Planned:
    """Choose the base copy and the log. Raises `UsageError` when there is no way there.

    Raises `Refused` where something lives in the target, or lies there.
    """
    _guard(log, target)
    ways = ways or Ways()
    found, silent = every_base(log)
    found = tuple(b for b in found if ways.only in {"", b.repository})
    base = policy.base_for(found, until=goal.time, lsn=goal.lsn)
    if base is None:
        oldest = found[0].until if found else "-"
        raise UsageError("recover.no_base", name=log.subject, oldest=oldest)
    size = _segment_bytes(log, base)
    known = stock(log, base.system, size, here=ways.here, only=ways.only)
    chain = policy.chain(known.held, base.timeline, base.start, size)
    findings = [*silent, *known.findings, *_missing(chain, base, goal)]
    if goal.lsn is not None:
        chain = policy.until(chain, goal.lsn, size)
    needed = base.bytes + len(chain.segments) * size
    room = system.space(target)
    if room.free < needed + _SPARE:
        raise SpaceExhausted(
            "space.too_little",
            path=target,
            free=Size(room.free),
            needed=Size(needed),
            spare=Size(_SPARE),
        )
    expected = timedelta(seconds=needed / _speed(log))
    return Planned(log, goal, base, chain, known, target, expected, tuple(findings))


def _speed(log: Log) -> float:
    """Bytes of base copy and log a second, as the newest good replay measured it."""
    for run, closing in log.kit.store.runs(Task.REPLAY, log.backup_set):
        told = log.kit.store.evidence(run.id, REPLAYED)
        if closing and closing.outcome.good and told and told["member"] == log.name:
            seconds = sum(told["seconds"].values())
            return float(max((told["base_bytes"] + told["wal_bytes"]) / max(seconds, 1), 1))
    return _SPEED


def _segment_bytes(log: Log, base: Base) -> int:
    """How long a segment of that server is: the objects that are there say so."""
    for directory in log.directories.values():
        for path in directory.glob("[0-9A-F]*") if directory.exists() else ():
            with path.open("rb") as stream:
                head = policy.heading(stream.read(64))
            if head is not None and head.system == base.system:
                return head.size
    return SEGMENT_BYTES


def _missing(chain: Chain, base: Base, goal: Goal) -> Iterator[Finding]:
    """A gap before the goal makes it unreachable; one behind the goal does not matter.

    The last commit there is, is then the last before the gap: it is recovered, and not called good.
    """
    if chain.end < base.stop:
        bounds = {"begin": written(chain.end), "end": written(base.stop)}
        raise RepositoryDamaged("recover.inconsistent", **bounds)
    for gap in chain.gaps:
        if goal.lsn is not None and gap.begin > goal.lsn:
            continue
        if goal.kind == "now" or (goal.time is not None and goal.time < gap.since):
            yield Finding(Severity.FAULT, "recover.gap", _unreachable(gap).fields)
        else:
            raise _unreachable(gap)


def _unreachable(gap: Gap) -> RepositoryDamaged:
    return RepositoryDamaged(
        "recover.gap",
        begin=written(gap.begin),
        end=written(gap.end),
        since=gap.since,
        until=gap.until,
    )


def _guard(log: Log, target: Path) -> None:
    """Nothing that lives is written into, and nothing that lies there is written over."""
    if system.servers_in(target):
        raise Refused("recover.lives", target=target)
    if target.exists() and any(target.iterdir()):
        raise Refused("recover.target_used", target=target)
    for directory in log.directories.values():
        if target.resolve().is_relative_to(directory.resolve()):
            raise Refused("recover.in_receiver", target=target)


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
    with _timed(done, "fetch"):
        _fetch(kit, planned)
    with _timed(done, "verify"):
        wrong = planned.log.programs(planned.base.version // 10000).verify(target / DATA)
        if wrong:
            raise RepositoryDamaged("recover.base_damaged", id=planned.base.id, detail=wrong)
    server = _server(planned, ways or Ways())
    try:
        with _timed(done, "replay"):
            server.start()
            done.replay = _await(kit.stop, server)
        yield done, server
    finally:
        server.stop(signal.SIGINT)


@contextmanager
def further(kit: Kit, planned: Planned, goal: Goal, ways: Ways) -> Iterator[cluster.Cluster]:
    """A recovery that was paused goes on to a later goal; the server, while it stands there."""
    server = _server(replace(planned, goal=goal), ways)
    try:
        server.start()
        _await(kit.stop, server)
        yield server
    finally:
        server.stop(signal.SIGINT)


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
        kit.store.tell(kit.clock(), "recover", system.user(), {**told, "run": journal.run.id})
        done = carry_out(kit, planned, ways)
        journal.findings += done.findings
        journal.phases.update(done.seconds)
        if not done.good:
            end(journal, Outcome.FAILED, "integrity")
    return done


def fitting_files(kit: Kit, done: Recovered) -> RecoveryPoint | None:
    """The recovery point whose files fit what was recovered. None where the set has no files."""
    log, at = done.planned.log, done.replay.at if done.replay else None
    backup_set = kit.backup_set(log.backup_set)
    if not backup_set.trees or at is None:
        return None
    found = points_in(kit.restic(backup_set.repository), log.backup_set)
    return policy.files_for([point for point in found if point.complete], at)


def carry_out(kit: Kit, planned: Planned, ways: Ways | None = None) -> Recovered:
    """Bring it there and leave it stopped, ready to be started by whoever takes it over."""
    with recovered(kit, planned, ways) as (done, _):
        pass
    if (ways or Ways()).promote:
        for path in (planned.target / WAL).iterdir():
            path.unlink()
        (planned.target / WAL).rmdir()
    return done


def _fetch(kit: Kit, planned: Planned) -> None:
    """The base copy and the log, into the target."""
    base, target = planned.base, planned.target
    kit.watcher.phase("fetch", planned.log.name)
    fetched = kit.restic(base.repository).restore(
        Piece(base.snapshot, base.root, target),
        limits=kit.limits(base.repository, _LIMIT),
        on_progress=Forward(kit),
    )
    if fetched.failures:
        detail = "\n".join(fetched.failures[:5])
        raise RepositoryDamaged("proof.fetch_failed", member=planned.log.name, detail=detail)
    settle_places(target)
    (target / WAL).mkdir(mode=0o700)
    kit.watcher.phase("fetch", WAL)
    planned.stock.fetch(planned.chain.segments, target / WAL)


def _server(planned: Planned, ways: Ways) -> cluster.Cluster:
    """The server as it will replay: with nothing of the lost one that would hang or harm."""
    target = planned.target
    clear(target / DATA)
    (target / DATA / "recovery.signal").touch()
    (target / _HBA).write_text("local all all trust\n", encoding="utf-8")
    (target / _CONFIG).write_text("", encoding="utf-8")
    settings = {
        **cluster.least(planned.base.version // 10000, target / DATA),
        "config_file": str(target / _CONFIG),
        "hba_file": str(target / _HBA),
        "unix_socket_permissions": "0700",
        "archive_mode": "off",
        "shared_preload_libraries": "",
        "hot_standby": "on",
        "restore_command": f'cp "{target / WAL}/%f" "%p"',
        "recovery_target_timeline": "latest",
        "recovery_target_action": "promote" if ways.promote else "pause",
        **planned.goal.settings,
        **(_THROWAWAY if ways.throwaway else {}),
    }
    made = cluster.Cluster(
        target,
        planned.base.version // 10000,
        settings,
        niceness=_NICENESS if ways.throwaway else 0,
        superuser=planned.base.superuser,
        start_limit=_LIMIT,
    )
    made.adopt()
    return made


def _await(stop: Stop, server: cluster.Cluster) -> Replay:
    """Wait until it is where it should be. Raises `DatabaseFailed` when it ends before."""
    watch = Stopwatch()
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
        time.sleep(_POLL)
    said = server.log.read_text(errors="backslashreplace")[-2000:]
    if "recovery ended before configured recovery target" in said:
        raise DatabaseFailed("recover.not_reached", detail=said)
    raise ToolFailed("cluster.failed", directory=server.directory, log=server.log, detail=said)


@contextmanager
def _timed(done: Recovered, name: str) -> Iterator[None]:
    watch = Stopwatch()
    try:
        yield
    finally:
        done.seconds[name] = done.seconds.get(name, 0) + watch.elapsed().total_seconds()
