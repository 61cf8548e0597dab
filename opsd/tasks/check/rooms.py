"""Where opsd itself writes: is there room, and does it answer?

Room is asked of a child that can be left behind: a disk of the network may never answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from opsd.catalogue import Size
from opsd.drivers import process
from opsd.drivers.storage import Storage
from opsd.errors import OpsdError, ToolFailed
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.thresholds import at_most
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit

REPOSITORY, STATE = "repository", "state"
_PATIENCE = timedelta(seconds=5)
# Of a repository: below what a backup wants to find there, none begins any more.
_WARNING = 2
# Of the state: the history of months is a few hundred megabytes.
_STATE_WARNING, _STATE_CRITICAL = Size(1 << 30), Size(128 << 20)


class Room(NamedTuple):
    """Bytes of a disk: all of them, and those that an ordinary user may still take."""

    size: Size
    free: Size


def repositories(kit: Kit) -> Answers:
    """Whether each repository answers, and how much room is left where it is a directory."""
    found = (_repository(kit, name) for name in kit.config.repositories)
    return Answers("", REPOSITORY, kit.clock(), tuple(filter(None, found)))


def state(kit: Kit) -> Answers:
    """How much room is left for what opsd knows."""
    limits = _STATE_WARNING, _STATE_CRITICAL
    result = _room("state", kit.config.state, *limits)
    return Answers("", STATE, kit.clock(), (result,))


def _repository(kit: Kit, name: str) -> CheckResult | None:
    """Nothing of a repository that only restic can reach."""
    found = kit.config.repositories[name]
    try:
        storage = kit.storage(name)
        if storage is None:
            return None
        if found.path is not None:
            wanted = found.min_free
            room = _room(name, found.path, Size(_WARNING * wanted), wanted)
            return room if room.cause == "room_silent" else _with_locks(room, storage)
        storage.reach()
        answered = CheckResult(Status.OK, "check.repository", {"repository": name}, subject=name)
        return _with_locks(answered, storage)
    except OpsdError as error:
        cause = "repository_silent"
        fields = {"repository": name, "reason": error.reason}
        return CheckResult(
            Status.CRITICAL, f"check.{cause}", fields, error.detail or str(error), cause, name
        )


def _with_locks(result: CheckResult, storage: Storage) -> CheckResult:
    """Besides, how many locks lie there."""
    labels = {"repository": result.subject}
    locks = Measurement("opsd_repository_locks", len(storage.locks()), labels)
    return replace(result, measurements=(locks,))


def _room(subject: str, path: Path, warning: Size, critical: Size) -> CheckResult:
    fields: dict[str, object] = {"path": path}
    try:
        found = room(path)
    except OpsdError as error:
        cause = "room_silent"
        return CheckResult(Status.CRITICAL, f"check.{cause}", fields, str(error), cause, subject)
    fields |= {"free": found.free, "size": found.size, "wanted": critical}
    status = at_most(found.free, warning, critical)
    cause = "" if status is Status.OK else "room_low"
    return CheckResult(status, f"check.{cause or 'room'}", fields, cause=cause, subject=subject)


def room(path: Path) -> Room:
    """The room where a directory is or will be. Raises `ToolFailed` and `TimedOut`."""
    for place in _upwards(path):
        argv = ("stat", "--file-system", "--format=%S %b %a", str(place))
        done = process.run(process.Command(argv, _PATIENCE))
        if done.exit_code == 0:
            block, size, free = map(int, done.stdout.split())
            return Room(Size(block * size), Size(block * free))
    raise ToolFailed("process.failed", program="stat", exit_code=1, detail=str(path))


def _upwards(path: Path) -> Iterator[Path]:
    yield path
    yield from path.parents
