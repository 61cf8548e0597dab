"""When a notice is tried again, when it is given up, and who must be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from opsd.model import Incident
from opsd.people import Sending

_FIRST: Final = timedelta(seconds=2)
_LONGEST: Final = timedelta(minutes=10)
GIVEN_UP: Final = timedelta(days=3)
_SEPARATE: Final = 3  # incidents that are told one by one when they come together
_MANY: Final = 10
_LATELY: Final = timedelta(minutes=5)
_PAUSE: Final = timedelta(minutes=1)


def due(sending: Sending, now: datetime) -> bool:
    """Whether it is to be tried now: the pauses grow, and a clock that was set back ends them."""
    if sending.tried_at is None or now < sending.tried_at:
        return True
    pause = min(_FIRST * int(2 ** min(sending.tries - 1, 10)), _LONGEST)
    return now - sending.tried_at >= pause


def given_up(sending: Sending, now: datetime) -> bool:
    """Whether it is too old to be news to anybody."""
    return now - sending.notice.at > GIVEN_UP


@dataclass(frozen=True, slots=True)
class Call:
    """Incidents of which the people of one step are told together."""

    step: int
    incidents: tuple[Incident, ...]


def calls(
    open_ones: Sequence[Incident],
    owned: Mapping[str, datetime],
    told: frozenset[tuple[str, int]],
    timing: tuple[int, timedelta],
    now: datetime,
) -> Sequence[Call]:
    """Who is to be told of which incidents now; many at once are told together.

    `timing` is how many steps there are, and how long each waits for somebody to take one on.
    """
    steps, within = timing
    found: list[Call] = []
    for step in range(steps):
        due_now = tuple(
            one
            for one in sorted(open_ones, key=lambda one: one.code)
            if (one.code, step) not in told
            and (step == 0 or one.code not in owned)
            and now - one.opened_at >= step * within
        )
        if len(due_now) > _SEPARATE:
            found.append(Call(step, due_now))
        else:
            found += [Call(step, (one,)) for one in due_now]
    return found


def holds(paged: Sequence[datetime], now: datetime) -> bool:
    """Whether to wait a moment, so that what comes now is told together: there was much lately."""
    lately = [at for at in paged if now - at < _LATELY]
    return len(lately) >= _MANY and now - max(lately) < _PAUSE
