"""The nouns of keeping and dropping: what must stay, what went, and who said so.

What each word means: docs/glossary.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsd.model import Finding


class Cause(StrEnum):
    """Why retention is frozen."""

    CLOCK = "clock"  # not kept by a time server
    FUTURE = "future"  # a point is dated after now
    LEAP = "leap"  # nothing was taken for so long that ages may be wrong
    PROOF = "proof"  # a proof failed
    ANOMALY = "anomaly"  # a run was unlike those before it
    SUSPICION = "suspicion"  # a playbook suspects that data is being destroyed
    REBUILT = "rebuilt"  # the history was lost, and legal holds with it
    DAMAGE = "damage"  # stored objects are not what was written


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nothing of a set is dropped from `at` until a person acknowledges what `said` says.

    `about` is the point or run that it is about: what was acknowledged of it freezes no more.
    """

    id: str
    backup_set: str
    at: datetime
    cause: Cause
    about: str
    said: Finding
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A point, or every point of a set, must not be dropped, whatever the rules say."""

    id: str
    backup_set: str
    point: str  # empty: all of the set
    at: datetime
    reason: str
    who: str
    released_at: datetime | None = None

    def covers(self, point: str) -> bool:
        """Whether it holds this point."""
        return self.released_at is None and self.point in {"", point}


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said when they decided something: who, when and why."""

    at: datetime
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """A point that a run gave up, and the snapshots that go with it."""

    point: str
    backup_set: str
    repository: str
    run: str
    at: datetime
    snapshots: tuple[str, ...]
    record: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit chain: what was done, and the digests that hold the chain together.

    `text` is the canonical JSON that was hashed; the fields below `digest` are read from it.
    """

    number: int
    text: str
    previous: str
    digest: str
    at: datetime
    kind: str
    who: str
    body: Mapping[str, object]
    told: int  # the number that the text says


BEGINNING = "0" * 64  # what the first line follows


def digest(previous: str, text: str) -> str:
    """What holds a line to the one before it (docs/audit.md)."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """How long the audit chain was at a moment, and the digest of its last line."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it lies in a repository: whose it is, since when, and how it holds."""

    id: str
    at: datetime
    host: str
    user: str
    pid: int
    exclusive: bool


@dataclass(frozen=True, slots=True)
class Object:
    """A stored object, and when it was last read; one that never was counts from `since` on."""

    kind: str
    name: str
    size: int
    since: datetime
    read: bool = False
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Covered:
    """How many objects a repository has, and since when every one of them was read and hashed.

    `oldest` is the last read of the object that was read longest ago.
    """

    objects: int
    packs: int
    bytes: int
    unread: int
    damaged: int
    oldest: datetime | None
