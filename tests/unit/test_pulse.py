"""Whether a receiver takes the log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsd.drivers.postgres.replication import Sender
from opsd.tasks.wal.guard import Pulse

MIB = 1 << 20
SENDER = Sender("opsd_one", "streaming", "quorum", 100, 200)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    passed = [0.0]
    monkeypatch.setattr("opsd.clock.time.monotonic", lambda: passed[0])
    return passed


@pytest.mark.parametrize(
    ("then", "stands_still"),
    [
        (replace(SENDER, flushed=200), False),
        (replace(SENDER, flushed=300), False),  # it has it all
        (replace(SENDER, state="catchup", flushed=200), False),
        (replace(SENDER, sent=200 + 20 * MIB), False),  # it takes much, and is slow to say so
        (replace(SENDER, state=None, flushed=None, sent=None), False),  # we may not see
        (SENDER, True),
        (replace(SENDER, state="catchup"), True),
        (replace(SENDER, sent=200 + 3 * MIB), True),  # that lies in buffers
        (None, True),  # it is not there
    ],
)
def test_it_stands_still_where_there_is_more_and_it_takes_nothing(
    seconds: list[float], then: Sender | None, stands_still: bool
) -> None:
    pulse = Pulse()
    pulse.feel(SENDER, 200)
    seconds[0] = 20.0
    assert (pulse.feel(then, 300).total_seconds() == 20.0) is stands_still


def test_one_that_catches_up_for_an_hour_is_never_still(seconds: list[float]) -> None:
    pulse, end = Pulse(), 10_000 * MIB
    for second in range(3600):
        seconds[0] = float(second)
        late = replace(SENDER, state="catchup", flushed=100, sent=second * 2 * MIB)
        assert pulse.feel(late, end).total_seconds() < 15


def test_one_that_has_it_all_is_not_old_when_more_comes(seconds: list[float]) -> None:
    pulse = Pulse()
    for second in range(60):
        seconds[0] = float(second)
        assert not pulse.feel(SENDER, 100)
    seconds[0] = 61.0
    assert pulse.feel(SENDER, 200).total_seconds() == 2.0
