"""When something is due: at whole intervals, or daily by the clock on the wall."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from apscheduler.triggers.base import BaseTrigger

from opsd.policy import slots

_MOMENT = timedelta(microseconds=1)


class Every(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """Fires at `first`, and at each whole interval from it, whichever way the clock is set.

    IntervalTrigger reckons from the last firing: with its jitter, which only ever adds, an interval
    of 15 s becomes 15.4 s, and turns are lost that nobody counts. And it never fires before its
    own beginning, which is long to come when the clock is set back.
    """

    def __init__(self, first: datetime, interval: timedelta) -> None:
        self._first = first
        self._interval = interval

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first moment of the row that is not past; after a firing, the next one."""
        after = now if previous is not None else now - _MOMENT
        return self._first + ((after - self._first) // self._interval + 1) * self._interval


class Daily(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """Fires when a daily slot is due, as the policy of slots has it.

    CronTrigger has another opinion of days on which the local time does not exist, and loses such
    a slot when opsd is started within the hour that is left out.
    """

    def __init__(self, at: time, zone: tzinfo) -> None:
        self._at = at
        self._zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first slot after the previous firing; at first, the first that is not past."""
        return slots.next_due(previous or now - _MOMENT, self._at, self._zone)
