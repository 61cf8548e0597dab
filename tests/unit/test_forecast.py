"""Days until full, on series whose answer is known."""

import math
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from opsd.check import Sample
from opsd.policy.forecast import full_at, rate

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
ROOM = 1000.0
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Series = Callable[[float], float]  # days from now, negative in the past -> what is used


def past(series: Series, days: float, every: timedelta = HOUR) -> list[Sample]:
    count = int(days * DAY / every)
    return [Sample(NOW - n * every, series(-n * every / DAY)) for n in range(count, -1, -1)]


def noisy(series: Series, sigma: float, seed: int) -> Series:
    return lambda day: series(day) + random.Random(f"{seed} {day}").gauss(0, sigma)


def truth(series: Series) -> float | None:
    """The first hour from now at which the series reaches the room, in days."""
    return next((hour / 24 for hour in range(400 * 24) if series(hour / 24) >= ROOM), None)


def line(slope: float, now: float = 800) -> Series:
    return lambda day: now + slope * day


def weekday(day: float) -> float:
    """How many working days have gone by: nothing grows from Saturday on; it is Tuesday now."""
    at = day + 1.4  # since Monday 00:00
    weeks, rest = divmod(at, 7)
    return weeks * 5 + min(rest, 5.0)


def sawtooth(period: float, height: float, phase: float = 0.3) -> Series:
    """What logs do that are rotated: up, and down again at once."""
    return lambda day: height * (((day + phase) % period) / period)


def plus(*parts: Series) -> Series:
    return lambda day: sum(part(day) for part in parts)


def wave(period: float, height: float) -> Series:
    return lambda day: height * math.sin(2 * math.pi * day / period)


def jump(when: float, height: float) -> Series:
    return lambda day: height if day >= when else 0.0


FILLING: dict[str, tuple[Series, float]] = {
    "linear": (line(10), 28),
    "linear, slow": (line(3), 28),
    "linear, one day known": (line(20), 1.2),
    "linear, three days known": (line(10), 3),
    "stepped: something large came in 10 days ago": (plus(line(10), jump(-10, 150)), 28),
    "stepped: 4 days ago": (plus(line(10), jump(-4.2, 150)), 28),
    "stepped: this night": (plus(line(10), jump(-0.3, 150)), 28),
    "stepped down: somebody tidied up 5 days ago": (plus(line(10), jump(-5, -300)), 28),
    "stepped twice": (plus(line(8), jump(-12, 100), jump(-6, -200)), 28),
    "stairs: a copy every night": (lambda day: 700 + 12 * math.floor(day + 0.6), 21),
    "stairs: a copy every Sunday": (lambda day: 700 + 60 * math.floor((day + 2.4) / 7), 28),
    "seasonal: full by day, emptier by night": (plus(line(10), wave(1, 40)), 28),
    "seasonal: by day, six days known": (plus(line(10), wave(1, 40)), 6),
    "seasonal: by week": (plus(line(10), wave(7, 60)), 28),
    "seasonal: working days only": (lambda day: 800 + 15 * (weekday(day) - weekday(0)), 28),
    "logs rotated every night": (plus(line(8), sawtooth(1, 50)), 28),
    "logs rotated every week": (plus(line(8, 700), sawtooth(7, 100)), 28),
    "it grows three times as fast since 4 days": (
        lambda day: 800 + (5 * day if day < -4 else 15 * (day + 4) - 20),
        28,
    ),
}


@pytest.mark.parametrize("name", FILLING)
def test_it_is_right_within_a_day(name: str) -> None:
    series, days = FILLING[name]
    expected = truth(series)
    found = full_at(past(series, days), ROOM, NOW)
    assert expected is not None
    assert found is not None
    assert abs((found - NOW) / DAY - expected) <= 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "name",
    [
        "linear",
        "seasonal: full by day, emptier by night",
        "seasonal: working days only",
        "stepped: something large came in 10 days ago",
    ],
)
def test_noise_does_not_move_it_by_a_day(name: str, seed: int) -> None:
    """With a scatter as large as half a day's growth."""
    series, days = FILLING[name]
    expected = truth(series)
    found = full_at(past(noisy(series, 5, seed), days), ROOM, NOW)
    assert expected is not None
    assert found is not None
    assert abs((found - NOW) / DAY - expected) <= 1


def test_wild_figures_do_not_move_it() -> None:
    """One in eight is nonsense."""
    chance = random.Random(7)
    wild = [
        Sample(s.at, chance.uniform(0, ROOM)) if chance.random() < 1 / 8 else s
        for s in past(line(10), 28)
    ]
    found = full_at(wild, ROOM, NOW)
    assert found is not None
    assert abs((found - NOW) / DAY - 20) <= 1


NEVER: dict[str, Series] = {
    "flat": line(0),
    "emptying": line(-5, 600),
    "breathing": plus(line(0, 700), wave(1, 80)),
    "logs that are rotated every night": plus(line(0, 700), sawtooth(1, 200)),
    "logs that are rotated every week": plus(line(0, 600), sawtooth(7, 300)),
    "logs that are rotated every ten days": plus(line(0, 600), sawtooth(10, 300)),
    "filled once and at rest": plus(line(0, 500), jump(-9, 300)),
    "so slowly that it takes years": line(0.3, 500),
}


@pytest.mark.parametrize("name", NEVER)
def test_what_does_not_fill_has_no_date(name: str) -> None:
    assert full_at(past(NEVER[name], 28), ROOM, NOW) is None


@pytest.mark.parametrize("seed", range(8))
def test_flat_noise_has_no_near_date(seed: int) -> None:
    found = full_at(past(noisy(line(0, 700), 20, seed), 28), ROOM, NOW)
    assert found is None or found - NOW > 60 * DAY


def test_of_a_short_past_nothing_is_said() -> None:
    assert full_at([], ROOM, NOW) is None
    assert full_at(past(line(50), 0.5), ROOM, NOW) is None


def test_what_is_full_is_full_now() -> None:
    assert full_at(past(line(10, 1000), 10), ROOM, NOW) == NOW


def test_a_past_with_gaps_and_thinned_with_age_will_do() -> None:
    """Nobody looked for three days, and what is old is kept every four hours only."""
    kept = [
        s
        for s in past(plus(line(10), wave(1, 30)), 28)
        if not 4 < (NOW - s.at) / DAY < 7 and ((NOW - s.at) < 7 * DAY or s.at.hour % 4 == 0)
    ]
    found = full_at(kept, ROOM, NOW)
    expected = truth(plus(line(10), wave(1, 30)))
    assert found is not None
    assert expected is not None
    assert abs((found - NOW) / DAY - expected) <= 1


def test_thousands_of_figures_are_no_burden() -> None:
    series = past(noisy(line(10), 5, 1), 28, timedelta(minutes=5))
    assert len(series) > 8000
    began = time.process_time()
    assert full_at(series, ROOM, NOW) is not None
    assert time.process_time() - began < 0.5


def test_the_present_rate_is_the_median_of_all_pairs() -> None:
    minutes = [Sample(NOW + n * timedelta(minutes=1), 60.0 * n) for n in range(60)]
    minutes[30] = Sample(minutes[30].at, 1e9)
    assert rate(minutes) == pytest.approx(1)
    assert rate(minutes[:1]) == 0
