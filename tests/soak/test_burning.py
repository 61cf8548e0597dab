"""The burning server, fifty times: no commit that a client was told of is lost."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.burning import FAULTS, burn, kindling

ROUNDS = int(os.environ.get("ROUNDS", "50"))


@pytest.mark.timeout(3600)
def test_fifty_burning_servers_lose_nothing_that_was_acknowledged(template: Path) -> None:
    commits: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    seconds = []
    with kindling(template) as prepared:
        for number in range(ROUNDS):
            done = burn(prepared, FAULTS[number % len(FAULTS)], number)
            commits[done.fault] += done.acknowledged
            lost[done.fault] += done.lost
            seconds.append(done.seconds)
            print(number, done, flush=True)
        control = [
            burn(prepared, "both receivers stopped, then server", number, synchronous=False)
            for number in range(3)
        ]
    print(f"rounds: {ROUNDS}, acknowledged: {commits.total()}, lost: {lost.total()}, {commits}")
    print(f"recovered in {min(seconds):.1f} to {max(seconds):.1f} s")
    print(f"control: {sum(c.acknowledged for c in control)}, lost {sum(c.lost for c in control)}")
    assert lost.total() == 0
    assert sum(one.lost for one in control) > 0
