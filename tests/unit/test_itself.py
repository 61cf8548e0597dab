"""What opsd asks of itself: its pulse, its size, and whether it can write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsd.catalogue import SENTENCES, Size
from opsd.clock import Stopwatch
from opsd.errors import StorageFailed
from opsd.model import Status
from opsd.tasks.check import itself
from opsd.tasks.check.itself import BEAT, Itself

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


class Stood(Stopwatch):
    """A stopwatch that shows what it is told."""

    def __init__(self, shown: timedelta) -> None:
        self.shown = shown

    def elapsed(self) -> timedelta:
        return self.shown


@pytest.mark.parametrize(
    ("gap", "status", "cause", "late"),
    [
        (BEAT, Status.OK, "", 0),
        (BEAT - timedelta(seconds=1), Status.OK, "", 0),
        (BEAT + timedelta(seconds=4), Status.OK, "", 4),
        (BEAT + timedelta(seconds=5), Status.WARNING, "opsd_late", 5),
        (BEAT + timedelta(seconds=30), Status.CRITICAL, "opsd_late", 30),
    ],
)
def test_a_pulse_that_comes_late_is_told(
    gap: timedelta, status: Status, cause: str, late: float
) -> None:
    own = Itself(lambda: NOW, {})
    assert own.beat().results[0].status is Status.OK, "nothing was before it"
    own._since = Stood(gap)
    found = own.beat().results[0]
    assert (found.status, found.cause, found.subject) == (status, cause, "pace")
    figures = {one.metric: one.value for one in found.measurements}
    assert figures["opsd_watch_late_seconds"] == late
    assert figures["opsd_threads"] >= 1


@pytest.mark.parametrize(
    ("mebibytes", "status"), [(150, Status.OK), (400, Status.WARNING), (1024, Status.CRITICAL)]
)
def test_what_has_grown_out_of_its_size_is_told(mebibytes: int, status: Status) -> None:
    found = itself.size(Size(mebibytes << 20))
    assert (found.status, found.cause) == (status, "opsd_large" if status else "")
    assert found.key in SENTENCES


def test_each_store_is_tried_though_another_fails() -> None:
    tried: list[str] = []

    def fails() -> None:
        tried.append("history")
        raise StorageFailed("store.failed", path="/x", detail="disk full")

    own = Itself(lambda: NOW, {"history": fails, "watch": lambda: tried.append("watch")})
    with pytest.raises(StorageFailed):
        own.try_writing()
    assert tried == ["history", "watch"]
    assert own.writable == {"history": False, "watch": True}
