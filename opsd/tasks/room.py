"""The room on a disk of this machine for what must be written there."""

from __future__ import annotations

from pathlib import Path

from opsd.drivers import system
from opsd.policy import preflight


def at(place: Path, needed: int) -> preflight.Room:
    """What is free at a place beside `needed` bytes, and what others who live on that disk keep."""
    space = system.space(place)
    return preflight.Room(place, space.free, needed, preflight.spare_room(space.total))


def insist(place: Path, needed: int) -> None:
    """Raise `SpaceExhausted` where so many bytes do not fit."""
    for against in preflight.judge_room(at(place, needed)):
        raise against
