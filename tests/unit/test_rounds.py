"""The rounds of the watch: at their pace, apart from each other, and gone when they shall end."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from opsd.clock import now
from opsd.daemon.rounds import Rounds
from opsd.daemon.triggers import Every
from opsd.errors import TimedOut
from opsd.tasks.check.watching import Errand

OFTEN = timedelta(seconds=0.1)


@pytest.fixture
def rounds() -> Iterator[Rounds]:
    made = Rounds(now)
    made.begin()
    yield made
    made.end()


class Counted:
    """An errand that counts, and does what it is told besides."""

    def __init__(self, besides: Callable[[], None] = lambda: None) -> None:
        self.times = 0
        self._besides = besides

    def __call__(self) -> None:
        self.times += 1
        self._besides()


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.01)


def test_an_errand_that_hangs_delays_no_other_and_misses_its_own_turns(rounds: Rounds) -> None:
    let_go = threading.Event()

    def hang() -> None:
        let_go.wait(30)

    hanging, quick = Counted(hang), Counted()
    rounds.adopt({"hanging": Errand(OFTEN, hanging), "quick": Errand(OFTEN, quick)})
    eventually(lambda: hanging.times == 1 and quick.times > 10)
    eventually(lambda: rounds.missed["hanging"] > 3)
    assert hanging.times == 1
    assert rounds.missed["quick"] < rounds.missed["hanging"]
    let_go.set()
    eventually(lambda: hanging.times > 2)


@pytest.mark.parametrize(
    ("previous", "now", "then"),
    [
        (None, -5, 0),
        (None, 0, 0),
        (None, 7, 15),
        (0, 0.4, 15),
        (15, 15.2, 30),
        (15, 30, 45),
        (15, 3600, 3615),  # the machine slept: what is past is not made up for
        (3600, 7, 15),  # the clock was set back
        (None, -3600, -3600),  # and so it was before the first turn
        (None, -3595, -3585),
    ],
)
def test_rounds_keep_to_their_row_however_late_one_was(
    previous: float | None, now: float, then: float
) -> None:
    first = datetime(2026, 3, 1, tzinfo=UTC)
    before = None if previous is None else first + timedelta(seconds=previous)
    trigger = Every(first, timedelta(seconds=15))
    found = trigger.get_next_fire_time(before, first + timedelta(seconds=now))
    assert found == first + timedelta(seconds=then)


def refuse() -> None:
    raise TimedOut("host.silent", host="db1")


def break_down() -> None:
    raise RuntimeError("a mistake in the code")


@pytest.mark.parametrize("trouble", [refuse, break_down])
def test_an_errand_that_fails_is_run_again(rounds: Rounds, trouble: Callable[[], None]) -> None:
    failing = Counted(trouble)
    rounds.adopt({"failing": Errand(OFTEN, failing)})
    eventually(lambda: failing.times > 3)


def test_what_is_not_adopted_any_more_is_not_run_any_more(rounds: Rounds) -> None:
    old, new, both = Counted(), Counted(), Counted()
    rounds.adopt({"old": Errand(OFTEN, old), "both": Errand(OFTEN, old)})
    eventually(lambda: old.times > 2)
    rounds.adopt({"new": Errand(OFTEN, new), "both": Errand(OFTEN, both)})
    eventually(lambda: new.times > 0 and both.times > 0)
    before = old.times
    eventually(lambda: new.times > 10)
    assert old.times <= before + 1  # one may have been under way
    assert set(rounds.missed) == {"new", "both"}


def test_the_end_waits_for_what_is_under_way() -> None:
    done: list[bool] = []
    made = Rounds(now)
    made.begin()

    def take_time() -> None:
        time.sleep(0.5)
        done.append(True)

    slow = Counted(take_time)
    made.adopt({"slow": Errand(OFTEN, slow)})
    eventually(lambda: slow.times == 1)
    made.end()
    assert len(done) == slow.times >= 1  # it waited for each that had begun
