"""The only place that asks what time it is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add how long the block takes to the seconds of that name."""
    watch = Stopwatch()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0) + watch.elapsed().total_seconds()


class Steps:
    """Notices when the wall clock is set: then it moves otherwise than the steady one."""

    # A clock that is slewed moves by half a millisecond a second at most; one that is set less than
    # this disturbs nobody who plans by it.
    _LEAST = timedelta(seconds=1)

    def __init__(self, clock: Clock = now) -> None:
        self._clock = clock
        self._steady = Stopwatch()
        self._base = self._clock()

    def by(self) -> timedelta:
        """How far it was set since this was last asked: ahead, or back where it is negative."""
        base = self._clock() - self._steady.elapsed()
        step, self._base = base - self._base, base
        return step if abs(step) >= self._LEAST else timedelta()
