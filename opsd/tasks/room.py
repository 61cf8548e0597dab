"""The room on a disk of this machine for what must be written there."""

from __future__ import annotations

from pathlib import Path

from opsd.drivers import system
from opsd.policy import preflight


def at(place: Path, needed: int, spare: int | None = None) -> preflight.Room:
    """What is free at a place beside `needed` bytes, and what stays free for others.

    That is `spare` bytes, or what others who live on any disk are left.
    """
    space = system.space(place)
    left = preflight.spare_room(space.total) if spare is None else spare
    return preflight.Room(place, space.free, needed, left)


def insist(place: Path, needed: int, spare: int | None = None) -> None:
    """Raise `SpaceExhausted` where so many bytes do not fit."""
    for against in preflight.judge_room(at(place, needed, spare)):
        raise against
