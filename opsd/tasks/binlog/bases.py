"""Copies of a whole MariaDB server in snapshots: the log is replayed onto them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from opsd.binlog import BaseCopy, Spot
from opsd.drivers import system
from opsd.drivers.mariadb import binlog, server
from opsd.drivers.restic import Snapshot, Source
from opsd.errors import DatabaseFailed, OpsdError, RepositoryDamaged
from opsd.model import Closing, Finding, Severity, Task
from opsd.policy import binlog as policy
from opsd.tasks.binlog.shelf import open_shelf
from opsd.tasks.binlog.stream import Stream
from opsd.tasks.journal import Journal, opened
from opsd.tasks.kit import Kit, tagged
from opsd.tasks.members.captured import Forward
from opsd.tasks.shelf import insist_on_ours

DATA = "data"
TAG = "opsd-base"
_KIND = "kind:mariadb"
_LEFT = "bases"  # the evidence of what is left when what is too old went


def take_base(kit: Kit, stream: Stream) -> Closing:
    """Copy the whole server, put it into every repository of the log, drop what is too old."""
    with opened(kit, Task.BASE, stream.backup_set, stream.repositories[0]) as journal:
        for repository in stream.repositories:
            if not bases(stream, repository):
                insist_on_ours(kit, repository)
        scratch = journal.workplace()
        try:
            home = scratch / stream.name
            with journal.phase("base", stream.name):
                home.mkdir(mode=0o700)
                facts = stream.database.facts()
                server.insist_on(facts.version)
                limit = kit.backup_set(stream.backup_set).timeout
                spot = binlog.copy_server(stream.database, home / DATA, limit)
            taken = BaseCopy(
                id=journal.run.id,
                repository="",
                snapshot="",
                root=str(home),
                server=facts.server,
                version=facts.version,
                spot=spot,
                at=kit.clock(),
                bytes=sum(file.size for file in system.files_below(home)),
            )
            for repository in stream.repositories:
                with journal.phase("upload", repository):
                    _store(journal, stream, replace(taken, repository=repository))
        finally:
            system.wipe(scratch)
        for repository in stream.repositories:
            with journal.phase("forget", repository):
                _drop_old(journal, stream, replace(taken, repository=repository))
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return journal.closing


def bases(stream: Stream, repository: str) -> tuple[BaseCopy, ...]:
    """The base copies in a repository, oldest first."""
    marks = (TAG, f"set:{stream.backup_set}", f"member:{stream.name}", _KIND)
    found = stream.kit.restic(repository).snapshots(*marks)
    told = (_told(repository, one) for one in found)
    return tuple(sorted((b for b in told if b is not None), key=lambda base: base.at))


def every_base(stream: Stream) -> tuple[tuple[BaseCopy, ...], tuple[Finding, ...]]:
    """The base copies in all repositories, and which of these could not be asked."""
    found: list[BaseCopy] = []
    silent: list[Finding] = []
    for repository in stream.repositories:
        try:
            stream.kit.reach(repository)
            found += bases(stream, repository)
        except OpsdError as error:
            silent.append(error.finding(Severity.CHANGE))
    return tuple(sorted(found, key=lambda base: base.at)), tuple(silent)


def spots(stream: Stream, repository: str, server: str) -> tuple[Spot, ...]:
    """Where in a server's log the base copies in a repository stand, the newest copy last.

    As the last that dropped old ones from here left it; nothing where none did.
    """
    of = {"member": stream.name, "repository": repository, "server": server}
    told = stream.kit.last_told(stream.backup_set, _LEFT, **of)
    found = (Spot.of(one) for one in (told["spots"] if told else ()))
    return tuple(spot for spot in found if spot is not None)


def _store(journal: Journal, stream: Stream, taken: BaseCopy) -> None:
    kit, repository = journal.kit, taken.repository
    source = Source(Path(taken.root), kit.config.host, _tags(stream, taken), total=taken.bytes)
    limits = kit.limits(repository, kit.backup_set(stream.backup_set).timeout)
    with kit.queue(repository, journal.run.id, kit.config.repositories[repository].lock_wait):
        summary = kit.restic(repository).backup(source, limits=limits, on_progress=Forward(kit))
    if summary.unread:
        detail = "\n".join(summary.unread[:5])
        raise DatabaseFailed("dump.unread", member=stream.name, detail=detail)
    if not any(base.id == taken.id for base in bases(stream, repository)):
        raise RepositoryDamaged("base.not_there", repository=repository)
    journal.evidence(
        "base",
        {
            "member": stream.name,
            "repository": repository,
            "snapshot": summary.snapshot,
            "bytes": taken.bytes,
            "added_bytes": summary.added_bytes,
            "spot": str(taken.spot),
            "until": taken.at.isoformat(),
        },
    )


def _drop_old(journal: Journal, stream: Stream, taken: BaseCopy) -> None:
    """Give up what no moment of the window needs: base copies, and the log before the first."""
    kit, repository = journal.kit, taken.repository
    found = [base for base in bases(stream, repository) if base.server == taken.server]
    spare = policy.spare_bases(found, kit.clock() - stream.binlog.window)
    left = [base for base in found if base not in spare]
    if spare:
        limits = kit.limits(repository, kit.backup_set(stream.backup_set).timeout)
        with kit.queue(repository, journal.run.id, kit.config.repositories[repository].lock_wait):
            kit.restic(repository).forget([base.snapshot for base in spare], limits=limits)
    shelf = open_shelf(stream, repository, taken.server)
    going = [file for file in shelf.holdings() if file < min(base.spot.file for base in left)]
    # Told before it is done: whoever misses these files must know that nothing needs them.
    journal.evidence(
        _LEFT,
        {
            "member": stream.name,
            "repository": repository,
            "oldest": min(base.at.isoformat() for base in left),
            "dropped": len(spare),
            "dropped_files": len(going),
            "server": taken.server,
            "spots": [str(base.spot) for base in left],
        },
    )
    for file in going:
        shelf.drop(file)


def _tags(stream: Stream, taken: BaseCopy) -> tuple[str, ...]:
    return (
        TAG,
        _KIND,
        f"set:{stream.backup_set}",
        f"member:{stream.name}",
        f"run:{taken.id}",
        f"server:{taken.server}",
        f"version:{taken.version}",
        f"spot:{taken.spot}",
        f"until:{taken.at.isoformat()}",
    )


def _told(repository: str, found: Snapshot) -> BaseCopy | None:
    """A base copy as its tags tell of it; None where they do not."""
    spot = Spot.of(tagged(found.tags, "spot"))
    if spot is None:
        return None
    try:
        return BaseCopy(
            id=tagged(found.tags, "run"),
            repository=repository,
            snapshot=found.id,
            root=found.paths[0],
            server=tagged(found.tags, "server"),
            version=int(tagged(found.tags, "version")),
            spot=spot,
            at=datetime.fromisoformat(tagged(found.tags, "until")),
            bytes=found.bytes,
        )
    except (ValueError, IndexError):
        return None
