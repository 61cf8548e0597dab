"""What a night does with the logs of a set, when its other work is done."""

from __future__ import annotations

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
    ended = [take_base(kit, log) for log in logs(kit) if log.backup_set == name]
    return _worst([*ended, *(binlog.take_base(kit, one) for one in streams_of(kit, name))])


def replay_all(kit: Kit, name: str) -> Closing:
    """A replay of each log of a set; how the worst of them ended."""
    ended = [replay(kit, log) for log in logs(kit) if log.backup_set == name]
    return _worst([*ended, *(binlog_replay(kit, one) for one in streams_of(kit, name))])


def _worst(ended: list[Closing]) -> Closing:
    return next((one for one in ended if not one.outcome.good), ended[-1])
