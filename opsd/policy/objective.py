"""Availability, what is left of an error budget, and how fast it burns: from a timeline of answers.

A service is out while its answers are critical. Time in which nobody could tell (unknown) or nobody
looked (blind) is neither up nor out, and is told apart. What a maintenance window covers is planned
and costs no budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from opsd.model import CheckId, Maintenance, Status, Stretch

WINDOW: Final = timedelta(days=30)
_NOTHING = timedelta()

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a service was out without a break; `causes` in the order they were seen."""

    began: datetime
    ended: datetime
    causes: tuple[str, ...]
    planned: timedelta = _NOTHING

    @property
    def span(self) -> timedelta:
        """How long it lasted."""
        return self.ended - self.began

    @property
    def unplanned(self) -> timedelta:
        """How long of it no maintenance was told of."""
        return self.span - self.planned


@dataclass(frozen=True, slots=True)
class Account:
    """Where the time between two moments went; the five parts make up the whole."""

    since: datetime
    until: datetime
    up: timedelta
    unknown: timedelta
    outages: tuple[Outage, ...]

    @property
    def planned(self) -> timedelta:
        """Out during maintenance."""
        return sum((outage.planned for outage in self.outages), _NOTHING)

    @property
    def unplanned(self) -> timedelta:
        """Out when it should not have been."""
        return sum((outage.unplanned for outage in self.outages), _NOTHING)

    @property
    def blind(self) -> timedelta:
        """Nobody looked."""
        known = self.up + self.unknown + self.planned + self.unplanned
        return self.until - self.since - known

    @property
    def availability(self) -> float | None:
        """The share of the known time, planned outages apart; none where nothing is known."""
        promised = self.up + self.unplanned
        return self.up / promised if promised else None


@dataclass(frozen=True, slots=True)
class Budget:
    """The time that a service may be out in 30 days, and what of it the last 30 days took."""

    allowed: timedelta
    spent: timedelta

    @property
    def left(self) -> timedelta:
        """What is left; less than nothing where the objective is missed."""
        return self.allowed - self.spent


@dataclass(frozen=True, slots=True)
class Burn:
    """How many times too fast the budget burns over a long and a short window.

    Both must be above the factor: the long one says that it matters, the short one that it goes on.
    """

    long: timedelta
    short: timedelta
    factor: Decimal
    pages: bool
    long_rate: float
    short_rate: float

    @property
    def burning(self) -> bool:
        """Whether somebody should know."""
        return min(self.long_rate, self.short_rate) > self.factor


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# Long and short window, factor, whether it pages: those of the alert rules.
BURNS: Final = (
    (_HOUR, _HOUR / 12, Decimal("14.4"), True),
    (6 * _HOUR, _HOUR / 2, Decimal(6), True),
    (_DAY, 2 * _HOUR, Decimal(3), False),
    (3 * _DAY, 6 * _HOUR, Decimal(1), False),
)


def account(timeline: Iterable[Stretch], period: Span, windows: Sequence[Span] = ()) -> Account:
    """Where the time of a period went."""
    since, until = period
    stretches = list(_inside(timeline, period))
    return Account(
        since,
        until,
        up=_time_in(stretches, {Status.OK, Status.WARNING}),
        unknown=_time_in(stretches, {Status.UNKNOWN}),
        outages=tuple(_outages(stretches, _merged(windows))),
    )


def budget(
    timeline: Iterable[Stretch], objective: Decimal, now: datetime, windows: Sequence[Span] = ()
) -> Budget:
    """What is left of the error budget now."""
    spent = account(timeline, (now - WINDOW, now), windows).unplanned
    return Budget(WINDOW * float(1 - objective), spent)


def burns(
    timeline: Sequence[Stretch], objective: Decimal, now: datetime, windows: Sequence[Span] = ()
) -> tuple[Burn, ...]:
    """How fast the budget burns, over each pair of windows."""

    def rate(window: timedelta) -> float:
        found = account(timeline, (now - window, now), windows).availability
        return 0.0 if found is None else (1 - found) / float(1 - objective)

    return tuple(
        Burn(long, short, factor, pages, rate(long), rate(short))
        for long, short, factor, pages in BURNS
    )


def month(first: date, zone: ZoneInfo, now: datetime) -> Span:
    """The calendar month that begins on `first` in a zone, up to now at most."""
    since = datetime(first.year, first.month, 1, tzinfo=zone).astimezone(UTC)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    until = datetime(following.year, following.month, 1, tzinfo=zone).astimezone(UTC)
    return since, max(since, min(until, now))


def covering(windows: Iterable[Maintenance], one: CheckId) -> tuple[Span, ...]:
    """The times in which faults of a check are expected."""
    spans = (
        (window.began, min(window.ends, window.ended_at or window.ends))
        for window in windows
        if window.host in {"", one.host} and window.check in {"", one.check}
    )
    return tuple((began, ended) for began, ended in spans if began < ended)


# --- inside


def _inside(timeline: Iterable[Stretch], period: Span) -> Iterator[_Part]:
    """The parts of stretches inside a period; of what overlaps, the first counts."""
    since, until = period
    for stretch in sorted(timeline, key=lambda one: one.began):
        began, ended = max(stretch.began, since), min(stretch.ended, until)
        if began <= ended and began < until:
            yield _Part(began, ended, stretch.status, stretch.cause)
            since = max(since, ended)


@dataclass(frozen=True, slots=True)
class _Part:
    began: datetime
    ended: datetime
    status: Status
    cause: str


def _time_in(parts: Iterable[_Part], statuses: set[Status]) -> timedelta:
    spans = (part.ended - part.began for part in parts if part.status in statuses)
    return sum(spans, _NOTHING)


def _outages(parts: Sequence[_Part], windows: Sequence[Span]) -> Iterator[Outage]:
    """Critical parts that touch are one outage."""
    current: list[_Part] = []
    for part in parts:
        if current and (part.status is not Status.CRITICAL or part.began > current[-1].ended):
            yield _outage(current, windows)
            current = []
        if part.status is Status.CRITICAL:
            current.append(part)
    if current:
        yield _outage(current, windows)


def _outage(parts: Sequence[_Part], windows: Sequence[Span]) -> Outage:
    began, ended = parts[0].began, parts[-1].ended
    overlaps = (min(end, ended) - max(begin, began) for begin, end in windows)
    planned = sum((overlap for overlap in overlaps if overlap > _NOTHING), _NOTHING)
    return Outage(began, ended, tuple(dict.fromkeys(part.cause for part in parts)), planned)


def _merged(windows: Iterable[Span]) -> tuple[Span, ...]:
    """The same times, none of them twice."""
    merged: list[Span] = []
    for began, ended in sorted(windows):
        if merged and began <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], ended)
        else:
            merged.append((began, ended))
    return tuple(merged)
