"""Base copies: a whole cluster in packs of a repository, onto which the log is replayed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from opsd.drivers import lock, system
from opsd.drivers.postgres.replication import ServerSeen, visiting
from opsd.errors import (
    DatabaseFailed,
    OpsdError,
    RepositoryDamaged,
    RepositoryMissing,
    ToolFailed,
)
from opsd.extents import ExtentMap
from opsd.model import Closing, Finding, Severity, Task
from opsd.policy import wal as policy
from opsd.tasks import scratch, shelf
from opsd.tasks.journal import Journal, opened, scratch_failed
from opsd.tasks.keys import Keys
from opsd.tasks.kit import Kit
from opsd.tasks.moving import Moving
from opsd.tasks.wal import at_hand, changes, histories
from opsd.tasks.wal.archive import open_archive
from opsd.tasks.wal.copies import Copies, open_copies
from opsd.tasks.wal.layout import DATA, MANIFEST, PLACES
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.packs import MOST_OPEN, Packer, pack
from opsd.tasks.wal.rereading import damaged_packs
from opsd.wal import Base, Need, position, written

_LEFT = "bases"  # the evidence of what is left when what is too old went


@dataclass(frozen=True, slots=True)
class _Door:
    """A repository before a copy is put there: what is in it that leads to now."""

    copies: Copies
    leading: tuple[Base, ...]


@dataclass(frozen=True, slots=True)
class _Before:
    """The copy that the next one shares with, and what it consists of in each repository."""

    base: Base
    maps: Mapping[str, ExtentMap]


def take_base(kit: Kit, log: Log) -> Closing:
    """Copy the whole cluster, put it into every repository of the log, drop what is too old."""
    with opened(kit, Task.BASE, log.backup_set, log.repositories[0]) as journal:
        with visiting(log.database) as server:
            seen, summarizes = server.seen(log.commit), server.summarizes
        doors = [_door(journal, log, seen, repository) for repository in log.repositories]
        before = _before(journal, log, seen, doors)
        manifest = _manifest(doors[0].copies, before) if before and summarizes else None
        place = journal.workplace()
        try:
            home = place / log.name
            with journal.phase("base", log.name):
                taken = _copied(journal, log, home, before, manifest)
            kept: list[ExtentMap] = []
            for door in doors:
                with journal.phase("upload", door.copies.repository):
                    kept.append(_store(journal, log, taken, (home, before), door.copies))
            known = _keep_at_hand(journal, log, taken, (home, kept[-1]), doors[-1].copies)
        except OSError as error:
            raise scratch_failed(error) from error
        finally:
            system.wipe(place)
        for door, found in zip(doors, kept, strict=True):
            with journal.phase("forget", door.copies.repository):
                _drop_old(journal, log, door.copies, taken)
                if known:
                    _complete(journal, door.copies, taken, (found, known))
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return journal.closing


def bases(log: Log, repository: str, keys: Keys | None = None) -> tuple[Base, ...]:
    """The base copies in a repository, oldest first. Raises `RepositoryMissing`."""
    return _there(log, open_copies(log, repository, keys))


def _there(log: Log, copies: Copies) -> tuple[Base, ...]:
    """What there is; where there is none restic says whether there is a repository."""
    if found := copies.bases():
        return found
    log.kit.restic(copies.repository).snapshots(f"set:{log.backup_set}")
    return ()


def every_base(
    log: Log, keys: Mapping[str, Keys] | None = None
) -> tuple[tuple[Base, ...], tuple[Finding, ...]]:
    """The base copies in all repositories, and which of these could not be asked.

    With keys, in those that they are of.
    """
    found: list[Base] = []
    silent: list[Finding] = []
    for repository in keys or log.repositories:
        try:
            log.kit.reach(repository)
            found += bases(log, repository, keys[repository] if keys else None)
        except OpsdError as error:
            silent.append(Finding(Severity.CHANGE, error.key, error.fields, error.detail))
    return tuple(sorted(found, key=lambda base: base.until)), tuple(silent)


def needs(log: Log, repository: str, system: str) -> tuple[Need, ...]:
    """What the base copies in a repository need of a server's log, the newest copy last.

    As the last that dropped old ones from here left it; nothing where none did.
    """
    of = {"member": log.name, "repository": repository, "system": system}
    told = log.kit.last_told(log.backup_set, _LEFT, **of)
    return tuple(
        Need(one["timeline"], position(one["start"]), position(one["stop"]))
        for one in (told["needs"] if told else ())
    )


def needs_there(log: Log, repository: str, system: str) -> tuple[Need, ...]:
    """The same as the repository itself says."""
    found = (base for base in bases(log, repository) if base.system == system)
    return tuple(
        Need(base.timeline, base.start, base.stop)
        for base in sorted(found, key=lambda base: base.until)
    )


def _door(journal: Journal, log: Log, seen: ServerSeen, repository: str) -> _Door:
    """A repository, and the copies in it that the server has not left.

    Raises `DatabaseFailed` where the server left all that is kept: a copy of it belongs to no log
    that is kept of it.
    """
    copies = open_copies(log, repository)
    there = _insist(journal, log, copies)
    archive = open_archive(log, repository, seen.system, seen.segment_bytes, copies.keys)
    held = archive.holdings()
    histories.insist(log, archive, held)
    return _Door(copies, tuple(one for one in there if not policy.was_left(one, held)))


def _insist(journal: Journal, log: Log, copies: Copies) -> tuple[Base, ...]:
    """The copies in a repository; where there is none and never was one of ours, it is made."""
    kit, repository = journal.kit, copies.repository
    kit.reach(repository)
    try:
        found = _there(log, copies)
    except RepositoryMissing as missing:
        shelf.make(kit, repository, missing)
        return ()
    if not found:
        shelf.insist_on_ours(kit, repository)
    return found


def _before(journal: Journal, log: Log, seen: ServerSeen, doors: Sequence[_Door]) -> _Before | None:
    """The copy that the next one may share with.

    The newest, where every repository has it, and nothing of it is missing or known to be damaged,
    or lies in so many copies' packs that a recovery would read them again and again.
    """
    since = journal.kit.clock() - log.wal.whole_every
    newest = [policy.parent_for(door.leading, seen.system, since) for door in doors]
    base = newest[0]
    if base is None or any(one is None or one.id != base.id for one in newest):
        return None
    maps: dict[str, ExtentMap] = {}
    for copies in (door.copies for door in doors):
        try:
            maps[copies.repository] = copies.map(base.id)
        except RepositoryDamaged as error:
            journal.findings.append(Finding(Severity.CHANGE, error.key, error.fields, error.detail))
            return None
        needed = maps[copies.repository].packs
        if (
            needed & damaged_packs(log, copies.repository)
            or needed - copies.packs().keys()
            or len({pack.partition("/")[0] for pack in needed}) >= MOST_OPEN
        ):
            return None
    return _Before(base, maps)


def _manifest(copies: Copies, before: _Before) -> bytes | None:
    """The manifest of the copy before, where it can be read: by it the server tells changes."""
    with suppress(RepositoryDamaged):
        return copies.file(before.maps[copies.repository], f"{DATA}/{MANIFEST}")
    return None


def _copied(
    journal: Journal, log: Log, home: Path, before: _Before | None, manifest: bytes | None
) -> Base:
    """What changed since the copy before, where the server can tell it; else everything."""
    try:
        return _copy(journal, log, home, before, manifest)
    except (DatabaseFailed, ToolFailed) as error:
        if manifest is None or journal.kit.stop.requested:
            raise
        journal.findings.append(Finding(Severity.CHANGE, "base.whole_instead", detail=error.detail))
        system.wipe(home)
        return _copy(journal, log, home, before)


def _copy(
    journal: Journal, log: Log, home: Path, before: _Before | None, manifest: bytes | None = None
) -> Base:
    """The cluster below `home`, its tablespaces beside it and not where the server has them.

    With the manifest of the copy before only what changed since that one.
    """
    kit, parent = journal.kit, before.base if before else None
    (home / PLACES).mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    onto = None
    if manifest is not None:
        onto = home / "parent_manifest"
        onto.write_bytes(manifest)
    with visiting(log.database) as server:
        ground = server.ground(log.wal.role, log.commit)
        scratch.insist(kit, 0 if onto else server.bytes)  # how much changed nobody knows
    places = {where: home / PLACES / oid for oid, where in ground.tablespaces.items()}
    limit = kit.backup_set(log.backup_set).timeout
    log.programs().base(log.connection(), home / DATA, places, limit, onto)
    if ground.settings["data_checksums"] == "off":
        told = Finding(Severity.NOTE, "wal.no_checksums", {"name": log.subject})
        journal.findings.append(told)
    if wrong := log.programs().verify(home / DATA):
        raise DatabaseFailed("base.not_as_told", detail=wrong)
    start, stop, timeline = _spans(home / DATA / MANIFEST)
    if onto is not None and parent is not None:
        onto.unlink()
        changes.settle(home, parent)
    with visiting(log.database) as server:
        seen = server.seen(log.commit)
    return Base(
        id=journal.run.id,
        repository=journal.run.repository,
        system=seen.system,
        version=seen.version,
        timeline=timeline,
        start=start,
        stop=stop,
        until=seen.at,
        superuser=ground.first,
        bytes=sum(path.stat().st_size for path in home.rglob("*") if path.is_file()),
        segment_bytes=seen.segment_bytes,
        parent=parent.id if parent else "",
        whole=parent.whole if parent else seen.at,
        read=0,
    )


def _spans(manifest: Path) -> tuple[int, int, int]:
    """From where to where the log must be replayed for the copy to be consistent."""
    try:
        ranges = json.loads(manifest.read_bytes())["WAL-Ranges"]
        begin, end = ranges[0], ranges[-1]
        return position(begin["Start-LSN"]), position(end["End-LSN"]), int(end["Timeline"])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise DatabaseFailed("base.no_manifest", detail=str(error)) from error


def _store(
    journal: Journal, log: Log, base: Base, taken: tuple[Path, _Before | None], copies: Copies
) -> ExtentMap:
    """Put it into a repository; gives what it consists of there."""
    kit, repository, (home, before) = journal.kit, copies.repository, taken
    moving = Moving(kit, base.bytes, kit.backup_set(log.backup_set).timeout)
    with Packer(base.id, copies.keep_pack, moving) as packer:
        found = pack(home, before.maps[repository] if before else None, packer)
    read = sum(found.reach.values())
    told = copies.keep(replace(base, repository=repository, bytes=found.size, read=read), found)
    journal.evidence(
        "base",
        {
            "member": log.name,
            "repository": repository,
            "bytes": found.size,
            "read_bytes": read,
            "added_bytes": packer.added + told,
            "start": written(base.start),
            "stop": written(base.stop),
            "until": base.until.isoformat(),
            "parent": base.parent,
        },
    )
    return found


def _keep_at_hand(
    journal: Journal, log: Log, base: Base, taken: tuple[Path, ExtentMap], copies: Copies
) -> ExtentMap | None:
    """Let it stay on this machine, where that is wanted; gives it with all digests, if it does.

    What keeps it from that is only told.
    """
    try:
        if log.wal.cache_bases:
            return at_hand.keep(log, base, *taken, copies)
        at_hand.drop(log)
    except (OSError, lock.Busy, OpsdError) as error:
        if journal.kit.stop.requested:
            raise
        fields = {"path": at_hand.directory(log)}
        journal.findings.append(
            Finding(Severity.CHANGE, "base.not_at_hand", fields, detail=str(error))
        )
    return None


def _complete(
    journal: Journal, copies: Copies, base: Base, maps: tuple[ExtentMap, ExtentMap]
) -> None:
    """Tell a repository the digests that are known at hand; it is as good a copy without."""
    try:
        copies.complete(base.id, *maps)
    except OpsdError as error:
        if journal.kit.stop.requested:
            raise
        journal.findings.append(Finding(Severity.CHANGE, error.key, error.fields, error.detail))


def _drop_old(journal: Journal, log: Log, copies: Copies, taken: Base) -> None:
    """Give up what no moment of the window needs: base copies, and the log before the first.

    Another machine may have brought a copy there since this one was begun.
    """
    kit, repository, (there, unread) = journal.kit, copies.repository, copies.listed()
    is_there = any(base.id == taken.id for base in there)
    if not is_there or not set(copies.packs_of(taken.id)) <= copies.packs().keys():
        raise RepositoryDamaged("base.not_there", repository=repository)
    now = min(kit.clock(), taken.until)  # one of the two clocks may be ahead
    archive = open_archive(log, repository, taken.system, taken.segment_bytes, copies.keys)
    held = archive.holdings()
    gone = [b for b in there if b.system == taken.system and policy.was_left(b, held)]
    spare = policy.spare_bases(there, now - log.wal.window, gone)
    if unread:  # which log they need is not known: all stays
        journal.find(Severity.CHANGE, "base.heads_unread", repository=repository, names=[*unread])
        spare = ()
    copies.drop([base.id for base in spare])
    left = [base for base in there if base not in spare and base.system == taken.system]
    going = () if unread else policy.spare_segments(held, left, taken.segment_bytes)
    # Told before it is done: whoever misses these segments must know that nothing needs them.
    journal.evidence(
        _LEFT,
        {
            "member": log.name,
            "repository": repository,
            "oldest": min((b.until.isoformat() for b in left if b not in gone), default=None),
            "dropped": len(spare),
            "dropped_segments": len(going),
            "system": taken.system,
            "needs": [
                {
                    "timeline": base.timeline,
                    "start": written(base.start),
                    "stop": written(base.stop),
                }
                for base in sorted(left, key=lambda base: base.until)
            ],
        },
    )
    archive.drop(going)
    try:  # what is written now may belong to a copy that another machine takes
        copies.sweep(now - 2 * kit.backup_set(log.backup_set).timeout)
    except RepositoryDamaged as error:  # which packs a copy needs is not known: all stay
        journal.findings.append(Finding(Severity.CHANGE, error.key, error.fields, error.detail))
