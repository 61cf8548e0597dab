"""What can be brought back of the logs of a set, and how fast: from the history alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from opsd.clock import Stopwatch
from opsd.errors import OpsdError
from opsd.policy import recoverable as policy
from opsd.policy.recoverable import Reach, Recoverable
from opsd.tasks.kit import Kit
from opsd.tasks.wal.planning import measured

_ASKED_EVERY = timedelta(seconds=10)
_LOOKED_AT = 50  # of the newest evidence: nights of several logs in several repositories

Told = Mapping[str, Any]


def recoverable(kit: Kit, name: str) -> dict[str, Recoverable]:
    """Of each log of a set what the history knows: since when, and the measured time."""
    backup_set, told = kit.backup_set(name), kit.store.told(name, "bases", _LOOKED_AT)
    oldest = {(one["member"], one["repository"]): _moment(one["oldest"]) for one in told}
    found = {}
    for member in dict.fromkeys(member for member, _ in backup_set.keepers):
        who = (one for one in backup_set.keepers if one[0] == member)
        reaches = {one[1]: Reach(oldest=oldest.get(one)) for one in who}
        played = measured(kit, name, member)
        span = played.span if played else None
        found[f"{name}/{member}"] = Recoverable(backup_set.rto, reaches, span)
    return found


def files_until(kit: Kit, name: str) -> datetime | None:
    """Until when a recovery point has every tree of a set; None: none has."""
    trees, now = kit.backup_set(name).trees, kit.clock()
    whole = (one for one in kit.store.points(name) if all(one.member(tree) for tree in trees))
    return max((one.at for one in whole if one.at <= now), default=None)


@dataclass(slots=True)
class Forecaster:
    """How long it would take now to bring one log to its end; the history is asked now and then."""

    kit: Kit
    backup_set: str
    member: str
    _asked: Stopwatch | None = None
    _speed: float | None = None
    _newest: dict[str, Told] = field(default_factory=dict)

    def forecast(self, repository: str, behind: Callable[[Told], int | None]) -> timedelta | None:
        """From one repository; `behind` says how much log there is behind a base copy."""
        if self._asked is None or self._asked.elapsed() > _ASKED_EVERY:
            self._ask()
        base = self._newest.get(repository)
        if base is None:
            return None
        read = base.get("read_bytes", base["bytes"])  # all of one of MariaDB's
        return policy.forecast(read, behind(base), self._speed)

    def _ask(self) -> None:
        """What cannot be read is not known, and hinders nobody."""
        self._speed, self._newest = None, {}
        try:
            played = measured(self.kit, self.backup_set, self.member)
            told = self.kit.store.told(self.backup_set, "base", _LOOKED_AT)
        except OpsdError:
            return
        self._newest = {one["repository"]: one for one in told if one["member"] == self.member}
        self._speed, self._asked = played.speed if played else None, Stopwatch()


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
