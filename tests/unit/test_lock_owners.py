"""A lock goes only when the host, the process and the history all say that its owner is dead."""

import os
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsd.drivers import system
from opsd.keeping import Lock
from opsd.policy.locks import Facts, Owner, may_unlock, owner

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OURS = Lock("a" * 64, NOW - 60 * MINUTE, "srv", "opsd", 4711, exclusive=True)
FACTS = Facts(NOW, "srv", frozenset(), ((NOW - 90 * MINUTE, NOW - 30 * MINUTE),))
ANOTHER = replace(OURS, host="other")
BY_HAND = replace(OURS, at=NOW - 20 * MINUTE)

OWNERS = {
    "of a dead run of ours": (OURS, FACTS, Owner.DEAD),
    "of a living process": (OURS, replace(FACTS, alive={4711}), Owner.ALIVE),
    "of another host, whatever lives here": (ANOTHER, FACTS, Owner.FOREIGN),
    "of a restic that a person ran": (BY_HAND, FACTS, Owner.UNKNOWN),
    "of a time of which nothing is known": (OURS, replace(FACTS, runs=()), Owner.UNKNOWN),
}


@pytest.mark.parametrize("case", OWNERS)
def test_whose_a_lock_is(case: str) -> None:
    lock, facts, expected = OWNERS[case]
    assert owner(lock, facts) is expected


def test_a_process_that_is_only_waited_for_does_not_live() -> None:
    with subprocess.Popen(("sleep", "60")) as process:
        assert system.alive(process.pid)
        process.kill()
        deadline = time.monotonic() + 10
        while system.alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not system.alive(process.pid)  # a zombie by now: nobody has waited for it yet
    assert not system.alive(process.pid)
    assert system.alive(os.getpid())


FRESH = replace(ANOTHER, at=NOW - MINUTE)
SLEEPING = replace(OURS, pid=1, at=NOW - 40 * MINUTE)

UNLOCKING = {
    "nothing there": ((), FACTS, False),
    "one of ours, dead": ((OURS,), FACTS, True),
    "two of ours, dead": ((OURS, replace(OURS, id="b" * 64)), FACTS, True),
    "only another host's": ((FRESH,), FACTS, False),
    "another host's, fresh: restic leaves it": ((OURS, FRESH), FACTS, True),
    "another host's, old: restic would take it": ((OURS, ANOTHER), FACTS, False),
    "a person's, dead: restic would take it": ((OURS, BY_HAND), FACTS, False),
    "alive but asleep for long": ((OURS, SLEEPING), replace(FACTS, alive={1}), False),
    "alive and awake": (
        (OURS, replace(SLEEPING, at=NOW - MINUTE)),
        replace(FACTS, alive={1}),
        True,
    ),
}


@pytest.mark.parametrize("case", UNLOCKING)
def test_restic_may_unlock_only_where_it_takes_nothing_that_must_stay(case: str) -> None:
    locks, facts, may = UNLOCKING[case]
    assert may_unlock(locks, facts) is may
