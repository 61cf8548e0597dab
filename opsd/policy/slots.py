"""Daily slots: which one is due, whether it still wants a run, and how many were missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import pairwise

from opsd.model import Outcome, Run

# A run that begins later than this after its slot counts as missed: opsd was down, or too busy.
GRACE = timedelta(minutes=15)
# A run that was interrupted is begun again when opsd comes back, but not for ever: it may be what
# brought the machine down.
TRIES = 3
# One that was lost before anything could be recorded of it is tried again, later each time.
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(minutes=30)
_DAY = timedelta(days=1)
_SUMMER_TIME = timedelta(hours=2)

Fired = Sequence[tuple[Run, Outcome | None]]


def newest_due(now: datetime, at: time, zone: tzinfo) -> datetime:
    """The newest moment, in UTC, at which something daily at local time `at` was due.

    Where summer time leaves the local time out, it is due as much later; where it comes twice, the
    first counts.
    """
    return max(due for due in _around(now, at, zone) if due <= now)


def next_due(after: datetime, at: time, zone: tzinfo) -> datetime:
    """The first moment, in UTC, after `after` at which it is due."""
    return min(due for due in _around(after, at, zone) if due > after)


def _around(moment: datetime, at: time, zone: tzinfo) -> Iterator[datetime]:
    today = moment.astimezone(zone).date()
    for days in (-1, 0, 1, 2):
        yield datetime.combine(today + days * _DAY, at, zone).astimezone(UTC)


def wants_run(slot: datetime, fired: Fired) -> bool:
    """Whether a slot is to be run: nothing was tried for it, or every try was cut short."""
    tries = [outcome for run, outcome in fired if run.slot == slot]
    return len(tries) < TRIES and all(outcome is Outcome.INTERRUPTED for outcome in tries)


def wait_after(losses: int, left: timedelta) -> timedelta | None:
    """How long to wait after so many losses of a slot, with `left` until the next one is due.

    Nothing when the next is due first: it will be tried in its stead.
    """
    wait = min(_FIRST_WAIT * 2 ** min(losses - 1, 10), _LONGEST_WAIT)
    return wait if wait < left else None


def late(slot: datetime, begun: datetime) -> bool:
    """Whether a run began so late that its slot counts as missed."""
    return begun - slot > GRACE


def missed(fired: Fired) -> int:
    """How many slots got no run in time, as the history tells; oldest slot first.

    It only grows as history is added, so that it can be exported as a counter.
    """
    first: dict[datetime, datetime] = {}
    for run, _ in fired:
        if run.slot is not None:
            first[run.slot] = min(run.opened_at, first.get(run.slot, run.opened_at))
    slots = list(first)
    skipped = sum(
        max(0, (after - before + _SUMMER_TIME) // _DAY - 1) for before, after in pairwise(slots)
    )
    return skipped + sum(late(slot, begun) for slot, begun in first.items())
