"""What a night does with the logs of a set, when its other work is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from opsd.errors import OpsdError
from opsd.model import Closing
from opsd.tasks.binlog import bases as binlog
from opsd.tasks.binlog.replaying import replay as binlog_replay
from opsd.tasks.binlog.stream import streams_of
from opsd.tasks.kit import Kit
from opsd.tasks.wal.bases import take_base
from opsd.tasks.wal.log import logs
from opsd.tasks.wal.replaying import replay


def take_bases(kit: Kit, name: str) -> Closing:
    """A base copy of each server of a set; how the worst of them ended."""
    mine = [log for log in logs(kit) if log.backup_set == name]
    works = [partial(take_base, kit, log) for log in mine]
    return _each(kit, [*works, *(partial(binlog.take_base, kit, s) for s in streams_of(kit, name))])


def replay_all(kit: Kit, name: str) -> Closing:
    """A replay of each log of a set; how the worst of them ended."""
    mine = [log for log in logs(kit) if log.backup_set == name]
    works = [partial(replay, kit, log) for log in mine]
    return _each(kit, [*works, *(partial(binlog_replay, kit, s) for s in streams_of(kit, name))])


def _each(kit: Kit, works: Sequence[Callable[[], Closing]]) -> Closing:
    """Do all; one that fails leaves the others alone. Raises afterwards what the first raised."""
    ended: list[Closing] = []
    failed: list[OpsdError] = []
    for work in works:
        kit.go_on()
        try:
            ended.append(work())
        except OpsdError as error:
            if kit.stop.requested:
                raise
            failed.append(error)
    if failed:
        raise failed[0]
    return next((one for one in ended if not one.outcome.good), ended[-1])
