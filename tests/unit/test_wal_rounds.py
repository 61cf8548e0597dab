"""Work about a log in threads of its own: what lands is told at once, and all of it ends."""

from __future__ import annotations

from datetime import timedelta

from opsd.clock import Stopwatch
from opsd.daemon.wal import Rounds
from opsd.errors import StorageFailed
from tests.logs import until

HOUR = timedelta(hours=1)


def test_what_lands_is_told_at_once_and_again_after_a_failure() -> None:
    rounds, heard, passed = Rounds("dossiers/database"), [""], Stopwatch()

    def tell() -> None:
        heard.append("told")
        if heard.count("told") == 1:
            raise StorageFailed("store.failed", path="state")

    rounds.every(HOUR, lambda: heard.append("turn"), lambda: heard.append("closed"), tell)
    until(lambda: heard[-1] == "turn", 5)
    rounds.landed.set()
    until(lambda: heard[-1] == "told", 5)
    rounds.landed.set()
    until(lambda: heard.count("told") == 2, 5)
    rounds.end()
    assert heard.count("turn") == 1
    assert heard[-1] == "closed"
    assert passed.elapsed() < HOUR / 60


def test_what_lands_all_the_time_keeps_no_turn_from_its_time() -> None:
    rounds, turns = Rounds("dossiers/database"), [0]
    rounds.every(timedelta(seconds=0.1), lambda: turns.append(0), tell=rounds.landed.set)
    rounds.landed.set()
    until(lambda: len(turns) > 4, 5)
    rounds.end()
