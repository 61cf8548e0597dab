"""What is usual: a sudden drop and a slow decline both show, and scatter alone does not."""

import random

import pytest

from opsd.model import Status
from opsd.policy.baseline import compare
from opsd.policy.thresholds import at_least, at_most


def scattered(level: float, part: float, seed: int, count: int = 60) -> list[float]:
    chance = random.Random(seed)
    return [max(1.0, chance.gauss(level, level * part)) for _ in range(count)]


def test_a_sudden_drop_shows_after_two_of_three() -> None:
    steady = [100.0, 104, 97, 101, 99, 103, 100, 98, 102, 100]
    assert not wrong([*steady, 30])
    assert wrong([*steady, 30, 31])
    found = compare([*steady, 40, 41, 39], 3)
    assert found is not None
    assert found.ratio == pytest.approx(0.4, abs=0.01)


def test_a_slow_decline_shows_although_no_day_differs_from_the_one_before() -> None:
    declining = [100 - 0.4 * day for day in range(120)]
    found = compare(declining, 5)
    assert found is not None
    assert found.ratio < 0.7
    assert found.differs()


@pytest.mark.parametrize("seed", range(20))
def test_scatter_of_a_third_is_no_drop(seed: int) -> None:
    """As shared disks have it."""
    assert not wrong(scattered(100, 0.33, seed))


@pytest.mark.parametrize("seed", range(20))
def test_a_drop_to_a_fifth_shows_through_a_scatter_of_a_quarter(seed: int) -> None:
    assert wrong([*scattered(100, 0.25, seed), *scattered(20, 0.25, seed, 3)])


def test_wild_figures_of_the_past_do_not_move_it() -> None:
    found = compare([100.0, 100, 5000, 1, 100, 100, 100, 2, 100, 100, 100, 100], 3)
    assert found is not None
    assert found.usual == 100


def test_of_few_figures_nothing_is_said() -> None:
    assert compare([100.0] * 9, 3) is None
    assert compare([], 3) is None
    assert compare([0.0] * 20, 3) is None


def wrong(figures: list[float]) -> bool:
    found = compare(figures, 3)
    return found is not None and found.ratio < 0.4 and found.differs()


@pytest.mark.parametrize(
    ("value", "status"),
    [(1, Status.OK), (2, Status.WARNING), (4, Status.WARNING), (5, Status.CRITICAL)],
)
def test_a_large_figure_is_bad(value: float, status: Status) -> None:
    assert at_least(value, 2, 5) is status
    assert at_most(-value, -2, -5) is status


def test_a_limit_that_is_not_there_is_none() -> None:
    assert at_least(9, None, None) is Status.OK
    assert at_most(0, None, None) is Status.OK
    assert at_most(0, 1, None) is Status.WARNING
