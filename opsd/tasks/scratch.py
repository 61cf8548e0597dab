"""The room in scratch, where databases are dumped, copied and restored."""

from __future__ import annotations

from opsd.drivers import system
from opsd.policy import preflight
from opsd.tasks.kit import Kit


def room(kit: Kit, needed: int) -> preflight.Room:
    """What is free there beside `needed` bytes, and what others who live on that disk keep."""
    place = kit.config.scratch
    space = system.space(place)
    return preflight.Room(place, space.free, needed, preflight.spare_room(space.total))


def insist(kit: Kit, needed: int) -> None:
    """Raise `SpaceExhausted` where so many bytes do not fit."""
    for against in preflight.judge_room(room(kit, needed)):
        raise against
