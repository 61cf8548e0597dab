"""Where a record of the log begins, and whether all of it is there."""

from __future__ import annotations

import pytest

from opsd.drivers import pgwal
from opsd.policy import wal
from tests.segments import WHOLE


@pytest.mark.parametrize(
    ("length", "begin", "end", "whole"),
    [
        (100, 1000, 1100, True),
        (100, 1000, 1099, False),
        (100, 8192 - 40, 8192 + 24 + 60, True),
        (100, 8192 - 40, 8192 + 24 + 59, False),
        (100, WHOLE - 40, WHOLE + 40 + 60, True),
        (100, WHOLE - 40, WHOLE + 40 + 52, False),
        (20000, 1000, 1000 + 20000 + 2 * 24, True),
        (20000, 1000, 1000 + 20000, False),
        (4_000_000_000, 1000, 2000, False),
        (0, 1000, 1008, True),
    ],
    ids=[
        "in a page",
        "cut in a page",
        "over two pages",
        "cut in the second",
        "over two segments",
        "cut in the second segment",
        "over three pages",
        "headers count",
        "far beyond the end",
        "zeros before the end",
    ],
)
def test_a_record_is_whole_where_all_of_it_lies_before_the_end(
    length: int, begin: int, end: int, *, whole: bool
) -> None:
    assert wal.lies_before(length, begin, end, WHOLE) is whole


def test_a_record_begins_behind_the_header_of_its_page() -> None:
    ends = (8, 8192, 3 * WHOLE)
    assert [wal.next_record(end, WHOLE) - end for end in ends] == [0, 24, 40]


@pytest.mark.parametrize(
    ("said", "last", "end"),
    [
        ("0/1500718: invalid record length at 0/1500790: wanted 24, got 0", 0x1500718, 0x1500790),
        (
            "0/1500718: invalid record length at 0/1500790: expected at least 24, got 0",
            0x1500718,
            0x1500790,
        ),
        ("0/1500718: invalid record length at 0/1500790: wanted 24, got 7", 0x1500718, None),
        (
            "0/1015618: incorrect resource manager data checksum in record at 0/1017330",
            0x1015618,
            None,
        ),
        (
            (
                "0/14FE048: invalid magic number 0000 in log segment 000000010000000000000001,"
                " offset 5242880"
            ),
            0x14FE048,
            None,
        ),
    ],
    ids=["15", "16", "a damaged length", "a damaged record", "the end of a page"],
)
def test_pg_waldump_says_whether_records_end_where_nothing_is_written(
    said: str, last: int, end: int | None
) -> None:
    found = pgwal.stopped(f"pg_waldump: error: error in WAL record at {said}\n")
    assert (found.last, found.end) == (last, end)


def test_a_segment_without_one_record_is_read_to_no_end() -> None:
    found = pgwal.stopped("pg_waldump: error: could not find a valid record after 0/1000000\n")
    assert (found.last, found.end) == (0, None)
