"""Base copies: a whole cluster as files in a snapshot, onto which the log is replayed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from opsd.drivers import lock, system
from opsd.drivers.postgres.replication import ServerSeen, visiting
from opsd.drivers.restic import Restic, Snapshot, Source
from opsd.errors import (
    DatabaseFailed,
    OpsdError,
    RepositoryDamaged,
    RepositoryMissing,
)
from opsd.model import Closing, Finding, Severity, Task
from opsd.policy import wal as policy
from opsd.tasks import scratch, shelf
from opsd.tasks.journal import Journal, opened
from opsd.tasks.kit import Kit, tagged
from opsd.tasks.members.captured import Forward
from opsd.tasks.wal import at_hand, histories
from opsd.tasks.wal.archive import open_archive
from opsd.tasks.wal.layout import DATA, PLACES
from opsd.tasks.wal.log import Log
from opsd.wal import Base, Need, position, written

TAG = "opsd-base"
_LEFT = "bases"  # the evidence of what is left when what is too old went
_MANIFEST = "backup_manifest"


def take_base(kit: Kit, log: Log) -> Closing:
    """Copy the whole cluster, put it into every repository of the log, drop what is too old."""
    repositories = log.repositories
    with opened(kit, Task.BASE, log.backup_set, repositories[0]) as journal:
        found = [_insist(journal, log, repository) for repository in repositories]
        with visiting(log.database) as server:
            seen, summarizes = server.seen(log.commit), server.summarizes
        leading = [_leading(log, seen, *one) for one in zip(repositories, found, strict=True)]
        parent = _parent(kit, log, seen, leading) if summarizes else None
        place = journal.workplace()
        try:
            home = place / log.name
            with journal.phase("base", log.name):
                taken = _copied(journal, log, home, parent)
            kept = []
            for repository, before in zip(repositories, found, strict=True):
                with journal.phase("upload", repository):
                    stored = _store(journal, log, replace(taken, repository=repository), home)
                    kept.append((*before, stored))
            _keep_at_hand(journal, log, home, kept[0])
        finally:
            system.wipe(place)
        for repository, there in zip(repositories, kept, strict=True):
            with journal.phase("forget", repository):
                _drop_old(journal, log, repository, there[-1])
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return journal.closing


def bases(log: Log, repository: str) -> tuple[Base, ...]:
    """The base copies in a repository, oldest first."""
    found = log.kit.restic(repository).snapshots(TAG, f"set:{log.backup_set}", f"member:{log.name}")
    return tuple(base for base in (_told(repository, one) for one in found) if base is not None)


def every_base(log: Log) -> tuple[tuple[Base, ...], tuple[Finding, ...]]:
    """The base copies in all repositories, and which of these could not be asked."""
    found: list[Base] = []
    silent: list[Finding] = []
    for repository in log.repositories:
        try:
            log.kit.reach(repository)
            found += bases(log, repository)
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
    """The same as the repository itself says, for which restic is asked."""
    found = (base for base in bases(log, repository) if base.system == system)
    return tuple(
        Need(base.timeline, base.start, base.stop)
        for base in sorted(found, key=lambda base: base.until)
    )


def _insist(journal: Journal, log: Log, repository: str) -> tuple[Base, ...]:
    """The copies in a repository; where there is none and never was one of ours, it is made."""
    kit = journal.kit
    kit.reach(repository)
    try:
        found = bases(log, repository)
    except RepositoryMissing as missing:
        shelf.make(kit, repository, missing)
        return ()
    if not found:
        shelf.insist_on_ours(kit, repository)
    return found


def _leading(
    log: Log, seen: ServerSeen, repository: str, there: Sequence[Base]
) -> tuple[Base, ...]:
    """Those that the server has not left. Raises `DatabaseFailed` where it left all that is kept.

    A copy of such a server belongs to no log that is kept of it.
    """
    archive = open_archive(log, repository, seen.system, seen.segment_bytes)
    held = archive.holdings()
    histories.insist(log, archive, held)
    return tuple(one for one in there if not policy.was_left(one, held))


def _copied(journal: Journal, log: Log, home: Path, parent: Base | None) -> Base:
    """What changed since the copy before, where that can be had; else everything."""
    if parent is None:
        return _copy(journal, log, home)
    try:
        return _copy(journal, log, home, parent)
    except DatabaseFailed as error:
        journal.findings.append(Finding(Severity.CHANGE, "base.whole_instead", detail=error.detail))
        system.wipe(home)
        return _copy(journal, log, home)


def _parent(kit: Kit, log: Log, seen: ServerSeen, there: Sequence[tuple[Base, ...]]) -> Base | None:
    """The copy that the next one may build on: the newest, where every repository has it.

    `there` are the copies in each repository that lead to now.
    """
    since = kit.clock() - log.wal.whole_every
    newest = [policy.parent_for(one, seen.system, since) for one in there]
    same = len({one.id if one else "" for one in newest}) == 1
    return newest[0] if same else None


def _copy(journal: Journal, log: Log, home: Path, parent: Base | None = None) -> Base:
    """The cluster below `home`, its tablespaces beside it and not where the server has them."""
    kit = journal.kit
    home.mkdir(mode=0o700)
    onto = None
    if parent is not None:
        onto = home / "parent_manifest"
        onto.write_bytes(_manifest(log, parent))
    with visiting(log.database) as server:
        ground = server.ground(log.wal.role, log.commit)
        scratch.insist(kit, 0 if parent else server.bytes)  # how much changed nobody knows
    places = {where: home / PLACES / oid for oid, where in ground.tablespaces.items()}
    limit = kit.backup_set(log.backup_set).timeout
    log.programs().base(log.connection(), home / DATA, places, limit, onto)
    if onto is not None:
        onto.unlink()
    if ground.settings["data_checksums"] == "off":
        told = Finding(Severity.NOTE, "wal.no_checksums", {"name": log.subject})
        journal.findings.append(told)
    start, stop, timeline = _spans(home / DATA / _MANIFEST)
    with visiting(log.database) as server:
        seen = server.seen(log.commit)
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    return Base(
        id=journal.run.id,
        repository=journal.run.repository,
        snapshot="",
        root=str(home),
        system=seen.system,
        version=seen.version,
        timeline=timeline,
        start=start,
        stop=stop,
        until=seen.at,
        superuser=ground.first,
        bytes=size,
        parent=parent.id if parent else "",
        segment_bytes=seen.segment_bytes,
    )


def _manifest(log: Log, base: Base) -> bytes:
    """The manifest of an earlier copy, from here or from its repository."""
    with at_hand.held(log, (base,)) as here:
        if base.id in here:
            return (here[base.id] / DATA / _MANIFEST).read_bytes()
    restic = log.kit.restic(base.repository)
    return restic.read_file(base.snapshot, f"{base.root}/{DATA}/{_MANIFEST}")


def _spans(manifest: Path) -> tuple[int, int, int]:
    """From where to where the log must be replayed for the copy to be consistent."""
    try:
        ranges = json.loads(manifest.read_bytes())["WAL-Ranges"]
        begin, end = ranges[0], ranges[-1]
        return position(begin["Start-LSN"]), position(end["End-LSN"]), int(end["Timeline"])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise DatabaseFailed("base.no_manifest", detail=str(error)) from error


def _store(journal: Journal, log: Log, taken: Base, home: Path) -> Base:
    """Put it into a repository; gives it as it is there."""
    kit, repository = journal.kit, taken.repository
    limit = kit.backup_set(log.backup_set).timeout
    source = Source(home, kit.config.host, _tags(log, taken), total=taken.bytes)
    with kit.queue(repository, journal.run.id, kit.config.repositories[repository].lock_wait):
        summary = kit.restic(repository).backup(
            source, limits=kit.limits(repository, limit), on_progress=Forward(kit)
        )
    if summary.unread:
        raise DatabaseFailed("dump.unread", member=log.name, detail="\n".join(summary.unread[:5]))
    journal.evidence(
        "base",
        {
            "member": log.name,
            "repository": repository,
            "snapshot": summary.snapshot,
            "bytes": taken.bytes,
            "added_bytes": summary.added_bytes,
            "start": written(taken.start),
            "stop": written(taken.stop),
            "until": taken.until.isoformat(),
            "parent": taken.parent,
        },
    )
    return replace(taken, snapshot=summary.snapshot, root=str(home))


def _keep_at_hand(journal: Journal, log: Log, home: Path, there: Sequence[Base]) -> None:
    """Let it stay on this machine, where that is wanted. What keeps it from that is only told."""
    try:
        if log.wal.cache_bases:
            at_hand.keep(log, home, policy.lineage(there[-1], there))
        else:
            at_hand.drop(log)
    except (OSError, lock.Busy) as error:
        fields = {"path": at_hand.directory(log)}
        journal.findings.append(
            Finding(Severity.CHANGE, "base.not_at_hand", fields, detail=str(error))
        )


def _drop_old(journal: Journal, log: Log, repository: str, taken: Base) -> None:
    """Give up what no moment of the window needs: base copies, and the log before the first.

    Another machine may have brought a copy there since this one was begun.
    """
    kit, there = journal.kit, bases(log, repository)
    if not any(base.id == taken.id for base in there):
        raise RepositoryDamaged("base.not_there", repository=repository)
    archive = open_archive(log, repository, taken.system, taken.segment_bytes)
    held = archive.holdings()
    gone = [b for b in there if b.system == taken.system and policy.was_left(b, held)]
    spare = policy.spare_bases(there, kit.clock() - log.wal.window, gone)
    if spare:
        _forget(journal, kit.restic(repository), [base.snapshot for base in spare])
    left = [base for base in there if base not in spare and base.system == taken.system]
    going = policy.spare_segments(held, left, taken.segment_bytes)
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


def _forget(journal: Journal, restic: Restic, snapshots: Sequence[str]) -> None:
    kit, repository = journal.kit, restic.name
    limit = kit.backup_set(journal.run.backup_set).timeout
    with kit.queue(repository, journal.run.id, kit.config.repositories[repository].lock_wait):
        restic.forget(snapshots, limits=kit.limits(repository, limit))


def _tags(log: Log, taken: Base) -> tuple[str, ...]:
    return (
        TAG,
        f"set:{log.backup_set}",
        f"member:{log.name}",
        f"run:{taken.id}",
        f"system:{taken.system}",
        f"version:{taken.version}",
        f"timeline:{taken.timeline}",
        f"start:{written(taken.start)}",
        f"stop:{written(taken.stop)}",
        f"until:{taken.until.isoformat()}",
        f"superuser:{taken.superuser}",
        f"parent:{taken.parent}",
        f"segment:{taken.segment_bytes}",
    )


def _told(repository: str, found: Snapshot) -> Base | None:
    """A base copy as its tags tell of it; None where they do not."""

    def tag(name: str) -> str:
        return tagged(found.tags, name)

    try:
        return Base(
            id=tag("run"),
            repository=repository,
            snapshot=found.id,
            root=found.paths[0],
            system=tag("system"),
            version=int(tag("version")),
            timeline=int(tag("timeline")),
            start=position(tag("start")),
            stop=position(tag("stop")),
            until=datetime.fromisoformat(tag("until")),
            superuser=tag("superuser"),
            bytes=found.bytes,
            parent=tag("parent"),
            segment_bytes=int(tag("segment") or 0),
        )
    except (ValueError, IndexError):
        return None
