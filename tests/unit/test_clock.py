"""Steps of the wall clock are told, each once."""

from datetime import UTC, datetime, timedelta

from opsd.clock import Steps, now

HOUR = timedelta(hours=1)


def test_a_clock_that_is_set_is_told_once_and_either_way() -> None:
    moved = timedelta()

    def clock() -> datetime:
        return now() + moved

    steps = Steps(clock)
    assert steps.by() == timedelta()
    for step in (-HOUR, 2 * HOUR):
        moved += step
        assert abs(steps.by() - step) < timedelta(seconds=1)
        assert steps.by() == timedelta()


def test_a_clock_that_is_slewed_was_not_set() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert Steps(lambda: at).by() == timedelta()
