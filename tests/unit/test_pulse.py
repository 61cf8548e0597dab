"""Whether a receiver takes the log."""

from __future__ import annotations

import pytest

from opsd.tasks.wal.guard import Pulse


@pytest.mark.parametrize(
    ("flushed", "end", "stands_still"),
    [
        (200, 300, False),  # it moved
        (300, 300, False),  # it has it all
        (100, 300, True),
        (None, 300, True),  # it is not there
    ],
)
def test_it_stands_still_where_there_is_more_and_it_does_not_move(
    monkeypatch: pytest.MonkeyPatch, flushed: int | None, end: int, stands_still: bool
) -> None:
    now = [0.0]
    monkeypatch.setattr("opsd.clock.time.monotonic", lambda: now[0])
    pulse = Pulse()
    pulse.feel(100, 200)
    now[0] = 20.0
    assert (pulse.feel(flushed, end).total_seconds() == 20.0) is stands_still


def test_one_that_has_it_all_is_not_old_when_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("opsd.clock.time.monotonic", lambda: now[0])
    pulse = Pulse()
    for second in range(60):
        now[0] = float(second)
        assert not pulse.feel(100, 100)
    now[0] = 61.0
    assert pulse.feel(100, 200).total_seconds() == 2.0
