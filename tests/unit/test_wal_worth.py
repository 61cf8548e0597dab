"""Judging what a log in a repository is worth, until when it holds all, and whose turn it is."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsd.policy import wal, worth
from opsd.wal import Gap, Holdings, Need
from tests.segments import NOON, WHOLE, held, row

OLD, YOUNG = Need(1, 2 * WHOLE + 40, 2 * WHOLE + 99), Need(1, 6 * WHOLE + 40, 6 * WHOLE + 99)
LEFT = {2: (1, 8 * WHOLE + 1000)}


@pytest.mark.parametrize(
    ("log", "needs", "end", "gaps", "unlinked"),
    [
        pytest.param(held(), (), 0, [], 0, id="nothing"),
        pytest.param(held(*row(1, 3, 5)), (), 6 * WHOLE, [], 0, id="no base copy yet"),
        pytest.param(
            held(*row(1, 2, 8), (1, 9, 80)), (OLD, YOUNG), 9 * WHOLE + 80, [], 0, id="whole"
        ),
        pytest.param(
            held(*row(1, 0, 0), *row(1, 2, 8)), (OLD,), 9 * WHOLE, [], 0, id="older than any"
        ),
        pytest.param(held(*row(1, 3, 8)), (OLD,), 0, [(2, 3)], 0, id="the first one is gone"),
        pytest.param(
            held(*row(1, 3, 8)), (OLD, YOUNG), 9 * WHOLE, [(2, 3)], 0, id="a younger base copy"
        ),
        pytest.param(
            held(*row(1, 2, 3), *row(1, 5, 8)), (OLD,), 4 * WHOLE, [(4, 5)], 0, id="none behind it"
        ),
        pytest.param(
            held(*row(1, 2, 3), *row(1, 5, 8)),
            (OLD, YOUNG),
            9 * WHOLE,
            [(4, 5)],
            0,
            id="one behind it",
        ),
        pytest.param(
            held(*row(1, 2, 5), *row(1, 7, 8)),
            (OLD, YOUNG),
            6 * WHOLE,
            [(6, 7)],
            0,
            id="the younger is of no use",
        ),
        pytest.param(
            held(*row(1, 2, 5), (1, 6, 60)),
            (OLD, YOUNG),
            6 * WHOLE + 60,
            [],
            0,
            id="the younger is on its way",
        ),
        pytest.param(
            held(*row(1, 2, 8), *row(2, 8, 9), parents=LEFT),
            (OLD, YOUNG),
            10 * WHOLE,
            [],
            0,
            id="promoted",
        ),
        pytest.param(
            held(*row(1, 2, 8), *row(2, 8, 9)), (OLD, YOUNG), 0, [], 2, id="no history leads there"
        ),
        pytest.param(
            held(*row(1, 2, 8), *row(2, 8, 9)),
            (OLD, Need(2, 9 * WHOLE, 9 * WHOLE + 99)),
            10 * WHOLE,
            [],
            2,
            id="a base copy behind the lost history",
        ),
        pytest.param(
            held(*row(1, 2, 9), *row(2, 8, 8), parents=LEFT),
            (OLD, Need(1, 9 * WHOLE, 9 * WHOLE + 99)),
            9 * WHOLE,
            [],
            0,
            id="the younger is of what was left",
        ),
        pytest.param(
            replace(held(*row(1, 2, 9), *row(2, 8, 8), parents=LEFT), left={1: 6 * WHOLE}),
            (YOUNG,),
            0,
            [],
            0,
            id="what it needs was written twice",
        ),
        pytest.param(
            held(*row(2, 8, 9), parents=LEFT),
            (Need(2, 8 * WHOLE, 8 * WHOLE + 99),),
            10 * WHOLE,
            [],
            0,
            id="the parent is not needed",
        ),
    ],
)
def test_a_log_is_worth_what_its_newest_base_copy_reaches_and_lacks_what_any_misses(
    log: Holdings, needs: tuple[Need, ...], end: int, gaps: list[tuple[int, int]], unlinked: int
) -> None:
    found = worth.worth(log, needs, WHOLE)
    assert (found.end, spans(found.gaps), found.unlinked) == (end, gaps, unlinked)
    assert found.headless == ((2, 3) in gaps)


def spans(found: tuple[Gap, ...]) -> list[tuple[int, int]]:
    return [(gap.begin // WHOLE, gap.end // WHOLE) for gap in found]


def test_nothing_is_missing_that_no_base_copy_needs_or_that_is_coming() -> None:
    log, coming = held(*row(1, 3, 3), *row(1, 6, 6), *row(1, 9, 9)), held(*row(1, 7, 7)).segments
    (young,) = worth.worth(log, (YOUNG,), WHOLE, coming).missing
    assert young.number == 8
    found = worth.worth(log, (OLD, YOUNG), WHOLE, coming).missing
    assert [segment.number for segment in found] == [2, 4, 5, 8]


@pytest.mark.parametrize(("first", "gaps"), [(4, []), (5, [(4, 5)])])
def test_what_is_still_coming_is_worth_nothing_yet_and_is_no_gap(
    first: int, gaps: list[tuple[int, int]]
) -> None:
    log = held(*row(1, 2, 3), *row(1, 8, 9), (1, 10, 80))
    coming = held(*row(1, first, 7)).segments
    found = worth.worth(log, (OLD, YOUNG), WHOLE, coming)
    assert (found.end, spans(found.gaps)) == (4 * WHOLE, gaps)


@pytest.mark.parametrize(
    ("end", "before", "back", "minute"),
    [
        (250, None, True, 2),
        (99, None, True, None),
        (300, (250, 2), True, 3),
        (300, (300, 9), True, 9),  # its beat is forgotten, the log is still there
        (150, (300, 3), True, 1),
        (50, (300, 3), True, None),
        (150, (300, 3), False, 3),
        (250, (99, None), True, 2),
    ],
)
def test_what_is_held_is_known_by_beats_and_goes_back_with_the_log(
    end: int, before: tuple[int, int | None] | None, back: bool, minute: int | None
) -> None:
    def at(number: int | None) -> datetime | None:
        return None if number is None else NOON + timedelta(minutes=number)

    beats = [(NOON + timedelta(minutes=number), 100 * number) for number in (1, 2, 3)]
    known = worth.Reach(before[0], at(before[1])) if before else None
    assert worth.reach(beats, end, known, back=back) == worth.Reach(end, at(minute))


@pytest.mark.parametrize(
    ("last", "next_"), [(None, "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("gone", "a")]
)
def test_repositories_take_turns(last: str | None, next_: str) -> None:
    assert wal.next_of(("a", "b", "c"), last) == next_


@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_all_is_read_again_within_a_week_however_seldom_it_is_a_repository_s_turn(
    every: int,
) -> None:
    last, read = None, []
    for today in range(100, 150, every):
        read.append((today, set(wal.due(last, today, 7))))
        last = today
    for day in range(115, 150):
        week = set().union(*(nights for at, nights in read if day - 6 - every < at <= day))
        assert {night % 7 for night in week} == set(range(7))


@pytest.mark.parametrize(
    ("last", "parts"), [(None, [50]), (49, [50]), (47, [48, 49, 50]), (50, [50]), (60, [50])]
)
def test_the_parts_since_the_last_time_are_due_and_never_none(
    last: int | None, parts: list[int]
) -> None:
    assert list(wal.due(last, 50, 7)) == parts
