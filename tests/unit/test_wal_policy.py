"""Judging the log: positions, sequences, gaps, timelines, and what is to be done."""

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from opsd.model import RecoveryPoint
from opsd.policy import wal
from opsd.wal import (
    SEGMENT_BYTES,
    Base,
    Holdings,
    Segment,
    is_history,
    path_of,
    position,
    switches,
    way_in,
    written,
)
from tests.segments import NOON, WHOLE, held, row

SYSTEM = 7713261651204568805


@pytest.mark.parametrize("text", ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"])
def test_a_position_is_read_as_it_is_written(text: str) -> None:
    assert written(position(text)) == text


@pytest.mark.parametrize("text", ["", "0", "16/", "G/1", "1/2/3", "123456789/0"])
def test_what_is_no_position(text: str) -> None:
    with pytest.raises(ValueError, match=text or "^$"):
        position(text)


@pytest.mark.parametrize("size", [1 << 20, 16 << 20, 64 << 20])
def test_a_segment_is_known_by_its_name(size: int) -> None:
    segment = Segment(3, 0x1_0000_0000 // size + 5)
    assert Segment.of(segment.name(size), size) == segment
    assert segment.name(size).startswith("0000000300000001")


@pytest.mark.parametrize("name", ["000000010000000000000001.partial", "00000002.history", "x"])
def test_other_files_are_no_segments(name: str) -> None:
    assert Segment.of(name) is None


# ------------------------------------------------------------------------------ what a file holds


def pages(
    segment: Segment, system: int = SYSTEM, *, count: int = 4, timeline: int = 0
) -> bytearray:
    """The beginning of a segment, its pages filled with ones."""
    content = bytearray()
    for index in range(count):
        marks = 0x0002 if index == 0 else 0
        at = segment.start() + index * 8192
        header = struct.pack("=HHIQI4x", 0xD110, marks, timeline or segment.timeline, at, 0)
        long = struct.pack("=QII", system, SEGMENT_BYTES, 8192) if index == 0 else b""
        content += (header + long).ljust(8192, b"\1")
    return content


def test_a_segment_says_of_what_server_and_version_it_is() -> None:
    assert wal.heading(bytes(pages(Segment(1, 7)))) == wal.Heading(15, str(SYSTEM), SEGMENT_BYTES)
    assert wal.heading(bytes(8192)) is None
    assert wal.heading(b"") is None


def test_pages_in_their_places_are_right_also_behind_a_switch_and_after_a_promotion() -> None:
    segment = Segment(2, 7)
    good = pages(segment)
    assert wal.misfit(bytes(good), segment, str(SYSTEM)) == ""
    assert wal.misfit(bytes(good) + bytes(5 * 8192), segment, str(SYSTEM)) == ""
    assert wal.misfit(bytes(pages(segment, timeline=1)), segment, str(SYSTEM)) == ""


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda c: c[:0], "empty"),
        (lambda c: bytes(len(c)), "empty"),
        (lambda c: pages(Segment(2, 7), SYSTEM + 1), "foreign"),
        (lambda c: pages(Segment(2, 8)), "torn"),
        (lambda c: pages(Segment(2, 7), timeline=3), "torn"),
        (lambda c: c[:8192] + bytes(8192) + c[16384:], "torn"),
        (lambda c: c[:8192] + c[16384:], "torn"),
    ],
    ids=["cut", "zeros", "foreign", "another", "later timeline", "zeroed page", "lost page"],
)
def test_a_segment_that_is_not_what_its_name_says_is_told(
    damage: Callable[[bytes], bytes], expected: str
) -> None:
    segment = Segment(2, 7)
    assert wal.misfit(bytes(damage(bytes(pages(segment)))), segment, str(SYSTEM)) == expected


def test_what_is_written_of_a_segment_ends_before_its_zeros_or_where_the_server_says() -> None:
    content = b"\1" * 13 + bytes(100)
    assert wal.filled(content, 0) == 16
    assert wal.filled(content, 40) == 40
    assert wal.filled(content, 1000) == len(content)
    assert wal.filled(bytes(100), -5) == 0


# ------------------------------------------------------------------------------ the sequence


def test_a_log_without_a_gap_reaches_to_its_last_byte() -> None:
    found = wal.chain(held(*row(1, 3, 5), (1, 6, 4096)), 1, 3 * WHOLE + 40, WHOLE)
    assert found.end == 6 * WHOLE + 4096
    assert not found.gaps
    assert [segment.number for segment in found.segments] == [3, 4, 5, 6]


def test_missing_segments_are_one_gap_with_its_span_in_positions_and_time() -> None:
    found = wal.chain(held(*row(1, 3, 4), *row(1, 7, 8)), 1, 3 * WHOLE, WHOLE)
    (gap,) = found.gaps
    assert (gap.begin, gap.end) == (5 * WHOLE, 7 * WHOLE)
    assert (gap.since, gap.until) == (NOON + timedelta(minutes=4), NOON + timedelta(minutes=7))
    assert found.end == gap.begin


def test_a_segment_that_is_not_whole_is_a_gap_unless_it_is_the_last() -> None:
    found = wal.chain(held((1, 3, 4096), *row(1, 4, 5)), 1, 3 * WHOLE, WHOLE)
    (gap,) = found.gaps
    assert (gap.begin, gap.end) == (3 * WHOLE + 4096, 4 * WHOLE)


def test_two_gaps_are_told_apart() -> None:
    found = wal.chain(held(*row(1, 3, 3), *row(1, 5, 5), *row(1, 8, 9)), 1, 3 * WHOLE, WHOLE)
    assert [(g.begin // WHOLE, g.end // WHOLE) for g in found.gaps] == [(4, 5), (6, 8)]


def test_what_gaps_are_made_of_is_of_the_timeline_that_leads_on_there() -> None:
    log = held(*row(1, 3, 3), (1, 5, 80), *row(2, 8, 9), parents={2: (1, 6 * WHOLE + 40)})
    found = wal.chain(log, 1, 3 * WHOLE, WHOLE)
    assert found.missing == (Segment(1, 4), Segment(1, 5), Segment(2, 6), Segment(2, 7))
    assert wal.chain(held(*row(1, 3, 5), (1, 6, 80)), 1, 3 * WHOLE, WHOLE).missing == ()


def test_a_lost_beginning_is_a_gap() -> None:
    found = wal.chain(held(*row(1, 5, 6)), 1, 3 * WHOLE, WHOLE)
    assert [(g.begin // WHOLE, g.end // WHOLE) for g in found.gaps] == [(3, 5)]


def test_nothing_at_all_reaches_nowhere() -> None:
    found = wal.chain(Holdings(), 1, 3 * WHOLE, WHOLE)
    assert (found.end, found.gaps, found.segments) == (3 * WHOLE, (), ())


def test_a_promotion_is_followed_from_the_segment_in_which_it_was() -> None:
    left = 5 * WHOLE + 1000
    log = held(*row(1, 3, 4), (1, 5, 1000), *row(2, 5, 6), (2, 7, 80), parents={2: (1, left)})
    found = wal.chain(log, 1, 3 * WHOLE, WHOLE)
    assert not found.gaps
    assert found.timeline == 2
    assert [s.timeline for s in found.segments] == [1, 1, 2, 2, 2]
    assert found.end == 7 * WHOLE + 80


def test_what_a_left_timeline_went_on_with_is_no_part_of_the_way() -> None:
    log = held(*row(1, 3, 9), *row(2, 5, 6), parents={2: (1, 5 * WHOLE + 1000)})
    found = wal.chain(log, 1, 3 * WHOLE, WHOLE)
    assert found.end == 7 * WHOLE
    assert max(s.number for s in found.segments) == 6


def test_a_timeline_that_was_left_can_be_gone_to_its_end() -> None:
    went_back = held(*row(1, 1, 9), *row(2, 5, 6), parents={2: (1, 5 * WHOLE + 300)})
    found = wal.chain(went_back, 1, 2 * WHOLE, WHOLE, to=1)
    assert {segment.timeline for segment in found.segments} == {1}
    assert (found.timeline, found.end) == (1, 10 * WHOLE)
    before, across, after = base(9, 5 * WHOLE), base(5, 5 * WHOLE + 250), base(1, 8 * WHOLE)
    assert not any(wal.was_left(one, went_back, 1) for one in (before, across, after))
    assert wal.was_left(replace(after, timeline=2), went_back, 1)


def test_a_history_file_tells_where_a_timeline_left_its_parent() -> None:
    content = "1\t0/5000098\tno recovery target specified\n\n2\t0/8000000\tbefore 2026\n"
    assert switches({3: content, 4: "nonsense"}) == {3: (2, 0x8000000)}
    assert is_history("00000003.history", content)


@pytest.mark.parametrize("parents", [{2: 2}, {2: 3, 3: 2}], ids=["its own", "round and round"])
def test_no_way_back_is_without_an_end_whatever_a_damaged_history_says(
    parents: dict[int, int],
) -> None:
    files = {timeline: f"{parent}\t0/8000000\tnone\n" for timeline, parent in parents.items()}
    way = path_of(2, switches(files))
    assert list(dict(way)) == [2]
    assert not is_history("00000002.history", files[2])


@pytest.mark.parametrize(
    ("numbers", "looked", "most", "runs"),
    [
        ((), (), 3, []),
        ((1, 2, 3), (), 3, [(1, 2, 3)]),
        ((1, 2, 3, 4, 5), (), 2, [(4, 5), (2, 3, 4), (1, 2)]),
        ((1, 2, 4, 5), (), 9, [(4, 5), (1, 2)]),
        ((1, 2, 3, 4), (3, 4), 9, [(1, 2, 3)]),
        ((1, 2), (1, 2), 9, []),
    ],
    ids=["nothing", "in one", "in runs", "a gap", "its newer part was looked at", "all was"],
)
def test_a_log_is_looked_through_from_its_end_with_what_its_last_record_goes_on_in(
    numbers: tuple[int, ...], looked: tuple[int, ...], most: int, runs: list[tuple[int, ...]]
) -> None:
    found = wal.pieces([Segment(1, n) for n in numbers], {Segment(1, n) for n in looked}, most)
    assert [tuple(one.number for one in run) for run in found] == runs


def test_a_timeline_is_looked_through_apart_from_the_one_before() -> None:
    found = wal.pieces([Segment(1, 1), Segment(1, 2), Segment(2, 3)], set(), 9)
    assert list(found) == [(Segment(2, 3),), (Segment(1, 1), Segment(1, 2))]


def test_a_server_leads_on_behind_what_lies_on_its_way_alone() -> None:
    way = way_in(3, "1\t0/5000098\tno recovery target specified\n2\t0/8000000\tbefore 2026\n")
    assert {timeline: at for timeline, at in way.items() if timeline < 3} == {
        1: 0x5000098,
        2: 0x8000000,
    }

    def leads_on(timeline: int, number: int, *, whole: bool) -> bool:
        return wal.leads_on(Segment(timeline, number), way, WHOLE, whole=whole)

    assert leads_on(1, 4, whole=True)
    assert leads_on(1, 5, whole=False), "the timeline was left in the middle of it"
    assert not leads_on(1, 5, whole=True), "its end was abandoned"
    assert not leads_on(1, 6, whole=False)
    assert leads_on(2, 7, whole=True), "the timeline was left just behind it"
    assert not leads_on(2, 8, whole=True)
    assert leads_on(3, 900, whole=True)
    assert not leads_on(4, 3, whole=True), "a timeline that the server does not know"
    assert not leads_on(4, 0, whole=False)


# ------------------------------------------------------------------------------ what may go


def base(days: int, start: int) -> Base:
    at = NOON - timedelta(days=days)
    of = ("main", "1", 150000, 1, start, start + 100, at, "postgres")
    return Base(str(days), *of, bytes=100, segment_bytes=WHOLE, parent="", whole=at, read=100)


def test_a_base_copy_of_an_abandoned_time_is_known_and_one_before_it_stays() -> None:
    went_back = held(*row(1, 1, 9), *row(2, 5, 6), parents={2: (1, 5 * WHOLE + 300)})
    before, across, after = base(9, 5 * WHOLE), base(5, 5 * WHOLE + 250), base(1, 8 * WHOLE)
    assert [wal.was_left(one, went_back) for one in (before, across, after)] == [False, True, True]
    assert not wal.was_left(replace(after, timeline=2), went_back)
    assert not wal.was_left(after, held(*row(1, 1, 9)))
    # What the server wrote twice before it began the timeline was left from there on.
    twice = replace(went_back, left={1: 5 * WHOLE + 120})
    assert [wal.was_left(one, twice) for one in (before, across, after)] == [False, True, True]
    assert wal.was_left(base(5, 5 * WHOLE + 50), twice)
    # A timeline whose history nobody has leads nowhere.
    assert not wal.was_left(after, held(*row(1, 1, 9), *row(2, 5, 6)))


def test_a_base_copy_of_a_timeline_beside_the_newest_one_was_left() -> None:
    # From timeline 1 the server went to 2, and later back to before that, to 3.
    parents = {2: (1, 6 * WHOLE), 3: (1, 4 * WHOLE + 300)}
    beside = held(*row(1, 1, 6), *row(2, 6, 8), *row(3, 4, 5), parents=parents)
    good, abandoned = base(9, 2 * WHOLE), replace(base(5, 7 * WHOLE), timeline=2)
    assert not wal.was_left(good, beside)
    assert wal.was_left(abandoned, beside)
    assert not wal.was_left(abandoned, beside, 2)
    needed = replace(base(1, 5 * WHOLE), timeline=3)
    assert not wal.was_left(needed, beside)
    # A window that begins behind the abandoned one is reached from the one before it.
    left = [one for one in (good, abandoned, needed) if wal.was_left(one, beside)]
    kept = {good, needed}
    spare = wal.spare_bases((good, abandoned, needed), NOON - timedelta(days=3), left)
    assert not kept & set(spare)


def test_a_timeline_that_was_left_before_it_began_takes_the_end_of_those_before_with_it() -> None:
    # What PostgreSQL writes when it is recovered along 2 to a place before 2 began.
    history = "1\t0/8000000\tno recovery target specified\n2\t0/4000300\tafter LSN 0/4000200\n"
    way = way_in(3, history)
    assert (way[1], way[2]) == (0x4000300, 0x4000300)
    parents = switches({2: "1\t0/8000000\tnone\n", 3: history})
    assert dict(path_of(3, parents)) == way
    back = held(*row(1, 1, 8), *row(2, 8, 9), *row(3, 4, 5), parents=parents)
    before, between = base(9, 2 * WHOLE), base(5, 6 * WHOLE)
    assert not wal.was_left(before, back)
    assert wal.was_left(between, back)
    assert wal.chain(back, 1, before.start, WHOLE).end == 6 * WHOLE
    assert not wal.leads_on(Segment(1, 6), way, WHOLE, whole=True)


def test_the_newest_base_copy_that_is_old_enough_is_chosen() -> None:
    bases = [base(9, WHOLE), base(5, 5 * WHOLE), base(1, 9 * WHOLE)]
    assert wal.base_for(bases) == bases[2]
    assert wal.base_for(bases, until=NOON - timedelta(days=3)) == bases[1]
    assert wal.base_for(bases, lsn=5 * WHOLE + 99) == bases[0]
    assert wal.base_for(bases, until=NOON - timedelta(days=30)) is None


@pytest.mark.parametrize(
    ("snapshot", "place"),
    [
        ("10:13:", None),  # all are seen: the log may end behind them, but nobody knows yet where
        ("10:12:", 300),
        ("10:13:12", 300),
        ("10:13:11", None),  # the commit of 11 stands before that of 12, which is seen
        ("10:11:", 200),
        ("4294967306:4294967308:", 300),  # numbers began anew once
    ],
)
def test_the_log_holds_what_a_snapshot_sees_before_the_first_commit_that_it_does_not_see(
    snapshot: str, place: int | None
) -> None:
    assert wal.meeting([(10, 100), (11, 200), (12, 300)], snapshot) == place


def test_the_files_of_the_first_point_after_the_moment_fit_or_those_of_the_last_before() -> None:
    points = [
        RecoveryPoint(
            str(day), "dossiers", "main", "host", NOON + timedelta(days=day), (), complete=True
        )
        for day in (1, 2, 3)
    ]
    assert wal.files_for(points, NOON + timedelta(days=1, hours=1)) == points[1]
    assert wal.files_for(points, NOON + timedelta(days=2)) == points[1]
    assert wal.files_for(points, NOON + timedelta(days=9)) == points[2]
    assert wal.files_for([], NOON) is None


def test_of_base_copies_beyond_the_window_the_newest_stays_with_its_log() -> None:
    bases = [base(20, WHOLE), base(16, 4 * WHOLE), base(1, 9 * WHOLE)]
    assert wal.spare_bases(bases, NOON - timedelta(days=14)) == (bases[0],)
    log = held(*row(1, 1, 9))
    assert [s.number for s in wal.spare_segments(log, bases[1:], WHOLE)] == [1, 2, 3]
    assert wal.spare_segments(log, [], WHOLE) == ()


def test_one_that_the_server_left_does_not_stand_for_the_newest_beyond_the_window() -> None:
    good, left, young = base(20, WHOLE), base(16, 4 * WHOLE), base(1, 9 * WHOLE)
    horizon = NOON - timedelta(days=14)
    assert wal.spare_bases([good, left, young], horizon, [left]) == (left,)
    assert wal.spare_bases([left, young], horizon, [left]) == (left,)


def test_a_base_copy_shares_with_the_newest_until_what_it_shares_is_old() -> None:
    whole = base(20, WHOLE)
    first = replace(base(18, 2 * WHOLE), parent=whole.id, whole=whole.until)
    second = replace(base(1, 9 * WHOLE), parent=first.id, whole=whole.until)
    bases = [whole, first, second]
    # Each has all that it needs: what is too old goes, whoever shares with it.
    assert wal.spare_bases(bases, NOON - timedelta(days=14)) == (whole,)
    assert wal.parent_for(bases, "1", NOON - timedelta(days=21)) == second
    assert wal.parent_for(bases, "1", NOON - timedelta(days=20)) is None
    assert wal.parent_for(bases, "2", NOON - timedelta(days=21)) is None
    assert wal.parent_for([whole, second], "1", NOON - timedelta(days=99)) == second
    assert wal.parent_for([], "1", NOON) is None


@pytest.mark.parametrize(("read", "goes_on"), [(100, True), (250, True), (251, False)])
def test_of_a_copy_for_which_much_more_is_read_than_it_holds_no_other_is_made(
    read: int, *, goes_on: bool
) -> None:
    found = replace(base(1, WHOLE), read=read)
    wanted = found if goes_on else None
    assert wal.parent_for([found], "1", NOON - timedelta(days=30)) == wanted


def test_a_receiver_lets_go_only_of_what_every_repository_has_and_keeps_the_newest() -> None:
    finished = [Segment(1, number) for number in range(6)]
    everywhere = {Segment(1, number) for number in (0, 1, 3, 5)}
    assert wal.keep_here(finished, everywhere, 2) == (finished[0], finished[1], finished[3])
    assert wal.keep_here(finished, set(), 0) == ()


@pytest.mark.parametrize("written", [0, 1, 8, 65535, 65536, 65537, 131072, 200001])
@pytest.mark.parametrize("tail", [0, 1, 7, 65535, 65536, 131073])
def test_a_segment_is_written_until_its_tail_of_zeros(written: int, tail: int) -> None:
    content = b"x" * written + bytes(tail)
    wanted = min(-(-written // 8) * 8, len(content))
    assert wal.filled(content, 0) == wanted
    assert wal.filled(content, written + 100) == max(wanted, min(written + 100, len(content)))
