"""Reading a binary log event by event, and what of several files hangs together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsd.binlog import BaseCopy, Kept, LogFile, Spot, strand
from opsd.policy.binlog import Walked, base_for, spare_bases, walk
from tests.binlogs import AT, DESCRIPTION, QUERY, ROTATE, event, log

WHOLE = log((QUERY, b"one", AT + 1), (QUERY, b"two" * 50, AT + 2), (ROTATE, b"next", AT + 3))


def test_a_whole_file_is_read_to_its_end() -> None:
    walked = walk(WHOLE)
    last = datetime.fromtimestamp(AT + 3, UTC)
    assert walked == Walked(Kept(len(WHOLE), last, closed=True), checked=True)


def test_it_is_read_on_from_wherever_it_was_cut() -> None:
    for cut in range(len(WHOLE) + 1):
        first = walk(WHOLE[:cut])
        assert not first.wrong
        assert first.kept.bytes <= cut
        assert walk(WHOLE[first.kept.bytes :], first) == walk(WHOLE)


@pytest.mark.parametrize("at", range(4, len(WHOLE), 7))
def test_a_flipped_byte_behind_the_first_event_is_seen(at: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] ^= 0x10
    walked = walk(bytes(damaged))
    first = len(event(DESCRIPTION, 4, b"x" * 60)) + 4
    if at >= first:
        assert walked.wrong or walked.kept.bytes < len(WHOLE)
        assert walked.kept.bytes <= at


def test_what_is_no_log_is_refused() -> None:
    assert walk(b"PK\x03\x04 something else").wrong == "magic"
    assert walk(b"\xfeb") == Walked()


def test_events_behind_the_end_are_refused() -> None:
    more = WHOLE + event(QUERY, len(WHOLE), b"late")
    assert walk(more).wrong.startswith("event at")


def files(**kept: Kept) -> dict[LogFile, Kept]:
    return {LogFile("log", int(name[1:])): found for name, found in kept.items()}


CLOSED, OPEN = Kept(100, None, closed=True), Kept(50, None)


@pytest.mark.parametrize(
    ("found", "end", "gap"),
    [
        (files(f1=CLOSED, f2=CLOSED, f3=OPEN), "log.000003:50", None),
        (files(f1=CLOSED, f3=OPEN), "log.000001:100", 2),
        (files(f1=OPEN, f2=OPEN), "log.000001:50", 1),
        (files(f1=CLOSED, f2=Kept(10, None, holed=True)), "log.000002:10", 2),
        ({}, "None", None),
    ],
)
def test_a_strand_ends_where_something_is_missing(
    found: dict[LogFile, Kept], end: str, gap: int | None
) -> None:
    made = strand(found)
    assert str(made.end) == end
    assert (made.gap.number if made.gap else None) == gap


def test_a_strand_that_lacks_its_first_file_is_none() -> None:
    made = strand(files(f2=CLOSED), LogFile("log", 1))
    assert (made.files, made.gap) == ({}, LogFile("log", 1))


def base(day: int, offset: int) -> BaseCopy:
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day)
    spot = Spot(LogFile("log", day), offset)
    return BaseCopy(f"run{day}", "main", "s", "/r", "server", 101100, spot, at, 1)


def test_the_newest_base_copy_before_a_goal_is_taken_and_old_ones_go() -> None:
    found = [base(day, 10) for day in (1, 2, 3)]
    assert base_for(found, until=None, spot=None) == found[2]
    assert base_for(found, until=found[1].at + timedelta(hours=1), spot=None) == found[1]
    assert base_for(found, until=None, spot=Spot(LogFile("log", 2), 9)) == found[0]
    assert base_for(found, until=found[0].at - timedelta(hours=1), spot=None) is None
    assert spare_bases(found, found[2].at - timedelta(hours=1)) == [found[0]]
    assert spare_bases(found, found[0].at - timedelta(hours=1)) == []
