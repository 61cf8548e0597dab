"""What of each repository was read and hashed when, and which objects were damaged then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from opsd.drivers.storage import Storage, StoredObject
from opsd.errors import StorageFailed
from opsd.keeping import Object
from opsd.store import Reads
from opsd.tasks.journal import Journal
from opsd.tasks.kit import Kit

READS: Final = "reads.sqlite"


@contextmanager
def reads(kit: Kit) -> Iterator[Reads]:
    """When each object was last read."""
    found = Reads(kit.config.state / READS)
    try:
        yield found
    finally:
        found.close()


def damaged(kit: Kit, repository: str) -> Sequence[Object]:
    """What was not what its name says when it was last read; the first step of its repair."""
    with reads(kit) as known:
        return known.damaged(repository)


def listed(kit: Kit, repository: str) -> Iterator[StoredObject]:
    """The objects of a repository. Of packs that only restic can list, the size is told as 1."""
    storage = kit.storage(repository)
    if storage is not None:
        return storage.objects()
    return (StoredObject("data", name, 1) for name in kit.restic(repository).packs())


def sound(storage: Storage, stored: StoredObject) -> bool | None:
    """Whether an object is what its name says; None where it is gone.

    It is looked at twice before it is called damaged. Raises `StorageFailed` when it may not be
    read: that says nothing about it.
    """
    for _ in range(2):
        try:
            if storage.digest(stored) == stored.name:
                return True
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise StorageFailed(
                "repository.unreadable", path=stored.name, detail=str(error)
            ) from error
        except OSError:
            continue
    return False


def take(journal: Journal, known: Reads, objects: Iterable[StoredObject]) -> None:
    """Take stock of the run's repository. What is new was written after it was last listed."""
    kit, repository = journal.kit, journal.run.repository
    now = kit.clock()
    before = known.listed(repository) or kit.store.begun(repository) or now
    found = ((o.kind, o.name, o.size) for o in objects)
    known.list(repository, found, now, min(before, now))


def note(
    journal: Journal, objects: Iterable[StoredObject], read: Iterable[str], damaged: Iterable[str]
) -> None:
    """Note what a run has read of the objects that it listed, and what was damaged."""
    bad, repository, at = frozenset(damaged), journal.run.repository, journal.kit.clock()
    with reads(journal.kit) as known:
        take(journal, known, objects)
        known.mark(repository, (name for name in read if name not in bad), at, sound=True)
        known.mark(repository, bad, at, sound=False)
