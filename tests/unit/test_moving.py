"""Bytes on their way are told, go no faster than allowed, and end in time or when that is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsd.clock import Stopwatch, now
from opsd.errors import Cancelled, TimedOut
from opsd.tasks.kit import Kit, Nobody
from opsd.tasks.moving import Moving, Pace

NOTHING: Any = None  # neither is asked


class Told(Nobody):
    """What somebody who looks was told."""

    def __init__(self) -> None:
        self.last = (0, 0)

    def advance(self, done: int, total: int) -> None:
        """So far."""
        self.last = (done, total)


class Watch(Stopwatch):
    """Time that goes on when somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def elapsed(self) -> timedelta:
        return timedelta(seconds=self.at)

    def sleep(self, seconds: float) -> None:
        """Go on."""
        self.at += seconds


@pytest.fixture
def kit() -> Kit:
    return Kit(NOTHING, NOTHING, now)


def test_what_was_moved_is_told_and_more_than_was_expected_too(kit: Kit) -> None:
    told = Told()
    move = Moving(replace(kit, watcher=told), 100)
    move(30)
    assert told.last == (30, 100)
    move(80)
    assert told.last == (110, 110)


def test_it_ends_in_time_and_when_that_is_asked(kit: Kit) -> None:
    watch = Watch()
    move = Moving(kit, 100, timedelta(hours=1), watch)
    watch.at = 3600
    move(1)
    watch.at = 3601
    with pytest.raises(TimedOut):
        move(1)
    kit.stop.request()
    with pytest.raises(Cancelled):
        move(1)


@pytest.mark.parametrize(
    ("most", "sizes", "seconds"),
    [(None, [1 << 40], 0), (100, [50, 50], 1), (100, [1000], 10), (1000, [1], 0.001)],
)
def test_bytes_go_no_faster_than_allowed(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, most: int | None, sizes: list[int], seconds: float
) -> None:
    watch = Watch()
    monkeypatch.setattr("opsd.tasks.moving.time.sleep", watch.sleep)
    pace = Pace(kit, most, watch)
    for size in sizes:
        pace.spent(size)
    assert watch.at == pytest.approx(seconds)


def test_time_in_which_nothing_moved_is_no_credit(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    monkeypatch.setattr("opsd.tasks.moving.time.sleep", watch.sleep)
    pace = Pace(kit, 100, watch)
    watch.at = 3600
    pace.spent(1000)
    assert watch.at == pytest.approx(3609)


def test_who_waits_for_his_pace_ends_when_that_is_asked(kit: Kit) -> None:
    kit.stop.request()
    with pytest.raises(Cancelled):
        Pace(kit, 1).spent(1 << 30)
