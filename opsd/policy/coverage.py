"""How much of a repository to read again tonight, and whether every object was read in time.

A cursor rolls through the repository at the speed that brings it around once within the time
that is configured. What was never read, or was damaged when it was read, comes first, then what
was read longest ago.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsd.keeping import Covered

# A night later than planned is no reason to be late: what would be due by then is read now.
_AHEAD = timedelta(days=1, hours=12)
_LEAST_TURN = timedelta(days=1)
_SLACK = timedelta(minutes=1)  # clocks are put right by less all the time


@dataclass(frozen=True, slots=True)
class Turn:
    """What one night reads: at least `quota` bytes, and all that was read before `due`."""

    quota: int
    due: datetime

    def enough(self, read: int, since: datetime) -> bool:
        """Whether a night that read so many bytes may stop before what was read at `since`."""
        return read >= self.quota and since > self.due


def turn(total: int, now: datetime, last: datetime | None, within: timedelta) -> Turn:
    """What to read of `total` bytes, when the last turn was at `last`.

    Nights that were missed are made up for; a clock that leapt back costs one turn, not many.
    """
    since = now - last if last is not None and last < now else _LEAST_TURN
    share = min(1.0, max(since, min(_LEAST_TURN, within)) / within)
    return Turn(quota=-int(-total * share // 1), due=now - within + min(_AHEAD, within / 2))


def behind(covered: Covered, now: datetime, within: timedelta) -> bool:
    """Whether an object was not read in time. One that was read in the future was not."""
    oldest = covered.oldest
    return oldest is not None and not -_SLACK <= now - oldest <= within


@dataclass(slots=True)
class Pace:
    """Keeps what is read below a rate: tells how long to wait before reading on.

    `elapsed` is monotonic time since the beginning. Without a rate nobody waits.
    """

    rate: int | None
    elapsed: Callable[[], timedelta]
    read: int = 0

    def wait(self, more: int) -> timedelta:
        """How long to wait before `more` bytes may be read; they count from now on."""
        ahead = timedelta()
        if self.rate is not None:
            ahead = timedelta(seconds=self.read / self.rate) - self.elapsed()
        self.read += more
        return max(timedelta(), ahead)
