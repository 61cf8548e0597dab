"""A MariaDB server as it was at any moment: a base copy, and the log replayed onto it until there.

The plan comes first; carrying it out writes into an empty directory and touches nothing that lives.
What comes out is a stopped server's data directory that anybody can start.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from opsd.binlog import BaseCopy, Kept, LogFile, Spot, Strand, strand
from opsd.clock import timed
from opsd.drivers import system
from opsd.drivers.mariadb import binlog
from opsd.drivers.mariadb.binlog import Until
from opsd.drivers.mariadb.server import SERVER_ACCOUNT, Server
from opsd.drivers.restic import Piece
from opsd.errors import OpsdError, Refused, RepositoryDamaged, UsageError
from opsd.model import Finding, Outcome, Severity, Task
from opsd.policy import binlog as policy
from opsd.policy import recoverable
from opsd.policy.preflight import Room, judge_room
from opsd.tasks.binlog.bases import DATA, bases, every_base
from opsd.tasks.binlog.shelf import Shelf, open_shelf
from opsd.tasks.binlog.stream import Stream, received, walked
from opsd.tasks.journal import end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import Forward

LOG = "log"
_LIMIT = timedelta(days=7)
_SPARE = 1 << 30
_SECOND = timedelta(seconds=1)  # of a moment all of its second is meant
_SPEED = 20 << 20  # bytes a second that fetching and replaying come to where nothing was measured
_ROLE = "opsd_recovery"
_STARTED = "recovery.sql"
# What the copied server was made with, without which its files are not understood.
_MADE_WITH = "backup-my.cnf"


@dataclass(frozen=True, slots=True)
class Goal:
    """Where to: the end of the log, a moment (with all of its second), or a place."""

    time: datetime | None = None
    spot: Spot | None = None

    @property
    def until(self) -> Until:
        """The same for whoever reads the log: it stops before the second that follows."""
        after = self.time.replace(microsecond=0) + _SECOND if self.time else None
        return Until(after, self.spot)


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be done: onto which base copy, which files of the log, how long it may take."""

    stream: Stream
    goal: Goal
    base: BaseCopy
    log: Strand
    target: Path
    expected: timedelta
    places: Mapping[LogFile, Path | Shelf]
    findings: tuple[Finding, ...] = ()

    @property
    def log_bytes(self) -> int:
        """How much of the log is fetched."""
        return sum(kept.bytes for kept in self.log.files.values())


@dataclass(slots=True)
class Recovered:
    """What came out: how far it was replayed, how long it took, what was wrong."""

    planned: Planned
    seconds: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether it is what was asked for."""
        return not any(one.severity is Severity.FAULT for one in self.findings)


def plan(stream: Stream, goal: Goal, target: Path, *, only: str = "") -> Planned:
    """Choose the base copy and the log. Raises `UsageError` when there is no way there.

    With `only` everything comes from that repository, and nothing from here. Raises `Refused` where
    something lives in the target, or lies there.
    """
    _guard(stream, target)
    kit = stream.kit
    if goal.time is not None and goal.time > kit.clock() + kit.config.clock.max_offset:
        raise UsageError("recover.future", at=goal.time)
    found, silent = every_base(stream)
    found = tuple(base for base in found if only in {"", base.repository})
    base = policy.base_for(found, until=goal.time, spot=goal.spot)
    if base is None:
        raise recoverable.no_base(stream.subject, [one.at for one in found])
    files, places, wrong = _stock(stream, base.server, only)
    log = _until_goal(strand(files, base.spot.file), goal)
    _insist(log, base, goal)
    needed = base.bytes + sum(kept.bytes for kept in log.files.values())
    for against in judge_room(Room(target, system.space(target).free, needed, _SPARE)):
        raise against
    expected = timedelta(seconds=needed / _SPEED)
    told = (*silent, *(one for one in wrong if one not in silent), *_gap(log, goal))
    return Planned(stream, goal, base, log, target, expected, places, told)


def reachable(stream: Stream, server: str, spot: Spot, repository: str) -> bool:
    """Whether a repository has a base copy of a server from before a place in its log."""
    found = (base for base in bases(stream, repository) if base.server == server)
    return policy.base_for(tuple(found), until=None, spot=spot) is not None


def _guard(stream: Stream, target: Path) -> None:
    """Nothing that lives is written into, and nothing that lies there is written over."""
    system.insist_on_place(target)
    if system.servers_in(target):
        raise Refused("recover.lives", target=target)
    if target.exists() and any(target.iterdir()):
        raise Refused("recover.target_used", target=target)
    if target.resolve().is_relative_to(stream.directory.resolve()):
        raise Refused("recover.in_receiver", target=target)


def _stock(
    stream: Stream, server: str, only: str
) -> tuple[dict[LogFile, Kept], dict[LogFile, Path | Shelf], list[Finding]]:
    """All of the log that can be had: of each file the place that has most of it."""
    files: dict[LogFile, Kept] = {}
    places: dict[LogFile, Path | Shelf] = {}
    findings: list[Finding] = []
    here = {} if only else received(stream.directory)
    for file, path in here.items():
        kept = walked(path).kept
        later = file != max(here)  # a server that died left it without an end
        files[file] = Kept(kept.bytes, kept.last, closed=kept.closed or later)
        places[file] = path
    for repository in (only,) if only else stream.repositories:
        try:
            stream.kit.reach(repository)
            shelf = open_shelf(stream, repository, server)
            shelf.keys.insist()
            for file, kept in shelf.holdings().items():
                before = files.get(file, Kept())
                if (kept.bytes, kept.closed) > (before.bytes, before.closed):
                    files[file], places[file] = kept, shelf
        except OpsdError as error:
            findings.append(error.finding(Severity.CHANGE))
    return files, places, findings


def _until_goal(log: Strand, goal: Goal) -> Strand:
    """Files behind a place are not needed; those behind a moment are read to know."""
    if goal.spot is None:
        return log
    spot = goal.spot
    return Strand({f: k for f, k in log.files.items() if f <= spot.file}, log.gap)


def _insist(log: Strand, base: BaseCopy, goal: Goal) -> None:
    """Raise where the log does not reach the base copy's own place, or the place that is wanted."""
    reach = log.end
    wanted = max(base.spot, goal.spot) if goal.spot else base.spot
    if reach is not None and log.gap is None and base.spot <= reach < wanted:
        raise UsageError("binlog.beyond", end=str(reach), goal=str(wanted))
    if reach is None or reach < wanted:
        missing = log.gap or (reach.file if reach else base.spot.file)
        raise RepositoryDamaged("binlog.gap_before", file=missing.name, goal=str(wanted))


def _gap(log: Strand, goal: Goal) -> Iterator[Finding]:
    """A gap makes what is behind it unreachable: what is before it is recovered, and not good.

    Of a moment it matters when the log that there is ends before it.
    """
    last = max((kept.last for kept in log.files.values() if kept.last), default=None)
    if goal.spot is not None or (goal.time is not None and last is not None and last > goal.time):
        return
    if log.gap is not None:
        yield Finding(Severity.FAULT, "binlog.gap_behind", {"file": log.gap.name})
    elif goal.time is not None:  # perhaps nothing was committed since; perhaps it was not received
        yield Finding(Severity.CHANGE, "binlog.ends", {"at": last or "-", "end": str(log.end)})


# ------------------------------------------------------------------------------ doing


def recorded(kit: Kit, planned: Planned) -> Recovered:
    """Bring it there, as a run of the history, told in the audit chain."""
    stream, base = planned.stream, planned.base
    with opened(kit, Task.RESTORE, stream.backup_set, base.repository) as journal:
        told = {
            "backup_set": stream.backup_set,
            "base": base.id,
            "member": stream.name,
            "target": str(planned.target),
            "goal": str(planned.goal.time or planned.goal.spot or "now"),
        }
        journal.evidence("recover", told)
        kit.store.tell(kit.clock(), "recover", system.person(), {**told, "run": journal.run.id})
        with recovered(kit, planned) as (done, _):
            pass
        journal.findings += done.findings
        journal.phases.update(done.seconds)
        if not done.good:
            end(journal, Outcome.FAILED, "integrity")
    return done


@contextmanager
def recovered(kit: Kit, planned: Planned) -> Iterator[tuple[Recovered, Server]]:
    """Bring it there, and give the server while it still runs; it is stopped in the end."""
    done = Recovered(planned, findings=list(planned.findings))
    target = planned.target
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)  # everybody's data is in it: for the server's account, and for root
    with timed(done.seconds, "fetch"):
        files = _fetch(kit, planned)
    server = _server(target)
    try:
        with timed(done.seconds, "replay"):
            server.start()
            until = planned.goal.until
            binlog.replay(server.database(), files, planned.base.spot.offset, until, _LIMIT)
        yield done, server
        list(server.database().ask(f"DROP USER {_ROLE}@localhost;"))
    finally:
        server.stop()
        (target / _STARTED).unlink(missing_ok=True)
    shutil.rmtree(target / LOG)


def _fetch(kit: Kit, planned: Planned) -> list[Path]:
    """The base copy and the log, into the target. Raises when a file is not what it should be."""
    base, target = planned.base, planned.target
    kit.watcher.phase("fetch", planned.stream.name)
    fetched = kit.restic(base.repository).restore(
        Piece(base.snapshot, base.root, target),
        limits=kit.limits(base.repository, _LIMIT),
        on_progress=Forward(kit),
    )
    if fetched.failures:
        detail = "\n".join(fetched.failures[:5])
        raise RepositoryDamaged("proof.fetch_failed", member=planned.stream.name, detail=detail)
    kit.watcher.phase("fetch", LOG)
    (target / LOG).mkdir(mode=0o700)
    return [_fetch_log(planned, file, target / LOG / file.name) for file in planned.log.files]


def _fetch_log(planned: Planned, file: LogFile, path: Path) -> Path:
    """One file of the log, every event of it looked at."""
    place, kept = planned.places[file], planned.log.files[file]
    if isinstance(place, Shelf):
        place.fetch(file, path)
    else:
        shutil.copyfile(place, path)
    found = walked(path)
    if found.wrong or found.kept.bytes < kept.bytes:
        raise RepositoryDamaged("binlog.file_damaged", file=file.name, why=found.wrong or "short")
    os.truncate(path, found.kept.bytes)
    return path


def _server(target: Path) -> Server:
    """The server as it will replay: closed to everybody, with a role of our own while it does."""
    data = target / DATA
    made_with = dict(
        line.strip().split("=", 1)
        for line in (data / _MADE_WITH).read_text(encoding="utf-8").splitlines()
        if "=" in line
    )
    settings = {
        **made_with,
        "event_scheduler": "OFF",
        "init_file": str(target / _STARTED),
        "skip_slave_start": "ON",
    }
    (target / _STARTED).write_text(
        f"CREATE OR REPLACE USER {_ROLE}@localhost;\n"
        f"GRANT ALL PRIVILEGES ON *.* TO {_ROLE}@localhost WITH GRANT OPTION;\n",
        encoding="utf-8",
    )
    if os.geteuid() == 0:
        account = pwd.getpwnam(SERVER_ACCOUNT)
        for path in (target, *target.rglob("*")):
            if not path.is_relative_to(target / LOG):
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return Server(target, settings, user=_ROLE)
