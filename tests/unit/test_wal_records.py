"""Where a record of the log begins, and whether all of it is there."""

from __future__ import annotations

import pytest

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
