"""What stands against a backup: looked at first, judged by policy.preflight.

The sources and this machine before anything else; the repository beside the dumps, and nothing is
written to it before (docs/adr/0018-nothing-waits-for-nothing.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from opsd.config.ground import same_device
from opsd.config.schema import BackupSet, FilesMember
from opsd.drivers import restic, system, tree
from opsd.drivers.restic import Snapshot
from opsd.errors import ClockWrong, OpsdError, Refused, RepositoryMissing
from opsd.model import Finding, Severity
from opsd.policy import preflight
from opsd.policy.preflight import Booted
from opsd.tasks import locks, room, shelf
from opsd.tasks.journal import Journal
from opsd.tasks.kit import TAG, Kit
from opsd.tasks.members import dumped, files
from opsd.tasks.members.captured import Opened

_EVIDENCE = "preflight"


@dataclass(slots=True)
class Ground:
    """What was learned before the first effect: members that cannot be taken are in `failed`."""

    dumped: dict[str, dumped.Observed] = field(default_factory=dict)
    failed: dict[str, OpsdError] = field(default_factory=dict)


def survey(kit: Kit, journal: Journal, backup_set: BackupSet) -> Ground:
    """Look at the sources and at this machine; raises the first that stands against this run."""
    ground = Ground()
    against = list(preflight.judge_restic(restic.version(kit.config.restic), restic.MINIMUM))
    if against:
        raise against[0]
    for name, member in backup_set.ordered:
        try:
            if isinstance(member, FilesMember):
                files.observe(member)
            else:
                ground.dumped[name] = dumped.observe(kit, member)
        except OpsdError as error:
            ground.failed[name] = error
    facts = _clock_facts(kit, ground)
    against += preflight.judge_clock(facts)
    against += _neighbours(kit, journal, ground)
    against += _judge_room(kit, journal, ground)
    journal.evidence(_EVIDENCE, _ground_evidence(ground, facts))
    journal.findings += [Finding(Severity.FAULT, e.key, e.fields, e.detail) for e in against[1:]]
    if against:
        raise against[0]
    return ground


def open_up(journal: Journal) -> Opened:
    """Look at the repository; raises the first that stands against writing to it."""
    kit, repository = journal.kit, journal.run.repository
    snapshots = _snapshots(kit, journal)
    newest = max((found.at for found in snapshots), default=None)
    for against in preflight.judge_newest(newest, kit.clock(), kit.config.clock.max_offset):
        raise against
    locks.settle(journal)
    storage = kit.storage(repository)
    names = frozenset(one.name for one in storage.objects()) if storage else frozenset[str]()
    journal.findings += shelf.missed(kit, repository, journal.run.backup_set, snapshots)
    journal.evidence("opened", {"snapshots": len(snapshots)})
    return Opened(snapshots, names)


def _snapshots(kit: Kit, journal: Journal) -> tuple[Snapshot, ...]:
    """The set's snapshots. Where there is no repository and never was one of ours, make it."""
    kit.reach(journal.run.repository)
    repository = kit.restic(journal.run.repository)
    try:
        return repository.snapshots(TAG, f"set:{journal.run.backup_set}")
    except RepositoryMissing as missing:
        if shelf.make(kit, journal.run.repository, missing):
            journal.find(Severity.NOTE, "repository.made", repository=journal.run.repository)
        return ()


def _clock_facts(kit: Kit, ground: Ground) -> preflight.ClockFacts:
    return preflight.ClockFacts(
        booted=booted(kit),
        before=booted_before(kit),
        max_offset=kit.config.clock.max_offset,
        synchronised=system.clock_synchronised(),
        sync_required=kit.config.sync_required,
        offsets={
            name: observed.ahead
            for name, observed in ground.dumped.items()
            if observed.ahead is not None
        },
    )


def booted(kit: Kit) -> Booted:
    """This boot of the machine, by the wall clock."""
    boot = system.boot()
    return Booted(boot.id, kit.clock() - boot.running)


def booted_before(kit: Kit) -> Booted | None:
    """What the last run of this machine read, of whatever set, that the clock did not refuse."""
    last = kit.store.last_evidence(_EVIDENCE, kit.config.host, unless=ClockWrong.reason) or {}
    told = last.get("clock")
    return Booted(told["boot"], datetime.fromisoformat(told["booted_at"])) if told else None


def _neighbours(kit: Kit, journal: Journal, ground: Ground) -> tuple[OpsdError, ...]:
    """Databases of this machine on the device of their repository (R17), as for trees."""
    repository = kit.config.repositories[journal.run.repository].path
    if repository is None or kit.config.demo:
        return ()
    return tuple(
        Refused("config.same_device", path=place, set=journal.run.backup_set, member=name)
        for name, observed in ground.dumped.items()
        if (place := observed.directory) and same_device(place, repository)
    )


def _judge_room(kit: Kit, journal: Journal, ground: Ground) -> tuple[OpsdError, ...]:
    """Room for the dumps, and room in a local repository for what will be added."""
    dumps = _dump_bytes(kit, journal, ground)
    against = preflight.judge_room(room.at(kit.config.scratch, dumps))
    repository = kit.config.repositories[journal.run.repository]
    if repository.path is not None:
        points = kit.store.points(journal.run.backup_set)
        added = [sum(m.added_bytes for m in point.members) for point in points]
        trees = (
            sum(m.bytes for m in points[0].members) if points else _tree_bytes(kit, journal, ground)
        )
        growth = preflight.expected_growth(dumps + trees, added)
        left = room.at(repository.path, growth, repository.min_free)
        against += preflight.judge_room(left)
    return against


def _dump_bytes(kit: Kit, journal: Journal, ground: Ground) -> int:
    """What the dumps will take: what the sources say, else what the last dump took."""
    points = kit.store.points(journal.run.backup_set)
    last = {member.member: member.bytes for member in points[0].members} if points else {}
    return sum(
        last.get(name, 0) if observed.bytes is None else observed.bytes
        for name, observed in ground.dumped.items()
    )


def _tree_bytes(kit: Kit, journal: Journal, ground: Ground) -> int:
    """What the trees hold; looked at before the first backup alone, later growth is known."""
    trees = kit.backup_set(journal.run.backup_set).trees
    return sum(
        entry.size
        for name, member in trees.items()
        if name not in ground.failed
        for entry in tree.walk(member.path, member.exclude)
    )


def _ground_evidence(ground: Ground, clock: preflight.ClockFacts) -> Mapping[str, object]:
    boot = clock.booted
    return {
        "clock": {"boot": boot.id, "booted_at": boot.at.isoformat()} if boot else None,
        "databases": {
            name: {
                "version": observed.version,
                "bytes": observed.bytes,
                "clock_ahead_seconds": observed.ahead.total_seconds() if observed.ahead else None,
            }
            for name, observed in ground.dumped.items()
        },
    }
