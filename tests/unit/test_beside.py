"""What goes on at the same time ends together, and the first failure is the one that is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, cast

import pytest

from opsd.clock import now
from opsd.drivers.process import Command, Completed, run
from opsd.errors import Cancelled, OpsdError, UsageError
from opsd.tasks.beside import beside
from opsd.tasks.kit import Kit

NOTHING = cast("Any", None)  # neither configuration nor history is asked here
SLEEP = Command(("sleep", "60"), timedelta(seconds=90))
SOON = 20.0


def fail(_: Kit) -> None:
    raise UsageError("set.unknown", name="x", known=[])


def ended(work: Callable[[], None]) -> OpsdError:
    """How `work` ended, which was soon."""
    began = time.monotonic()
    with pytest.raises(OpsdError) as told:
        work()
    assert time.monotonic() - began < SOON
    return told.value


@pytest.fixture
def kit() -> Kit:
    return Kit(NOTHING, NOTHING, now)


def test_what_was_started_is_over_when_the_block_is_left(kit: Kit) -> None:
    before = threading.active_count()
    with beside(kit) as side:
        both = [side.start(lambda _: run(Command(("true",), SLEEP.timeout))) for _ in range(2)]
    assert [one.result().exit_code for one in both] == [0, 0]
    assert threading.active_count() == before
    assert not kit.stop.requested


def test_a_block_that_fails_ends_the_programs_beside_it(kit: Kit) -> None:
    sleeping: list[Future[Completed]] = []

    def work() -> None:
        with beside(kit) as side:
            sleeping.append(side.start(lambda lane: run(SLEEP, stop=lane.stop)))
            fail(side.kit)

    assert isinstance(ended(work), UsageError)
    assert isinstance(sleeping[0].exception(), Cancelled)
    assert not kit.stop.requested, "only this block was to end"


def test_work_that_fails_ends_the_block_and_the_rest_and_is_what_is_told(kit: Kit) -> None:
    sleeping: list[Future[Completed]] = []

    def work() -> None:
        with beside(kit) as side:
            sleeping.append(side.start(lambda lane: run(SLEEP, stop=lane.stop)))
            side.start(fail)
            run(SLEEP, stop=side.kit.stop)

    assert isinstance(ended(work), UsageError)
    assert isinstance(sleeping[0].exception(), Cancelled)


def test_the_wish_to_end_reaches_everything(kit: Kit) -> None:
    def work() -> None:
        with beside(kit) as side:
            side.start(lambda lane: run(SLEEP, stop=lane.stop))
            kit.stop.request()
            run(SLEEP, stop=side.kit.stop)

    assert isinstance(ended(work), Cancelled)
