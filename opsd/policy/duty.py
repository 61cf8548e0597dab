"""Who is on duty, who comes next, and when nobody is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from opsd.people import Duty, Rota, Shift

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which the same people are on duty."""

    began: datetime
    ended: datetime
    duty: Duty


def on_duty(rota: Rota, local: datetime) -> Duty:
    """Who is on duty at a moment of the local clock; a deputy stands in for a main who is away."""
    for shift in rota.shifts:
        begun = _begun(shift, local)
        if begun is None:
            continue
        main = _turn(shift.main, begun, rota, local.date())
        deputy = _turn(shift.deputy, begun, rota, local.date())
        if main or deputy:
            return Duty(main or deputy, deputy if main and deputy != main else "")
    return Duty()


def spans(rota: Rota, since: datetime, until: datetime, zone: tzinfo) -> Sequence[Span]:
    """Who is on duty from one moment to another, without a hole: nobody is somebody too."""
    found: list[Span] = []
    edges = [since, *_edges(rota, since, until, zone), until]
    for began, ended in pairwise(edges):
        duty = on_duty(rota, began.astimezone(zone))
        if found and found[-1].duty == duty:
            found[-1] = Span(found[-1].began, ended, duty)
        else:
            found.append(Span(began, ended, duty))
    return found


def gaps(found: Sequence[Span]) -> Sequence[Span]:
    """Where nobody is on duty, or nobody stands in."""
    return [span for span in found if not span.duty.main or not span.duty.deputy]


def called(rota: Rota, local: datetime) -> Sequence[tuple[str, ...]]:
    """Who is called one after the other, when nobody says that they have it: no step is empty."""
    duty = on_duty(rota, local)
    today = local.date()
    leaders = tuple(one for one in rota.leaders if not _away(rota, one, today))
    steps = [(duty.main,), (duty.deputy,), leaders]
    return [step for step in (tuple(filter(None, one)) for one in steps) if step]


def _begun(shift: Shift, local: datetime) -> date | None:
    """The day on which the shift began that goes on at a moment."""
    clock, today = local.time().replace(tzinfo=None), local.date()
    overnight = shift.ends <= shift.begins
    if (
        today.weekday() in shift.days
        and clock >= shift.begins
        and (overnight or clock < shift.ends)
    ):
        return today
    yesterday = today - _DAY
    if overnight and yesterday.weekday() in shift.days and clock < shift.ends:
        return yesterday
    return None


def _turn(people: tuple[str, ...], begun: date, rota: Rota, today: date) -> str:
    """Whose week it is; who is away is stood in for by the next in the row."""
    week = (begun.toordinal() - 1) // 7
    row = [people[(week + place) % len(people)] for place in range(len(people))]
    return next((one for one in row if not _away(rota, one, today)), "")


def _away(rota: Rota, person: str, today: date) -> bool:
    return any(a.person == person and a.first <= today <= a.last for a in rota.absences)


def _edges(rota: Rota, since: datetime, until: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The moments at which somebody else may be on duty, in order."""
    clocks = sorted({time(), *(t for shift in rota.shifts for t in (shift.begins, shift.ends))})
    day = since.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        for clock in clocks:
            edge = datetime.combine(day, clock, zone)
            if since < edge < until:
                yield edge
        day += _DAY
