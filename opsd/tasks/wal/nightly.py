"""What a night does with the logs of a set, when its other work is done."""

from __future__ import annotations

from collections.abc import Callable

from opsd.model import Closing
from opsd.tasks.kit import Kit
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import Log, logs_of
from opsd.tasks.wal.replaying import replay


def take_bases(kit: Kit, name: str) -> Closing:
    """A base copy of each server of a set; how the worst of them ended."""
    return _each(kit, name, take_base)


def replay_all(kit: Kit, name: str) -> Closing:
    """A replay of each log of a set; how the worst of them ended."""
    return _each(kit, name, replay)


def _each(kit: Kit, name: str, work: Callable[[Kit, Log], Closing]) -> Closing:
    ended = [work(kit, log) for log in logs_of(kit, name)]
    return next((one for one in ended if not one.outcome.good), ended[-1])
