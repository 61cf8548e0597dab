"""Looks go on beside each other, decisions one after the other; nobody waits for the slowest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from opsd.playbook import Facts, Occasion, Plan, say
from opsd.response import Response, Verdict
from opsd.tasks.respond.responding import Round
from tests.responding import Fixed, Scene, scene, touch

SAID = (say("check.gone"),)
PATIENCE = 60.0
HOSTS = tuple(f"h{number}" for number in range(8))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "state", {name: {} for name in HOSTS}) as made:
        yield made


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(len(HOSTS)) as made:
        yield made


def planning(mark: Path, before: Callable[[Occasion], None]) -> Fixed:
    """A playbook that looks for as long as `before` takes."""

    def plan(found: Occasion, facts: Facts) -> Plan:
        del facts
        before(found)
        return Plan(SAID, (touch(mark, host=found.host),))

    return Fixed(Plan(SAID), planning=plan)


def test_a_look_that_hangs_holds_up_no_other(
    place: Scene, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    hangs, done, begun = threading.Event(), threading.Event(), list[Response]()

    def before(found: Occasion) -> None:
        if found.host == "h0":
            assert hangs.wait(PATIENCE)

    def submit(one: Response) -> None:
        begun.append(one)
        done.set()

    place.use(fix=planning(tmp_path / "mark", before))
    first, other = place.incident("h0"), place.incident("h1")
    turn = Round(lambda: place.means, submit, pool.submit)
    try:
        turn.go()
        assert done.wait(PATIENCE), "it waited for the one that hangs"
        assert {one.occasion.incident for one in begun} == {other.code}
        turn.go()
        turn.go()
    finally:
        hangs.set()
    pool.shutdown()
    assert len(place.responses.responses_to(first.code)) == 1, "it was looked at once meanwhile"


def test_as_many_looks_go_on_together_as_there_are_places(
    place: Scene, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    together = threading.Barrier(len(HOSTS), timeout=PATIENCE)
    place.use(fix=planning(tmp_path / "mark", lambda _: void(together.wait())))
    codes = [place.incident(host).code for host in HOSTS]
    begun: list[Response] = []
    Round(lambda: place.means, begun.append, pool.submit).go()
    pool.shutdown()
    told = [place.responses.decisions(code)[-1].verdict for code in codes]
    assert told == [Verdict.STARTED] * len(HOSTS)
    assert len({one.id for one in begun}) == len(HOSTS)


def void(_: object) -> None:
    """Nothing more."""


def test_what_waits_for_its_turn_at_a_place_is_told(
    place: Scene, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    looks, told = threading.Event(), threading.Event()
    place.use(fix=planning(tmp_path / "mark", lambda _: void(looks.wait(PATIENCE))))
    place.incident("h0")
    place.incident("h0", check="units")
    turn = Round(lambda: place.means, lambda _: None, pool.submit, told.set)
    turn.go()
    looks.set()
    assert told.wait(PATIENCE)
