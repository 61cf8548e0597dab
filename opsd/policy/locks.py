"""Is the owner of a lock in a repository dead, so that the lock may go?

Three must say so: the name of the host is ours, its process is gone, and the history knows a run of
ours in which the lock was made and that is over. restic's own rule is wider: a lock of 30 minutes
is stale to it, whoever made it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from opsd.keeping import Lock

# From this age on restic's unlock may remove a lock of anybody (30 minutes, by its own clock).
_RESTIC_PATIENCE = timedelta(minutes=20)


class Owner(StrEnum):
    """What is known of the owner of a lock."""

    DEAD = "dead"
    ALIVE = "alive"
    FOREIGN = "foreign"  # of another host: nobody here can know
    UNKNOWN = "unknown"  # dead, but no run of ours: a person's


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known: this host, the processes that live on it, and our runs that are over."""

    now: datetime
    host: str
    alive: Collection[int]
    runs: Sequence[tuple[datetime, datetime]]


def owner(lock: Lock, facts: Facts) -> Owner:
    """Whose a lock is, from the strongest reason to leave it."""
    if lock.host != facts.host:
        return Owner.FOREIGN
    if lock.pid in facts.alive:
        return Owner.ALIVE
    if not any(began <= lock.at <= ended for began, ended in facts.runs):
        return Owner.UNKNOWN
    return Owner.DEAD


def may_unlock(locks: Sequence[Lock], facts: Facts) -> bool:
    """Whether restic's unlock would remove something that may go, and nothing that must stay."""
    owners = [(lock, owner(lock, facts)) for lock in locks]
    stay = [(lock, whose) for lock, whose in owners if whose is not Owner.DEAD]
    return len(stay) < len(owners) and not any(
        whose is Owner.UNKNOWN or facts.now - lock.at > _RESTIC_PATIENCE for lock, whose in stay
    )
