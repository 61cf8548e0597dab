"""The only place that asks what time it is."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class Stopwatch:
    """Elapsed time that no change of the wall clock can falsify."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def elapsed(self) -> timedelta:
        """Time since the stopwatch was made."""
        return timedelta(seconds=time.monotonic() - self._began)
