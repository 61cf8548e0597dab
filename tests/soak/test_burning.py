"""The burning server, fifty times: no commit that a client was told of is lost."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.burning import FAULTS, SAME_INSTANT, burn, kindling

ROUNDS = int(os.environ.get("ROUNDS", "50"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("wait_for", "faults"),
    [(1, FAULTS), (2, tuple(one for fault in FAULTS for one in (SAME_INSTANT, fault)))],
    ids=["any one", "any two"],
)
def test_burning_servers_lose_nothing_that_was_acknowledged(
    template: Path, wait_for: int, faults: tuple[str, ...]
) -> None:
    commits: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    seconds = []
    with kindling(template) as prepared:
        for number in range(ROUNDS):
            done = burn(prepared, faults[number % len(faults)], number, wait_for=wait_for)
            commits[done.fault] += done.acknowledged
            lost[done.fault] += done.lost
            seconds.append(done.seconds)
            print(number, done, flush=True)
        control = [
            burn(prepared, "both receivers stopped, then server", number, wait_for=0)
            for number in range(3)
        ]
    print(f"rounds: {ROUNDS}, acknowledged: {commits.total()}, lost: {lost.total()}, {commits}")
    print(f"recovered in {min(seconds):.1f} to {max(seconds):.1f} s")
    print(f"control: {sum(c.acknowledged for c in control)}, lost {sum(c.lost for c in control)}")
    assert lost.total() == 0
    assert sum(one.lost for one in control) > 0
