"""Whether two logs are of one history, and which moments a server that went back has left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from opsd.drivers.postgres.replication import ServerSeen
from opsd.drivers.postgres.stream import Source, Standpoint
from opsd.policy import moments, parting, wal
from opsd.policy.moments import Span
from opsd.policy.parting import Parted, Tail
from opsd.tasks.wal.guard import Look
from opsd.tasks.wal.histories import parted_from
from opsd.tasks.wal.parting import Parting
from opsd.tasks.wal.shipping import Shipped
from opsd.wal import Segment
from tests.segments import WHOLE, held, row
from tests.unit.test_wal_telling import GOOD, NOON, SEEN, the_log

SIZE = 1 << 20
NEVER = 1 << 64
CHANGE = 40_000  # of the second segment: where the other history begins


def log_of(seed: int, *, since: int = 0) -> bytes:
    """Three segments of bytes that are never zero; from `since` on another history's."""
    plain = bytes(1 + at * 7 % 251 for at in range(3 * SIZE))
    return plain[:since] + bytes(1 + (byte - 1 + seed) % 251 for byte in plain[since:])


ONE = log_of(0)
OTHER = log_of(5, since=SIZE + CHANGE)


@dataclass(frozen=True, slots=True)
class Lying:
    """Log on a shelf: its bytes from the beginning, as so many segments of a timeline."""

    log: bytes
    timeline: int = 1

    @property
    def segments(self) -> Iterable[Segment]:
        return [Segment(self.timeline, number) for number in range(-(-len(self.log) // SIZE))]

    def tail(self, segment: Segment, until: int) -> Tail:
        return parting.tail(self.whole(segment), segment.start(SIZE), until)

    def whole(self, segment: Segment) -> bytes:
        return self.log[segment.start(SIZE) : segment.start(SIZE) + SIZE].ljust(SIZE, b"\0")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that has some log, and keeps it from a position on."""

    log: bytes
    since: int = 0

    def read(self, timeline: int, begin: int, size: int) -> bytes | None:
        del timeline
        assert begin + size <= len(self.log), "nobody asks for what is not written"
        return self.log[begin : begin + size] if begin >= self.since else None

    def standpoint(self) -> Standpoint:
        return standpoint(len(self.log))


@dataclass(frozen=True, slots=True)
class Growing(Server):
    """It wrote more since it was asked, and somebody received that."""

    grown: int = 0

    def standpoint(self) -> Standpoint:
        return standpoint(self.grown)


def standpoint(flushed: int, way: Mapping[int, int] | None = None) -> Standpoint:
    way = way or {1: NEVER}
    return Standpoint("1", max(way), flushed, standby=False, way=way)


def parted(lying: Lying, server: Server, here: Standpoint) -> Parted | None:
    return parted_from(lying, here, SIZE, cast("Source", server))


@pytest.mark.parametrize(
    ("mine", "server", "since", "begin"),
    [
        pytest.param(ONE[: 2 * SIZE + 800], ONE, 0, None, id="it goes on"),
        pytest.param(ONE[: 2 * SIZE + 800], ONE[: 2 * SIZE + 800], 0, None, id="it stands still"),
        pytest.param(ONE[: SIZE + CHANGE], OTHER, 0, None, id="it went on behind what is held"),
        pytest.param(ONE[: 2 * SIZE + 800], OTHER, 0, SIZE + CHANGE, id="another history"),
        pytest.param(
            ONE[: 2 * SIZE + 800], OTHER[: SIZE + CHANGE + 99], 0, SIZE + CHANGE, id="and shorter"
        ),
        pytest.param(
            ONE[: 2 * SIZE + 800], ONE[: SIZE + 96], 0, SIZE + 96, id="shorter, nothing written yet"
        ),
        pytest.param(ONE[: SIZE + 800], ONE[:SIZE], 0, SIZE, id="shorter, at the end of a segment"),
        pytest.param(
            ONE[: 2 * SIZE + 800], OTHER, 2 * SIZE, 2 * SIZE, id="the older is gone there"
        ),
        pytest.param(ONE[: 2 * SIZE + 800], OTHER, 3 * SIZE, None, id="all is gone there"),
        pytest.param(b"", ONE, 0, None, id="nothing is held"),
    ],
)
def test_a_server_goes_on_from_what_is_held_or_parted_from_it_at_a_position(
    mine: bytes, server: bytes, since: int, begin: int | None
) -> None:
    found = parted(Lying(mine), Server(server, since), standpoint(len(server)))
    assert (found.begin if found else None) == begin
    if found:
        assert (found.timeline, found.end, found.server) == (1, len(mine), len(server))


def test_what_a_new_timeline_left_in_order_has_not_parted() -> None:
    """A recovery, or a standby that took over: the log is the same until there."""
    way = {1: SIZE + CHANGE, 2: NEVER}
    for mine in (ONE[: SIZE + 800], ONE[: 2 * SIZE + 800]):
        assert parted(Lying(mine), Server(OTHER), standpoint(len(OTHER), way)) is None
    # It wrote its old timeline anew before it began the new one.
    found = parted(
        Lying(ONE[: 2 * SIZE + 800]),
        Server(OTHER),
        standpoint(len(OTHER), {1: 2 * SIZE + 160, 2: NEVER}),
    )
    assert found == Parted(1, SIZE + CHANGE, 2 * SIZE + 160, len(OTHER))


def test_a_server_on_an_older_timeline_than_what_is_held_went_back() -> None:
    found = parted(Lying(ONE[: SIZE + 800], 2), Server(ONE), standpoint(SIZE + 4000))
    assert found == Parted(1, SIZE + 800, SIZE + 800, SIZE + 4000)


def test_what_is_received_meanwhile_is_not_taken_for_a_log_that_became_shorter() -> None:
    mine = Lying(ONE[: SIZE + 8000])
    assert parted(mine, Growing(ONE, grown=SIZE + 8000), standpoint(SIZE + 96)) is None
    still = parted(mine, Growing(ONE, grown=SIZE + 400), standpoint(SIZE + 96))
    assert still == Parted(1, SIZE + 400, SIZE + 8000, SIZE + 400)


def test_a_standby_may_be_behind() -> None:
    here = replace(standpoint(SIZE), standby=True)
    assert parted(Lying(ONE), Server(ONE[:SIZE]), here) is None


@pytest.mark.parametrize(
    ("at", "first"), [(0, 0), (7, 0), (8, 8), (65_536, 65_536), (99_999, 99_992)]
)
def test_the_first_difference_is_where_a_record_may_begin(at: int, first: int) -> None:
    other = ONE[:at] + b"\0" + ONE[at + 1 : 100_000]
    assert parting.difference(ONE, other) == first
    assert parting.difference(ONE, ONE[:at]) is None


def test_what_the_loss_of_power_took_from_a_receiver_is_no_other_history() -> None:
    lost = range(SIZE - 2048, SIZE - 1024)
    torn = bytes(0 if at in lost else byte for at, byte in enumerate(ONE[: SIZE + 8192]))
    assert parting.difference(torn, ONE) is None
    assert parted(Lying(torn), Server(ONE), standpoint(len(ONE))) is None
    tail = parting.tail(torn[:SIZE], 0, SIZE)
    assert tail.begin % 512 == 0
    assert not replace(tail, content=b"\0" * 9000 + b"x").is_enough


# ------------------------------------------------------------------------------ the guard's look


def looked(parting: Parting, seen: ServerSeen, shipped: Shipped) -> Look:
    return parting.look(replace(GOOD, seen=seen, shipped={"main": shipped}))


def test_a_server_that_is_behind_what_others_had_before_went_back() -> None:
    parting = Parting(the_log())
    shipped = Shipped(NOON, 1, 1100, system=SEEN.system)  # looked at a little later than the server
    assert not looked(parting, SEEN, shipped).parted
    assert not looked(parting, replace(SEEN, flushed=1100), shipped).parted
    # A standby may be behind; it is no matter how far it is.
    assert not looked(parting, replace(SEEN, flushed=300, recovering=True), shipped).parted
    back = looked(parting, replace(SEEN, flushed=300, senders=()), shipped)
    assert back.parted == {"server": Parted(1, 300, 1100, 300)}
    assert back.held_by_repositories == {"main": None}
    # It is told until it has another timeline, however much it writes.
    assert looked(parting, replace(SEEN, flushed=9000), shipped).parted
    other = looked(parting, replace(SEEN, timeline=2, flushed=9100), shipped)
    assert not other.parted
    # What a repository has of the old one says nothing of the new one.
    assert other.held_by_repositories == {"main": None}
    new = looked(parting, replace(SEEN, timeline=2, flushed=9200), replace(shipped, timeline=2))
    assert new.held_by_repositories == GOOD.held_by_repositories


def test_what_is_of_another_history_says_nothing_while_the_server_is_silent_either() -> None:
    parting = Parting(the_log())
    shipped = Shipped(NOON, 1, 1100, system=SEEN.system)

    def silent(shipped: Shipped) -> Look:
        return parting.look(replace(GOOD, seen=None, shipped={"main": shipped}))

    assert not looked(parting, replace(SEEN, flushed=1100), shipped).parted
    assert silent(shipped).held_by_repositories == GOOD.held_by_repositories
    # Beats of what it writes since lie before the end of what a repository has of before.
    assert looked(parting, replace(SEEN, flushed=300, senders=()), shipped).parted
    assert silent(shipped).parted
    assert silent(shipped).held_by_repositories == {"main": None}
    assert not looked(parting, replace(SEEN, timeline=2, flushed=900), shipped).parted
    assert silent(shipped).held_by_repositories == {"main": None}
    assert silent(replace(shipped, timeline=2)).held_by_repositories == GOOD.held_by_repositories


def test_what_lands_between_two_looks_is_no_going_back() -> None:
    parting = Parting(the_log())
    first = replace(GOOD, shipped={"main": Shipped(NOON, 1, 1000, system=SEEN.system)})
    assert not parting.look(first).parted
    for end in (1100, 1200):
        landed = replace(first, shipped={"main": Shipped(NOON, 1, end, system=SEEN.system)})
        assert not parting.told(landed).parted
    assert not parting.look(replace(landed, seen=replace(SEEN, flushed=1200))).parted


def test_a_new_server_in_the_place_of_the_old_one_went_nowhere() -> None:
    parting = Parting(the_log())
    shipped = Shipped(NOON, 1, 1100, system=SEEN.system)
    assert not looked(parting, SEEN, shipped).parted
    for flushed in (300, 400):
        another = looked(parting, replace(SEEN, system="2", flushed=flushed, senders=()), shipped)
        assert not another.parted
        assert another.held_by_repositories == {"main": None}


# ------------------------------------------------------------------------------ moments


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def spans(*parts: tuple[float, float]) -> list[Span]:
    return [Span(minute(begin), minute(end)) for begin, end in parts]


@pytest.mark.parametrize(
    ("left", "share", "picked"),
    [
        ([], 0.5, 5),
        ([(2, 6)], 0, 0),
        ([(2, 6)], 0.3, 1.8),
        ([(2, 6)], 0.5, 7),
        ([(2, 6)], 0.99, 9.94),
        ([(4, 8), (2, 6)], 0.75, 9),
        ([(-5, 4)], 0, 4),
        ([(8, 20)], 0.5, 4),
        ([(-5, 20)], 0.5, None),
        ([(-5, -2)], 0.5, 5),
    ],
)
def test_no_moment_is_picked_that_was_left(
    left: list[tuple[float, float]], share: float, picked: float | None
) -> None:
    (whole,) = spans((0, 10))
    found = moments.pick(whole, spans(*left), share)
    assert found == (None if picked is None else minute(picked))
    assert found is None or not moments.is_left(found, spans(*left))


def test_nothing_can_be_picked_of_no_time() -> None:
    assert moments.pick(Span(minute(1), minute(1)), [], 0.5) is None
    assert moments.pick(Span(minute(2), minute(1)), [], 0.5) is None


def test_what_was_left_lies_between_the_commits_around_the_place_where_it_began_anew() -> None:
    (whole,) = spans((0, 60))
    commits = [(minute(5), 100), (minute(9), 200), (minute(40), 300), (minute(41), 400)]
    assert moments.span(commits, 250, whole) == Span(minute(9), minute(40))
    assert moments.span(commits, 300, whole) == Span(minute(9), minute(40))
    assert moments.span(commits[2:], 250, whole) == Span(minute(0), minute(40))
    assert moments.span(commits[:2], 250, whole) == Span(minute(9), minute(60))


def test_a_server_began_anew_at_each_switch_and_where_it_wrote_twice() -> None:
    parents = {2: (1, 5 * WHOLE + 300), 3: (2, 7 * WHOLE + 300)}
    log = held(*row(1, 1, 5), *row(2, 5, 7), *row(3, 7, 8), parents=parents)
    log = replace(log, left={1: 3 * WHOLE, 2: 7 * WHOLE + 400, 9: WHOLE})
    found = wal.chain(log, 1, WHOLE, WHOLE)
    places = (3 * WHOLE, 5 * WHOLE + 300, 7 * WHOLE + 300)
    assert moments.began_anew(found, log, WHOLE) == places
    assert moments.began_anew(replace(found, end=5 * WHOLE), log, WHOLE) == places[:1]
    # What lies before a base copy is no matter of those that are younger.
    assert moments.began_anew(found, log, 5 * WHOLE + 300) == places[2:]
