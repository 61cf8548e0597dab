"""What a recovery will do, before it does anything: base copy, log, goal, target, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from opsd.drivers import cluster, system
from opsd.errors import OpsdError, Refused, RepositoryDamaged, UsageError
from opsd.model import Finding, RecoveryPoint, Severity, Task
from opsd.policy import recoverable
from opsd.policy import wal as policy
from opsd.policy.preflight import Room, judge_room
from opsd.policy.recoverable import Measured
from opsd.policy.wal import Chain
from opsd.tasks.keys import opening
from opsd.tasks.kit import Kit
from opsd.tasks.wal import at_hand
from opsd.tasks.wal.aside import places_aside
from opsd.tasks.wal.bases import every_base
from opsd.tasks.wal.copies import Copies, open_copies
from opsd.tasks.wal.files import candidates
from opsd.tasks.wal.layout import DATA
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.stock import Stock, stock
from opsd.wal import Base, Gap, written

REPLAYED = "replayed"  # the evidence of a replay
_SPEED = 20 << 20  # bytes a second that fetching and replaying come to where nothing was measured
_SPARE = 1 << 30
HBA = "recovery_hba.conf"  # who may come in while it is replayed; and a sign that we were here


@dataclass(frozen=True, slots=True)
class Goal:
    """Where to: the end of the log, a moment, a name, a position, or just before a position.

    Or the end of a timeline, whether the server left it or not.
    """

    kind: str  # now, time, name, lsn, before, timeline
    time: datetime | None = None
    name: str = ""
    lsn: int | None = None
    timeline: int = 0

    @property
    def is_end(self) -> bool:
        """Whether it is the last commit there is, wherever that may be."""
        return self.kind in {"now", "timeline"}

    @property
    def settings(self) -> Mapping[str, str]:
        """The same as settings of the server. A name may be there twice, its position is not."""
        match self.kind:
            case "time":
                assert self.time is not None  # noqa: S101  (of this kind)
                return {"recovery_target_time": self.time.isoformat()}
            case "name" if self.lsn is None:
                return {"recovery_target_name": self.name}
            case "lsn" | "before" | "name":
                assert self.lsn is not None  # noqa: S101
                inclusive = "off" if self.kind == "before" else "on"
                at = written(self.lsn)
                return {"recovery_target_lsn": at, "recovery_target_inclusive": inclusive}
            case "timeline":
                return {"recovery_target_timeline": str(self.timeline)}
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
    copies: Copies
    target: Path
    expected: timedelta
    findings: tuple[Finding, ...] = ()
    files: RecoveryPoint | None = None  # of which point, where that is known before
    at_hand: bool = False  # whether the base copy lies on this machine

    @property
    def wal_bytes(self) -> int:
        """How much of the log is fetched."""
        return sum(self.stock.held.segments[one].bytes for one in self.chain.segments)

    @property
    def read_bytes(self) -> int:
        """How much is read of base copy and log, as it is when nothing compresses it."""
        return self.base.read + self.wal_bytes


@dataclass(frozen=True, slots=True)
class Ways:
    """How a recovery is made: from where, and whether it ends as a server of its own."""

    here: bool = True  # from this machine too: what it receives, and what is at hand
    only: str = ""  # from this repository alone
    base: str = ""  # onto this base copy
    promote: bool = True
    throwaway: bool = False  # it is only to be looked at: a loss of power may ruin it
    digests: bool = False  # every row of every table is read, and told by its digest
    files: bool = False  # the trees of the set come too, and are reconciled
    delta: bool = False  # over a cluster that lies there: only what differs is fetched
    over_live: bool = False  # which opsd did not put there


def plan(log: Log, goal: Goal, target: Path, ways: Ways | None = None) -> Planned:
    """Choose the base copy and the log. Raises `UsageError` when there is no way there.

    Raises `Refused` where something lives in the target, or lies there.
    """
    ways = ways or Ways()
    _guard(log, target, ways)
    asked = [name for name in log.repositories if ways.only in {"", name}]
    with opening(log.kit, asked) as keys:
        found, silent = every_base(log, keys)
    found = tuple(b for b in found if ways.only in {"", b.repository} and ways.base in {"", b.id})
    base = _base(log, found, goal, silent)
    size = base.segment_bytes
    to = goal.timeline
    known = stock(log, base.system, size, keys, _here(log, goal, ways))
    if to and to not in policy.timelines(known.held):
        raise UsageError("recover.no_timeline", timeline=to, name=log.subject)
    same = [one for one in found if one.system == base.system]
    able = [one for one in same if not policy.was_left(one, known.held, to)]
    base = _base(log, able, goal, silent)
    if ways.delta:
        _guard_delta(target, base, ways)
    chain = policy.chain(known.held, base.timeline, base.start, size, to)
    unasked = [*silent, *(one for one in known.findings if one not in silent)]
    findings = [*unasked, *_missing(chain, base, goal, unasked)]
    _insist_within(log, chain, known, goal, unasked)
    if goal.lsn is not None:
        chain = policy.until(chain, goal.lsn, size)
    trees = _trees(log, goal, findings) if ways.files else None
    copies = open_copies(log, base.repository, keys[base.repository], at_once=not ways.throwaway)
    near = ways.here and at_hand.present(log, base)
    needed = base.bytes + len(chain.segments) * size + _tree_bytes(log, trees)
    over = base.bytes if ways.delta else 0  # what differs is written over
    for against in judge_room(Room(target, system.space(target).free, needed - over, _SPARE)):
        raise against
    expected = timedelta(seconds=(needed - base.bytes + base.read) / _speed(log))
    said = tuple(findings)
    return Planned(log, goal, base, chain, known, copies, target, expected, said, trees, near)


def _here(log: Log, goal: Goal, ways: Ways) -> Iterator[Path]:
    """Where log lies on this machine: for the end of a timeline what was set aside, too."""
    for directory in log.directories.values() if ways.here else ():
        yield directory
        if goal.timeline:
            yield from places_aside(directory)


def _base(log: Log, found: Sequence[Base], goal: Goal, silent: Sequence[Finding]) -> Base:
    base = policy.base_for(found, until=goal.time, lsn=goal.lsn)
    if base is None:
        raise recoverable.no_base(log.subject, [one.until for one in found], told(silent))
    return base


def _trees(log: Log, goal: Goal, findings: list[Finding]) -> RecoveryPoint | None:
    """The point whose files fit; for a goal without a moment of its own the newest stands for it.

    Files that cannot be had are told, and keep no database from coming back.
    """
    try:
        points = candidates(log.kit, log)
    except OpsdError as error:
        findings.append(error.finding(Severity.CHANGE))
        return None
    return policy.files_for(points, goal.time or log.kit.clock())


def _tree_bytes(log: Log, point: RecoveryPoint | None) -> int:
    names = log.kit.backup_set(log.backup_set).trees if point else ()
    members = (point.member(name) for name in names) if point else ()
    return sum(member.bytes for member in members if member is not None)


def newest_replay(kit: Kit, backup_set: str, member: str) -> Mapping[str, Any] | None:
    """What the newest good replay of a member told."""
    for run, closing in kit.store.runs(Task.REPLAY, backup_set):
        if closing is None or not closing.outcome.good:
            continue
        told = kit.store.evidence(run.id, REPLAYED)
        if told and told["member"] == member:
            return told
    return None


def measured(kit: Kit, backup_set: str, member: str) -> Measured | None:
    """What the newest good replay of a member measured."""
    told = newest_replay(kit, backup_set, member)
    return recoverable.measured(told) if told else None


def _speed(log: Log) -> float:
    found = measured(log.kit, log.backup_set, log.name)
    return found.speed if found and found.speed else _SPEED


def told(findings: Sequence[Finding]) -> str:
    """What was noticed, as the detail of an error: who could not be asked may have what lacks."""
    return "\n".join(str(OpsdError(f.key, detail=f.detail, **f.fields)) for f in findings)


def _missing(chain: Chain, base: Base, goal: Goal, unasked: Sequence[Finding]) -> Iterator[Finding]:
    """A gap before the goal makes it unreachable; one behind the goal does not matter.

    The last commit there is, is then the last before the gap: it is recovered, and not called good.
    """
    if chain.end < base.stop:
        bounds = {"begin": written(chain.end), "end": written(base.stop)}
        raise RepositoryDamaged("recover.inconsistent", detail=told(unasked), **bounds)
    for gap in chain.gaps:
        if goal.lsn is not None and gap.begin > goal.lsn:
            continue
        if goal.is_end or (goal.time is not None and goal.time < gap.since):
            yield Finding(Severity.FAULT, "recover.gap", _unreachable(gap).fields)
        else:
            raise _unreachable(gap)


def _insist_within(
    log: Log, chain: Chain, known: Stock, goal: Goal, unasked: Sequence[Finding]
) -> None:
    """Raise `UsageError` for a goal behind the end of the log: a server would look for it in vain.

    When the log was written is known by another clock than its commits.
    """
    at = max(known.held.segments[one].at for one in chain.segments)
    late = goal.time is not None and goal.time > at + log.kit.config.clock.max_offset
    if late or (goal.lsn is not None and goal.lsn > chain.end):
        raise UsageError(
            "recover.beyond", detail=told(unasked), name=log.subject, at=at, end=written(chain.end)
        )


def _unreachable(gap: Gap) -> RepositoryDamaged:
    return RepositoryDamaged(
        "recover.gap",
        begin=written(gap.begin),
        end=written(gap.end),
        since=gap.since,
        until=gap.until,
    )


def _guard(log: Log, target: Path, ways: Ways) -> None:
    """Nothing that lives is written into, and what lies there is written over by a word only."""
    cluster.insist_on_place(target)
    system.insist_on_place(target)
    place = target.resolve()
    if system.servers_in(place):
        raise Refused("recover.lives", target=target)
    for above in place.parents:
        if (above / "PG_VERSION").exists():
            raise Refused("recover.in_cluster", target=target, data=above)
    if target.exists() and any(target.iterdir()) and not ways.delta:
        raise Refused("recover.target_used", target=target)
    for directory in log.directories.values():
        if place.is_relative_to(directory.resolve()):
            raise Refused("recover.in_receiver", target=target)


def _guard_delta(target: Path, base: Base, ways: Ways) -> None:
    """Over a cluster of the same server; over one that opsd did not put there by a second word."""
    if not target.exists() or not any(target.iterdir()):
        return
    if system.is_held(target / DATA / "postmaster.pid"):
        raise Refused("recover.lives", target=target)
    if cluster.system_of(target / DATA) != base.system:
        raise Refused("recover.other_cluster", target=target, data=target / DATA)
    if not (target / HBA).exists() and not ways.over_live:
        raise Refused("recover.was_alive", data=target / DATA)
