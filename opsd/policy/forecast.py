"""When will it be full? A line through the past, at its own hour of the week.

The slope is the median of the slopes of all pairs of figures (Theil 1950, Sen 1968), of pairs that
lie whole weeks or days apart only, so that a rhythm of the week or the day does not tilt it (Hirsch
and Slack 1984). A quarter of the figures may be nonsense without moving it. The rhythm itself is
the median deviation at each hour of the period, and is added to the line again: what rotates its
logs on Sundays is full on a Saturday.

The line is drawn through the longest past that leads to the present: where the newest day lies off
it, something has changed, and a shorter past is taken. A jump restarts it; jumps that come again
and again are a rhythm and do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from opsd.check import Sample

_HOUR = 3600.0
_DAY, _WEEK = 24, 168  # hours
_PASTS = (4 * _WEEK, 2 * _WEEK, _WEEK, 3 * _DAY, 2 * _DAY, _DAY)
_GROWING = 0.6  # this part of all pairs must rise
_HORIZON = 400 * _DAY
_SIGMA = 1.4826
_JUMP_SIGMAS = 8.0
_SMALLEST_JUMP = 0.02  # of what there is room for
_SMALLEST_OFF = 0.003
_RHYTHM_EXPLAINS = 0.6  # the rhythm counts when what it leaves is at most this part of the scatter


@dataclass(frozen=True, slots=True)
class _Line:
    """Value at hour `t`: slope * t + level + rhythm."""

    slope: float
    level: float
    rhythm: tuple[float, ...]

    def at(self, hour: int) -> float:
        """The value at an hour."""
        return self.slope * hour + self.level + self.rhythm[hour % len(self.rhythm)]


Points = Sequence[tuple[int, float]]


def full_at(used: Sequence[Sample], room: float, now: datetime) -> datetime | None:
    """When what is used reaches `room`; nothing where it does not grow, or not within a year."""
    points = _hourly(used)
    if len(points) < 2 or points[-1][0] - points[0][0] < _DAY:
        return None
    line = _line(points, room)
    start = points[-1][0]
    if points[-1][1] >= room:
        return now
    if line.slope <= 0 or line.at(start) + line.slope * _HORIZON < room - max(line.rhythm):
        return None
    first = start + max(0, int((room - line.at(start) - _span(line)) / line.slope))
    hour = next((h for h in range(first, start + _HORIZON) if line.at(h) >= room), None)
    return None if hour is None else max(now, now + timedelta(hours=hour - start))


def rate(used: Sequence[Sample]) -> float:
    """Growth per second by the median of all pairs' slopes; for a short past without rhythm."""
    points = _thinned([(s.at.timestamp(), s.value) for s in used])
    slopes = [
        (later[1] - sooner[1]) / (later[0] - sooner[0])
        for index, sooner in enumerate(points)
        for later in points[index + 1 :]
        if later[0] > sooner[0]
    ]
    return median(slopes) if slopes else 0.0


def _thinned(points: list[tuple[float, float]], most: int = 60) -> list[tuple[float, float]]:
    step = max(1, len(points) // most)
    return points[::-1][::step][::-1]


def _span(line: _Line) -> float:
    return max(line.rhythm) - min(line.rhythm)


def _hourly(used: Sequence[Sample]) -> list[tuple[int, float]]:
    """The median of each hour; of a long past the newest four weeks."""
    hours: dict[int, list[float]] = {}
    for sample in used:
        hours.setdefault(int(sample.at.timestamp() // _HOUR), []).append(sample.value)
    newest = max(hours, default=0)
    return sorted((h, median(v)) for h, v in hours.items() if newest - h < _PASTS[0])


def _line(points: Points, room: float) -> _Line:
    """The line through the longest past that leads to the present."""
    since, rhythm = _jumps(points, room)
    usable = [point for point in points if point[0] >= since]
    newest = points[-1][0]
    if newest - usable[0][0] < _DAY:  # too new to have a slope of its own: it grows as before
        before = [point for point in points if point[0] < since]
        slope = _slope(before, _period(before)) if len(before) > 1 else 0.0
        return _through(usable, slope, _DAY, rhythmic=False)
    known = 2 * (newest - usable[0][0])
    pasts = [past for past in _PASTS if past <= max(known, _DAY) and newest - past <= rhythm]
    for past in pasts or _PASTS[:1]:
        chosen = [point for point in usable if newest - point[0] < past]
        period = _period(chosen)
        line = _through(chosen, _slope(chosen, period), period)
        if _leads_here(chosen, line, room):
            break
    return line


def _period(points: Points) -> int:
    """Of two weeks and more the week's rhythm can be known, of two days the day's."""
    span = points[-1][0] - points[0][0]
    return _WEEK if span >= 2 * _WEEK - _DAY else _DAY if span >= 2 * _DAY - 1 else 1


def _slope(points: Points, period: int) -> float:
    """The median slope of pairs that lie whole periods apart; 0 where too few of them rise."""
    phases: dict[int, list[tuple[int, float]]] = {}
    for hour, value in points:
        phases.setdefault(hour % period, []).append((hour, value))
    slopes = [
        (later[1] - sooner[1]) / (later[0] - sooner[0])
        for phase in phases.values()
        for index, sooner in enumerate(phase)
        for later in phase[index + 1 :]
    ]
    if sum(slope > 0 for slope in slopes) < _GROWING * len(slopes) and slopes:
        return min(0.0, median(slopes))
    return median(slopes) if slopes else 0.0


def _through(points: Points, slope: float, period: int, *, rhythmic: bool = True) -> _Line:
    """The line of this slope through the newest day, with the rhythm where there is one."""
    rest = [(hour, value - slope * hour) for hour, value in points]
    rhythm = _rhythm(rest, period) if rhythmic else (0.0,)
    newest = rest[-1][0]
    level = median(v - rhythm[h % len(rhythm)] for h, v in rest if newest - h < _DAY)
    return _Line(slope, level, rhythm)


def _rhythm(rest: Points, period: int) -> tuple[float, ...]:
    """The median deviation at each hour of the period, where that explains what is seen."""
    middle = median(value for _, value in rest)
    phases: list[list[float]] = [[] for _ in range(period)]
    for hour, value in rest:
        for near in (-1, 0, 1):
            phases[(hour + near) % period].append(value - middle)
    found = tuple(median(phase) if phase else 0.0 for phase in phases)
    scatter = median(abs(value - middle) for _, value in rest)
    left = median(abs(value - middle - found[hour % period]) for hour, value in rest)
    return found if period > 1 and left <= _RHYTHM_EXPLAINS * scatter else (0.0,)


def _leads_here(points: Points, line: _Line, room: float) -> bool:
    """Whether the line that goes through the newest day goes through the days before it, too."""
    newest = points[-1][0]
    off = [value - line.at(hour) for hour, value in points if newest - hour >= _DAY]
    if not off:
        return True
    middle = median(off)
    scatter = _SIGMA * median(abs(value - middle) for value in off)
    return abs(middle) <= max(scatter, _SMALLEST_OFF * room)


def _jumps(points: Points, room: float) -> tuple[int, int]:
    """The hour from which the past counts, and the one from which a shorter past would mislead.

    The past counts from the last jump that is not one of many. Of jumps that come again, the last
    two must be in the picture, or a saw's tooth would look like growth.
    """
    steps = [
        (later[0], later[0] - sooner[0], later[1] - sooner[1]) for sooner, later in pairwise(points)
    ]
    usual = median(change / hours for _, hours, change in steps)
    changes = [(hour, change - usual * hours) for hour, hours, change in steps]
    scatter = _SIGMA * median(abs(change) for _, change in changes)
    least = max(_JUMP_SIGMAS * scatter, _SMALLEST_JUMP * room)
    jumps = [(hour, change) for hour, change in changes if abs(change) > least]
    since, rhythm = points[0][0], points[-1][0]
    for hour, change in reversed(jumps):
        alike = [at for at, other in jumps if other * change > 0 and abs(other) > abs(change) / 2]
        if len(alike) == 1:
            return max(since, hour), rhythm
        rhythm = min(rhythm, alike[-2])
    return since, rhythm
