"""The locks that lie in a repository: those of our dead are removed, the others are told of.

restic's own unlock does it, because it works for every storage and removes nothing that is fresh;
but only where it would remove nothing besides (policy.locks): it takes a foreign host's lock of 30
minutes for stale, and that host may only be asleep.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from opsd.drivers import system
from opsd.errors import RepositoryDamaged, ToolFailed
from opsd.keeping import Lock
from opsd.model import Severity
from opsd.policy import locks
from opsd.policy.locks import Facts, Owner
from opsd.tasks.journal import Journal
from opsd.tasks.kit import Kit

_KEYS = {
    Owner.ALIVE: "lock.alive",
    Owner.FOREIGN: "lock.foreign",
    Owner.UNKNOWN: "lock.unknown",
    Owner.DEAD: "lock.dead",
}


def settle(journal: Journal) -> None:
    """Look at every lock of the run's repository. Called under its queue."""
    found = _read(journal, _listed(journal))
    if not found:
        return
    facts = _facts(journal, found)
    if locks.may_unlock(found, facts):
        journal.kit.restic(journal.run.repository).unlock()
        present = set(_listed(journal))
        gone = [lock for lock in found if lock.id not in present]
        found = [lock for lock in found if lock.id in present]
        journal.evidence("unlocked", {"locks": [_plain(lock) for lock in gone]})
    for lock in found:
        journal.find(
            Severity.CHANGE,
            _KEYS[locks.owner(lock, facts)],
            repository=journal.run.repository,
            id=lock.id[:8],
            owner=f"{lock.user}@{lock.host}",
            pid=str(lock.pid),
            age=facts.now - lock.at,
            exclusive=lock.exclusive,
        )


def owners(kit: Kit, repository: str) -> tuple[tuple[Lock, Owner], ...]:
    """Every lock that can be read, and what is known of its owner. Changes nothing."""
    found: list[Lock] = []
    for name in listed(kit, repository):
        with suppress(RepositoryDamaged, ToolFailed):
            found.append(kit.restic(repository).lock(name))
    facts = _facts_of(kit, found, kit.store.spans(repository, kit.config.host))
    return tuple((lock, locks.owner(lock, facts)) for lock in found)


def listed(kit: Kit, repository: str) -> tuple[str, ...]:
    """Asked of the storage itself where that is possible: restic needs half a second."""
    storage = kit.storage(repository)
    return storage.locks() if storage else kit.restic(repository).locks()


def _listed(journal: Journal) -> tuple[str, ...]:
    return listed(journal.kit, journal.run.repository)


def _read(journal: Journal, names: Sequence[str]) -> list[Lock]:
    """The locks that can be read; the others are told of, unless they are gone by now."""
    found: list[Lock] = []
    odd: list[str] = []
    for name in names:
        try:
            found.append(journal.kit.restic(journal.run.repository).lock(name))
        except (RepositoryDamaged, ToolFailed):
            odd.append(name)
    still = set(_listed(journal)) if odd else set()
    for name in odd:
        if name in still:
            repository = journal.run.repository
            journal.find(Severity.CHANGE, "lock.unreadable", repository=repository, id=name[:8])
    return found


def _facts(journal: Journal, found: Sequence[Lock]) -> Facts:
    kit, run = journal.kit, journal.run
    over = kit.store.spans(run.repository, run.host)
    return _facts_of(kit, found, (*over, (run.opened_at, kit.clock())))


def _facts_of(kit: Kit, found: Sequence[Lock], runs: Sequence[tuple[datetime, datetime]]) -> Facts:
    return Facts(
        now=kit.clock(),
        host=system.host_name(),
        alive={lock.pid for lock in found if system.alive(lock.pid)},
        runs=runs,
    )


def _plain(lock: Lock) -> dict[str, object]:
    return {
        "id": lock.id,
        "at": lock.at.isoformat(),
        "pid": lock.pid,
        "exclusive": lock.exclusive,
    }
