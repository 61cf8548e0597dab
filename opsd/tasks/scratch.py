"""The room in scratch, where databases are dumped, copied and restored."""

from __future__ import annotations

from opsd.drivers import system
from opsd.policy.preflight import Room, judge_room, spare_room
from opsd.tasks.kit import Kit


def room(kit: Kit, needed: int) -> Room:
    """What is free there beside `needed` bytes, and what others who live on that disk keep."""
    place = kit.config.scratch
    space = system.space(place)
    return Room(place, space.free, needed, spare_room(space.total))


def insist(kit: Kit, needed: int) -> None:
    """Raise `SpaceExhausted` where so many bytes do not fit."""
    for against in judge_room(room(kit, needed)):
        raise against
