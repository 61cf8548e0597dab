"""What opsd asks of itself: does it keep time, how large is it, can it write down what it finds?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from opsd.catalogue import Size
from opsd.clock import Clock, Stopwatch
from opsd.drivers import system
from opsd.errors import StorageFailed
from opsd.model import CheckResult, Measurement
from opsd.policy.thresholds import at_least
from opsd.tasks.check.notebook import Answers

OPSD: Final = "opsd"
BEAT: Final = timedelta(seconds=5)
# So many seconds after its time an errand may begin.
_LATE, _FAR_TOO_LATE = 5.0, 30.0
# With two hundred hosts it has less than 200 MiB: what has twice as much has lost something.
_LARGE, _FAR_TOO_LARGE = Size(400 << 20), Size(1 << 30)


@dataclass(slots=True)
class Itself:
    """Beats, and tries to write; what came of trying is remembered by the name of the store."""

    clock: Clock
    stores: Mapping[str, Callable[[], None]]
    writable: dict[str, bool] = field(default_factory=dict)
    _since: Stopwatch | None = None

    def beat(self) -> Answers:
        """How late this began, and so every errand, and how large opsd is."""
        gap = self._since.elapsed() if self._since is not None else BEAT
        self._since = Stopwatch()
        results = (pace(max(timedelta(), gap - BEAT)), size(Size(system.own_memory())))
        return Answers("", OPSD, self.clock(), results)

    def try_writing(self) -> None:
        """See whether what is found can be written down. Raises `StorageFailed` when it cannot."""
        failures = []
        for name, attempt in self.stores.items():
            try:
                attempt()
            except StorageFailed as error:
                failures.append(error)
                self.writable[name] = False
            else:
                self.writable[name] = True
        if failures:
            raise failures[0]


def pace(late: timedelta) -> CheckResult:
    """Whether errands begin when they are due."""
    status = at_least(late.total_seconds(), _LATE, _FAR_TOO_LATE)
    cause = "opsd_late" if status else ""
    figures = (
        Measurement("opsd_watch_late_seconds", late.total_seconds()),
        Measurement("opsd_threads", threading.active_count()),
    )
    key = f"check.{cause or 'opsd_in_time'}"
    return CheckResult(
        status, key, {"late": late}, cause=cause, subject="pace", measurements=figures
    )


def size(found: Size) -> CheckResult:
    """Whether it has no more memory than it needs."""
    status = at_least(found, _LARGE, _FAR_TOO_LARGE)
    cause = "opsd_large" if status else ""
    fields = {"size": found, "limit": _LARGE}
    return CheckResult(
        status, f"check.{cause or 'opsd_small'}", fields, cause=cause, subject="memory"
    )
