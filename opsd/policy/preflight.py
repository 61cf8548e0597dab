"""May a backup begin? Facts in, reasons against it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.errors import ClockWrong, OpsdError, SpaceExhausted, ToolFailed

_LEAST = 64 << 20
_FORTNIGHT = 14


@dataclass(frozen=True, slots=True)
class Booted:
    """A boot of this machine, and when it was by the wall clock: that changes when it is set."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What is known about our time: the kernel's word, other clocks, and what it was before."""

    max_offset: timedelta
    synchronised: bool | None
    sync_required: bool
    offsets: Mapping[str, timedelta] = field(default_factory=dict)  # ours minus theirs, by source
    booted: Booted | None = None
    before: Booted | None = None  # as the last run read it that was not refused for its clock


def judge_clock(facts: ClockFacts) -> tuple[OpsdError, ...]:
    """Why this clock must not date a recovery point."""
    against: list[OpsdError] = []
    for source, offset in facts.offsets.items():
        if abs(offset) > facts.max_offset:
            against.append(
                ClockWrong("clock.differs", source=source, offset=offset, limit=facts.max_offset)
            )
    if moved := _moved(facts):
        against.append(ClockWrong("clock.moved", moved=moved, limit=facts.max_offset))
    if facts.sync_required and not facts.synchronised:
        unknown = facts.synchronised is None
        against.append(ClockWrong("clock.unknown" if unknown else "clock.unsynchronised"))
    return tuple(against)


def _moved(facts: ClockFacts) -> timedelta | None:
    """By how much the clock was set since, if that is too much and no time server answers for it.

    The kernel takes its word back when somebody sets the clock, until a server has set it right.
    """
    now, before = facts.booted, facts.before
    if facts.synchronised or now is None or before is None or now.id != before.id:
        return None
    moved = now.at - before.at
    return moved if abs(moved) > facts.max_offset else None


def judge_newest(
    newest: datetime | None, now: datetime, max_offset: timedelta
) -> tuple[OpsdError, ...]:
    """Why a clock that is behind the newest snapshot must not date another one."""
    if newest is None or newest <= now + max_offset:
        return ()
    return (ClockWrong("clock.behind", newest=newest, now=now),)


@dataclass(frozen=True, slots=True)
class Room:
    """A place that must take `needed` bytes and keep `spare` free."""

    path: Path
    free: int
    needed: int
    spare: int = 0


def spare_room(total_bytes: int) -> int:
    """What a dump leaves free on a disk that others may live on: 5 % of it, at most 1 GiB."""
    return min(1 << 30, total_bytes // 20)


def judge_room(room: Room) -> tuple[OpsdError, ...]:
    """Why a place is too small."""
    if room.free >= room.needed + room.spare:
        return ()
    return (
        SpaceExhausted(
            "space.too_little",
            path=room.path,
            free=Size(room.free),
            needed=Size(room.needed),
            spare=Size(room.spare),
        ),
    )


def judge_restic(
    version: tuple[int, int, int], minimum: tuple[int, int, int]
) -> tuple[OpsdError, ...]:
    """Why this restic cannot be used."""
    if version >= minimum:
        return ()
    return (ToolFailed("restic.too_old", version=_dotted(version), minimum=_dotted(minimum)),)


def expected_growth(source_bytes: int, added_before: Sequence[int]) -> int:
    """Bytes that a run may add to a repository, from what the runs before it added, newest first.

    The first takes all of the source. The second a tenth of it, because the first tells nothing of
    a day's growth; later ones twice the largest of the last fortnight. Never less than 64 MiB: an
    index and a pack or two are always written.
    """
    match added_before:
        case []:
            growth = source_bytes
        case [_]:
            growth = source_bytes // 10
        case [*later, _]:
            growth = 2 * max(later[:_FORTNIGHT])
    return max(_LEAST, growth)


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
