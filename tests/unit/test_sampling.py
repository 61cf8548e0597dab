"""Parts of what is too large for one night: what each shows, and all together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsd.policy import sampling

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(st.integers(1, 40), st.integers(0, 1000), st.binary(max_size=20))
def test_a_name_is_in_one_part_of_all(parts: int, turn: int, name: bytes) -> None:
    turns = [sampling.Part(turn + step, parts).has(name) for step in range(parts)]
    assert turns.count(True) == 1


@given(st.integers(0, 10**15), st.integers(1 << 30, 10**12), st.integers(0, 100))
def test_a_part_is_no_larger_than_the_budget_nor_smaller_than_it_must_be(
    total: int, budget: int, turn: int
) -> None:
    part = sampling.choose(total, budget, turn)
    if part.parts < 1 << 12:
        assert total / part.parts <= budget
    assert part.whole is (total <= budget)
    assert part.whole or total / part.parts > budget / 2 - 1
    assert part.parts & (part.parts - 1) == 0, "a power of two"


@given(
    st.integers(0, 5).map(lambda power: 1 << power),
    st.integers(0, 100),
    st.sets(st.binary(max_size=8), max_size=6),
)
def test_an_empty_part_goes_with_the_next_that_is_not(
    parts: int, turn: int, names: set[bytes]
) -> None:
    moved = on(turn, parts, names)
    assert any(map(moved.has, names)) is bool(names)
    turns = [on(turn + step, parts, names) for step in range(parts)]
    if any(map(sampling.Part(turn, parts).has, names)) or not names:
        assert moved.turn == turn
    if names:
        together = frozenset[int]().union(*(one.numbers for one in turns))
        assert together == frozenset(range(parts)), "nothing is left out for ever"


def on(turn: int, parts: int, names: set[bytes]) -> sampling.Part:
    return sampling.Part(turn, parts).moved_on_to(names)


@pytest.mark.parametrize(
    ("time", "speed", "allowed"),
    [
        (None, None, 1 << 40),
        (timedelta(minutes=1), None, 60 * (20 << 20)),
        (timedelta(minutes=1), 100e6, 6_000_000_000),
        (timedelta(minutes=1), 17.0, 60 << 20),  # one small file says nothing about speed
        (timedelta(days=30), 100e6, 1 << 40),
    ],
)
def test_the_smaller_of_bytes_and_time_is_the_budget(
    time: timedelta | None, speed: float | None, allowed: int
) -> None:
    assert sampling.budget(1 << 40, time, speed) == allowed


def _covered(days: int, parts: int, *numbers: int) -> sampling.Covered:
    return sampling.Covered(NOW - timedelta(days=days), parts, frozenset(numbers))


@pytest.mark.parametrize(
    ("present", "earlier", "covered", "oldest"),
    [
        (_covered(0, 4, 1), [], 1, 0),
        (_covered(0, 4, 1), [_covered(1, 4, 0), _covered(2, 4, 3)], 3, 2),
        (_covered(0, 4, 1), [_covered(1, 4, 0, 2, 3), _covered(9, 4, 1)], 4, 1),
        # A coarser part is two of the present ones; a finer one is half of one.
        (_covered(0, 4, 1), [_covered(1, 2, 0)], 3, 1),
        (_covered(0, 4, 1), [_covered(1, 1, 0)], 4, 1),
        (_covered(0, 2, 0), [_covered(1, 4, 1)], 1, 1),
        (_covered(0, 2, 0), [_covered(1, 4, 1), _covered(2, 4, 3)], 2, 2),
        (_covered(0, 1, 0), [_covered(1, 8, 5)], 1, 0),
    ],
)
def test_what_turns_cover_together_is_counted_across_cuts(
    present: sampling.Covered, earlier: list[sampling.Covered], covered: int, oldest: int
) -> None:
    found = sampling.coverage(present, earlier)
    assert (found.covered, found.parts) == (covered, present.parts)
    assert found.since == NOW - timedelta(days=oldest)
    missing = timedelta(days=present.parts - covered)
    assert found.full_by(NOW, timedelta(days=1)) == NOW + missing


@pytest.mark.parametrize("population", range(1, 8))
def test_detection_is_what_counting_all_samples_gives(population: int) -> None:
    for damaged in range(population + 1):
        for sample in range(population + 1):
            drawn = list(combinations(range(population), sample))
            hits = sum(any(item < damaged for item in one) for one in drawn)
            assert sampling.detection(population, sample, damaged) == pytest.approx(
                hits / len(drawn)
            )
