"""For how many receivers commits wait: less only as agreed, and back by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from opsd.policy import protection
from opsd.policy.protection import Standing

ONE = Standing(
    wanted=1, waits_for=1, live=2, short_for=timedelta(), fallen=False, close=2, closed=True
)
LONG, PATIENCE = timedelta(seconds=40), timedelta(seconds=30)
LOST = replace(ONE, live=0, short_for=LONG, close=0, closed=False)
FALLEN = replace(LOST, waits_for=0, short_for=timedelta(), fallen=True)
TWO = replace(ONE, wanted=2, waits_for=2)
SHORT = replace(TWO, live=1, short_for=LONG, close=1, closed=False)
LESS = replace(SHORT, waits_for=1, short_for=timedelta(), fallen=True)


@pytest.mark.parametrize(
    ("standing", "patience", "expected"),
    [
        (ONE, PATIENCE, None),
        (LOST, None, None),
        (LOST, timedelta(minutes=1), None),
        (LOST, PATIENCE, 0),
        (replace(LOST, waits_for=None), PATIENCE, None),
        (replace(LOST, waits_for=0), PATIENCE, None),
        (FALLEN, PATIENCE, None),
        (replace(FALLEN, live=1), PATIENCE, None),
        (replace(FALLEN, live=1, close=1), PATIENCE, 1),
        (replace(FALLEN, live=2, close=2), PATIENCE, 1),
        (replace(FALLEN, live=1, close=1), None, 1),
        (replace(LOST, fallen=True), PATIENCE, 0),
        (TWO, PATIENCE, None),
        (SHORT, None, None),
        (SHORT, PATIENCE, 1),
        (replace(SHORT, live=0, close=0), PATIENCE, 0),
        (LESS, PATIENCE, None),
        (replace(LESS, live=2), PATIENCE, None),
        (replace(LESS, live=2, close=2), PATIENCE, 2),
        (replace(LESS, live=0, close=0, short_for=LONG), PATIENCE, 0),
        (replace(LESS, waits_for=0, live=1), PATIENCE, 1),
        (replace(TWO, waits_for=1), PATIENCE, None),
        (replace(SHORT, live=3, close=3), PATIENCE, None),
    ],
    ids=[
        "all is well",
        "lost, and the word is to wait",
        "lost, but not for long",
        "lost for as long as was agreed",
        "lost, and the server waits for somebody else's",
        "somebody else has taken the protection away",
        "fallen, and nobody there",
        "fallen, and the receiver has a gap still",
        "fallen, and a receiver is close",
        "fallen, and more are close than are wanted",
        "the same, though the agreement is gone",
        "protected again, and lost again before the end",
        "two wanted and two there",
        "one of two lost, and the word is to wait",
        "one of two lost for as long as was agreed",
        "both lost at once",
        "waiting for one of two, and one there",
        "the other is back and has a gap still",
        "the other is back and close",
        "the last one is lost too",
        "one of two is back after both were lost",
        "two wanted, and somebody else set one",
        "more there than are waited for",
    ],
)
def test_less_is_waited_for_only_as_agreed_and_as_many_as_wanted_again_by_itself(
    standing: Standing, patience: timedelta | None, expected: int | None
) -> None:
    assert protection.change(standing, patience) == expected


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (ONE, False),
        (replace(ONE, fallen=True), True),
        (replace(ONE, fallen=True, closed=False), False),
        (replace(TWO, fallen=True), True),
        (replace(TWO, fallen=True, waits_for=1), False),
    ],
    ids=[
        "it never fell",
        "a receiver has everything",
        "none has",
        "both have everything",
        "commits do not wait for both",
    ],
)
def test_what_was_at_risk_is_over_once_as_many_as_wanted_have_everything(
    standing: Standing, expected: bool
) -> None:
    assert protection.is_whole_again(standing) is expected


@pytest.mark.parametrize(
    ("told", "wanted", "expected"),
    [
        ("", 2, 0),
        ("ANY 1 (a, b, c)", 2, 1),
        ("ANY 2 (a, b, c)", 2, 2),
        ("ANY 3 (a, b, c)", 2, None),
        ("ANY 1 (a, b)", 2, None),
        ("FIRST 1 (a, b, c)", 2, None),
        ("*", 1, None),
    ],
)
def test_what_the_server_waits_for_is_known_where_it_is_ours(
    told: str, wanted: int, expected: int | None
) -> None:
    assert protection.waits_for(told, ("a", "b", "c"), wanted) == expected


def test_a_position_is_safe_with_so_many_as_have_it() -> None:
    assert protection.safe_with([10, 30, 20], 1) == 30
    assert protection.safe_with([10, 30, 20], 2) == 20
    assert protection.safe_with([10], 2) is None
    assert protection.safe_with([], 1) is None
