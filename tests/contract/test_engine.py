"""What the engine promises, asked of it on a SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.clock import now
from opsd.drivers.process import Stop
from opsd.engine import Engine, Pace, Work
from opsd.errors import Cancelled, Refused, StorageFailed
from opsd.store import Claims, End, Place, Server
from tests.sharing import Scene, share
from tests.stores import Stores

pytestmark = pytest.mark.xdist_group("stores")

AT = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
WORK = Work("night", "dossiers", AT)
# As the real one, ten times as fast.
QUICK = Pace(timedelta(seconds=0.5), timedelta(seconds=4), timedelta(seconds=7))
PATIENCE = 30.0


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, stores: Stores) -> Place:
    return stores.fresh() if request.param == "postgresql" else tmp_path / "opsd.sqlite"


@pytest.fixture
def shared(stores: Stores) -> Server:
    return stores.fresh()


class Node:
    """A daemon as the store sees it: it may die, or fall silent, and what it heard is kept."""

    def __init__(self, place: Place, home: Path, name: str = "srv") -> None:
        home.mkdir(exist_ok=True)
        self.claims = Claims(place)
        self.stop = Stop()
        self.left: list[str] = []
        self.engine = Engine(self.claims, now, self.stop, tries=3, pace=QUICK)
        self.name, self.home = name, home

    def begin(self) -> Node:
        self.engine.begin(self.name, self.home, self.left.append)
        return self

    def die(self) -> None:
        """Be there no more, without a word."""
        self.engine._ended.set()
        if self.engine._pulse is not None:
            self.engine._pulse.join()
        self.claims.close()


@contextmanager
def node(place: Place, home: Path, name: str = "srv") -> Iterator[Node]:
    made = Node(place, home, name)
    try:
        yield made.begin()
    finally:
        made.engine.end()


def eventually(question: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if question():
            return
        time.sleep(0.05)
    pytest.fail(f"never: {what}")


def ends(claims: Claims, work: Work = WORK) -> list[End | None]:
    return [end for _, _, end in claims.attempts(work.id)]


def test_work_is_known_by_task_target_and_slot_and_sorts_by_it() -> None:
    later = Work("night", "dossiers", AT + timedelta(days=1))
    assert WORK.id == "night:dossiers:20261123T183000.000000Z"
    assert WORK.id < later.id


def test_a_slot_is_done_once_and_wanted_no_more(place: Place, tmp_path: Path) -> None:
    with node(place, tmp_path / "a") as one:
        assert one.engine.wants(WORK, untried=True)
        assert not one.engine.wants(WORK, untried=False)
        with one.engine.attempt(WORK) as attempt:
            assert attempt is not None
            assert attempt.claim.before is None
            with one.engine.attempt(WORK) as beside:
                assert beside is None
            attempt.finish()
        assert not one.engine.wants(WORK, untried=True)
        with one.engine.attempt(WORK) as again:
            assert again is None
        assert ends(one.claims) == [End.DONE]


def test_after_a_crash_the_next_life_at_that_home_goes_on_at_once(
    place: Place, tmp_path: Path
) -> None:
    first = Node(place, tmp_path / "a").begin()
    with first.engine.attempt(WORK) as attempt:
        assert attempt is not None
        first.die()
    with node(place, tmp_path / "a") as second:
        assert second.engine.wants(WORK, untried=False)
        with second.engine.attempt(WORK) as again:
            assert again is not None
            assert again.claim.attempt == 2
            assert again.claim.before is not None
            assert again.claim.before.name == "srv"
            again.finish()
        assert ends(second.claims) == [None, End.DONE]


def test_what_is_cut_short_again_and_again_is_given_up_and_that_is_told(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with node(place, tmp_path / "a") as one:
        for number in (1, 2, 3):
            with one.engine.attempt(WORK) as attempt:
                assert attempt is not None
                assert attempt.claim.attempt == number
        with one.engine.attempt(WORK) as attempt:
            assert attempt is None
        assert "cut short 3 times: given up" in caplog.text
        assert ends(one.claims) == [None, None, End.GIVEN_UP]
        assert not one.engine.wants(WORK, untried=True)


def test_what_was_lost_before_it_began_does_not_count(place: Place, tmp_path: Path) -> None:
    with node(place, tmp_path / "a") as one:
        for _ in range(5):
            with one.engine.attempt(WORK) as attempt:
                assert attempt is not None
                attempt.lose()
        assert one.engine.wants(WORK, untried=False)
        with one.engine.attempt(WORK) as attempt:
            assert attempt is not None
            assert attempt.claim.before is None
            attempt.finish()


def test_the_next_slot_ends_what_was_cut_short_of_the_one_before(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = Work("night", "dossiers_2", AT)
    with node(place, tmp_path / "a") as one:
        for work in (WORK, other):
            with one.engine.attempt(work):
                pass
        with one.engine.attempt(Work("night", "dossiers", AT + timedelta(days=1))) as attempt:
            assert attempt is not None
            attempt.finish()
        assert (ends(one.claims), ends(one.claims, other)) == ([End.PASSED], [None])
        assert "the next slot came first" in caplog.text


def test_who_ends_in_order_leaves_what_is_not_done_to_the_next(
    place: Place, tmp_path: Path
) -> None:
    with node(place, tmp_path / "a") as one, one.engine.attempt(WORK):
        one.stop.request()
    with node(place, tmp_path / "a") as two, two.engine.attempt(WORK) as attempt:
        assert attempt is not None
        assert attempt.claim.attempt == 2


def test_a_history_that_does_not_answer_is_told_and_nothing_stays_claimed(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node(place, tmp_path / "a") as one:
        with monkeypatch.context() as broken:

            def fail(*_: object) -> None:
                raise StorageFailed("store.failed", path=place, detail="locked")

            broken.setattr(Claims, "take", fail)
            with pytest.raises(StorageFailed), one.engine.attempt(WORK):
                pytest.fail("it was claimed")
        with one.engine.attempt(WORK) as attempt:
            assert attempt is not None


# ---------------------------------------------------------------------------- several nodes


def test_of_two_nodes_one_does_it(shared: Server, tmp_path: Path) -> None:
    with node(shared, tmp_path / "a", "one") as one, node(shared, tmp_path / "b", "two") as two:
        with one.engine.attempt(WORK) as attempt:
            assert attempt is not None
            with two.engine.attempt(WORK) as other:
                assert other is None
            attempt.finish()
        with two.engine.attempt(WORK) as other:
            assert other is None


def test_what_another_node_does_still_is_not_passed_over_by_the_next_slot(
    shared: Server, tmp_path: Path
) -> None:
    later = Work("night", "dossiers", AT + timedelta(days=1))
    with node(shared, tmp_path / "a", "one") as one, node(shared, tmp_path / "b", "two") as two:
        with one.engine.attempt(WORK) as attempt:
            assert attempt is not None
            with two.engine.attempt(later) as other:
                assert other is not None
                other.finish()
            attempt.finish()
        with two.engine.attempt(WORK) as again:
            assert again is None


def test_many_nodes_that_fire_at_once_do_each_slot_once(shared: Server, tmp_path: Path) -> None:
    works = [Work("night", "dossiers", AT + timedelta(minutes=n)) for n in range(12)]
    done: list[str] = []

    def fire(one: Node) -> None:
        left, end = list(works), time.monotonic() + PATIENCE
        while left and time.monotonic() < end:  # a node that was slow comes back as a new one
            for work in tuple(left):
                with suppress(Cancelled), one.engine.attempt(work) as attempt:
                    if attempt is not None:
                        attempt.finish()
                        done.append(work.id)
                if not one.engine.wants(work, untried=True):
                    left.remove(work)

    nodes = [Node(shared, tmp_path / f"n{n}", f"n{n}").begin() for n in range(3)]
    threads = [threading.Thread(target=fire, args=(one,)) for one in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in nodes:
        one.engine.end()
    assert sorted(done) == sorted(work.id for work in works)


def test_two_nodes_share_slots_and_one_is_killed_again_and_again(
    stores: Stores, tmp_path: Path
) -> None:
    """The short form of `tests/soak/test_nodes.py`."""
    shared = share(stores, tmp_path, Scene(slots=40, kills=2))
    assert shared.wrong == []
    assert shared.kills == 2
    assert shared.cut_short > 0


def test_a_node_that_dies_is_taken_over_in_time(shared: Server, tmp_path: Path) -> None:
    dead = Node(shared, tmp_path / "a", "one").begin()
    with node(shared, tmp_path / "b", "two") as two, dead.engine.attempt(WORK) as attempt:
        assert attempt is not None
        dead.die()
        life = dead.engine._life
        assert life is not None
        eventually(lambda: WORK.id in two.left, "that the work is left")
        assert time.monotonic() - life.heard >= QUICK.gone.total_seconds() - 0.05
        with two.engine.attempt(WORK) as again:
            assert again is not None
            assert again.claim.before is not None
            assert again.claim.before.name == "one"
            again.finish()
        assert two.left == [WORK.id]  # told once


def test_the_real_pace_takes_over_within_a_minute() -> None:
    pace = Pace()
    assert pace.gone + 2 * pace.beat < timedelta(minutes=1)
    # In between a node that cannot be heard has ended its programs and failed to beat twice.
    assert pace.gone - pace.stopped >= 2 * pace.beat
    assert pace.stopped >= 2 * pace.beat


def test_a_node_that_cannot_be_heard_stops_before_the_others_go_on(
    shared: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Node(shared, tmp_path / "a", "one")

    def cut_off(*_: object) -> bool:
        raise StorageFailed("store.failed", path=shared, detail="no route to host")

    one.begin()
    with node(shared, tmp_path / "b", "two") as two, one.engine.attempt(WORK) as attempt:
        assert attempt is not None
        monkeypatch.setattr(one.claims, "beat", cut_off)
        stop = attempt.stop
        eventually(lambda: two.left, "that the work is left")
        assert stop.requested, "the others go on while it still works"
        with two.engine.attempt(WORK) as again:
            assert again is not None
            with pytest.raises(Cancelled) as caught:  # what it still says is worth nothing
                attempt.finish()
            assert caught.value.key == "engine.given_up"
            again.finish()
    monkeypatch.undo()
    eventually(lambda: not one.engine.silent, "that it comes back as a new node")
    with one.engine.attempt(WORK) as attempt:
        assert attempt is None
    one.engine.end()


def test_a_pause_that_nobody_used_costs_the_work_and_no_more(
    shared: Server, tmp_path: Path, stores: Stores
) -> None:
    """The server itself was away: nobody could go on with the work, and it is begun again here."""
    with node(shared, tmp_path / "a", "one") as one:
        with one.engine.attempt(WORK) as attempt:
            assert attempt is not None
            stop = attempt.stop
            stores.cluster.stop()
            eventually(lambda: stop.requested, "that its work shall stop")
            stores.cluster.start()
            eventually(lambda: not one.engine.silent, "that it is heard again")
        with one.engine.attempt(WORK) as again:
            assert again is not None
            assert again.claim.attempt == 2
            again.finish()


def test_two_nodes_of_one_name_are_refused_and_one_that_is_gone_is_not_in_the_way(
    shared: Server, tmp_path: Path
) -> None:
    first = Node(shared, tmp_path / "a", "one").begin()
    second = Node(shared, tmp_path / "b", "one")
    with pytest.raises(Refused) as caught:
        second.begin()
    assert caught.value.key == "engine.name_taken"
    assert "another node called one is alive on postgresql://" in str(caught.value)
    first.die()
    time.sleep(QUICK.gone.total_seconds())
    second.begin()
    second.engine.end()


def test_the_node_that_is_there_longest_does_what_one_alone_is_to_do(
    shared: Server, tmp_path: Path
) -> None:
    first = Node(shared, tmp_path / "a", "one").begin()
    with node(shared, tmp_path / "b", "two") as second:
        eventually(lambda: first.engine.first, "that it is the first")
        time.sleep(2 * QUICK.beat.total_seconds())
        assert not second.engine.first
        first.die()
        eventually(lambda: second.engine.first, "that the second takes its place")


def test_a_node_alone_is_always_the_first(tmp_path: Path) -> None:
    with node(tmp_path / "opsd.sqlite", tmp_path / "a") as one:
        assert one.engine.first
        assert not one.engine.silent
