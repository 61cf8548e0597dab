"""The timetable fires what is due; the nights decide from the history what is done then."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from opsd import app, assembly
from opsd.clock import now
from opsd.config.load import parse
from opsd.config.schema import Config
from opsd.daemon.nights import Nights
from opsd.daemon.timetable import Timetable
from opsd.engine import Engine
from opsd.errors import StorageFailed
from opsd.metrics import Board
from opsd.model import Closing, Outcome, RecoveryPoint, Run, Task
from opsd.store import Claims, Store
from opsd.tasks.kit import Kit

PATIENCE = 30.0
TICK = timedelta(milliseconds=100)
CONFIG = """\
language: en
host: srv
timezone: UTC
state: {state}
repositories:
  main: {{url: /srv/main, password_file: /etc/opsd/password}}
  other: {{url: /srv/other, password_file: /etc/opsd/password}}
backup_sets:
"""
SET = """\
  {name}:
    repository: {repository}
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members: {{tree: {{kind: files, path: /srv/tree}}}}
"""


def configured(state: Path, **sets: str) -> Config:
    text = CONFIG.format(state=state)
    for name, repository in sets.items():
        text += SET.format(name=name, repository=repository)
    return parse(text)


@contextmanager
def timetable(work: Callable[[str], timedelta | None]) -> Iterator[Timetable]:
    made = Timetable(work, now, TICK)
    made.begin()
    try:
        yield made
    finally:
        made.end()


def due_in(span: timedelta) -> timezone:
    """A zone where it is 01:30 so much later than now."""
    at = now() + span
    local = timedelta(hours=1, minutes=30)
    clock = timedelta(
        hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond
    )
    ahead = local - clock
    return timezone(ahead if ahead > timedelta(days=-1) else ahead + timedelta(days=1))


def test_a_set_is_fired_when_it_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fired = threading.Event()
    zone = due_in(timedelta(seconds=5))
    monkeypatch.setattr(Config, "zone", property(lambda _: zone))
    began = now()
    with timetable(lambda name: fired.set()) as table:
        table.adopt(configured(tmp_path, one="main"), at_once=())
        planned = table.next_runs["one"]
        assert timedelta() < planned - began < timedelta(seconds=6)
        assert fired.wait(PATIENCE)
        assert now() >= planned
        assert table.ticking


def test_sets_of_one_repository_wait_in_line_and_others_do_not(tmp_path: Path) -> None:
    first, go, third = threading.Event(), threading.Event(), threading.Event()
    begun: list[str] = []

    def work(name: str) -> timedelta | None:
        begun.append(name)
        if name == "three":
            third.set()
        else:
            first.set()
            assert go.wait(PATIENCE)
        return None

    sets = {"one": "main", "two": "main", "three": "other"}
    with timetable(work) as table:
        table.adopt(configured(tmp_path, **sets), at_once=sets)
        assert first.wait(PATIENCE)
        assert third.wait(PATIENCE)
        assert len(begun) == 2
        go.set()
    assert sorted(begun) == ["one", "three", "two"]


def test_work_that_asks_for_it_is_fired_again_and_no_more_than_that(tmp_path: Path) -> None:
    begun, twice = [], threading.Event()

    def work(name: str) -> timedelta | None:
        begun.append(now())
        if len(begun) == 1:
            return timedelta(seconds=0.3)
        twice.set()
        return None

    with timetable(work) as table:
        table.adopt(configured(tmp_path, one="main"), at_once=("one",))
        assert twice.wait(PATIENCE)
        assert list(table.next_runs) == ["one"]
    assert begun[1] - begun[0] >= timedelta(seconds=0.3)
    assert len(begun) == 2


def test_a_new_configuration_leaves_what_did_not_change_alone(tmp_path: Path) -> None:
    with timetable(lambda name: None) as table:
        table.adopt(configured(tmp_path, one="main", two="main"), at_once=())
        before = table.next_runs
        table.adopt(configured(tmp_path, one="main", three="other"), at_once=())
        after = table.next_runs
    assert set(before) == {"one", "two"}
    assert set(after) == {"one", "three"}
    assert after["one"] == before["one"]


# ------------------------------------------------------------------------------ nights

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SLOT = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    store = Store(tmp_path / assembly.STORE)
    yield Kit(configured(tmp_path, one="main"), store, clock=lambda: NOW)
    store.close()


@contextmanager
def durably(kit: Kit) -> Iterator[Engine]:
    """One life of an engine."""
    engine = app.engine(kit)
    engine.begin("srv", kit.config.state, lambda _: None)
    try:
        yield engine
    finally:
        engine.end()


@pytest.fixture
def engine(kit: Kit) -> Iterator[Engine]:
    with durably(kit) as made:
        yield made


@pytest.fixture
def nights(kit: Kit, engine: Engine) -> Nights:
    return Nights(kit, lambda: kit.config, engine, Board())


Night = Callable[[Kit, str, datetime | None], dict[Task, bool]]


def recorded(outcome: Outcome, done: list[datetime | None]) -> Night:
    """A night that only writes down that it was."""

    def night(kit: Kit, name: str, slot: datetime | None) -> dict[Task, bool]:
        run = Run(f"run{len(done)}", Task.BACKUP, name, "main", kit.clock(), "srv", 1, slot)
        kit.store.open_run(run)
        kit.store.close_run(Closing(run.id, kit.clock(), outcome, timedelta()))
        done.append(slot)
        return {Task.BACKUP: outcome.good}

    return night


def test_the_slot_that_is_due_is_run_once(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime | None] = []
    monkeypatch.setattr(app, "night", recorded(Outcome.FAILED, done))
    for _ in range(3):
        nights.work("one")
    assert done == [SLOT]


def test_what_is_cut_short_again_and_again_is_left_until_tomorrow(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime | None] = []
    monkeypatch.setattr(app, "night", recorded(Outcome.INTERRUPTED, done))
    for _ in range(5):
        nights.work("one")
    assert done == [SLOT] * 3


def test_a_slot_that_falls_due_during_a_long_run_follows_it(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime | None] = []
    write = recorded(Outcome.SUCCEEDED, done)
    times = iter([NOW, NOW + timedelta(days=1)])
    moment = [NOW]

    def night(kit: Kit, name: str, slot: datetime | None) -> dict[Task, bool]:
        result = write(kit, name, slot)
        moment[0] = next(times) + timedelta(days=1)
        return result

    monkeypatch.setattr(app, "night", night)
    slow = Kit(kit.config, kit.store, clock=lambda: moment[0])
    with durably(slow) as engine:
        Nights(slow, lambda: kit.config, engine, Board()).work("one")
    assert done[:2] == [SLOT, SLOT + timedelta(days=1)]


def test_a_fault_of_opsd_itself_is_logged_and_ends_nothing(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def night(*_: object) -> dict[Task, bool]:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(app, "night", night)
    nights.work("one")
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line.exc_info is not None
    assert "a mistake of ours" in str(line.exc_info[1])


def test_a_slot_that_was_lost_is_tried_again_later_and_later_and_told_when_it_is_run(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[datetime | None] = []

    def gone(*_: object) -> dict[Task, bool]:
        raise StorageFailed("store.failed", path=kit.store.place, detail="the disk is gone")

    monkeypatch.setattr(app, "night", gone)
    waits = [nights.work("one") for _ in range(3)]
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4)]
    assert "lost 3 times, tried again in 0:04:00" in caplog.text
    monkeypatch.setattr(app, "night", recorded(Outcome.SUCCEEDED, done))
    assert nights.work("one") is None
    assert done == [SLOT]
    told = kit.store.evidence("run0", "lost")
    assert told is not None
    assert told["tries"] == 3
    assert "the disk is gone" in told["error"]


def test_a_history_that_does_not_answer_loses_no_slot(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime | None] = []
    monkeypatch.setattr(app, "night", recorded(Outcome.SUCCEEDED, done))
    with monkeypatch.context() as broken:

        def fired(*_: object) -> None:
            raise StorageFailed("store.failed", path=kit.store.place, detail="locked")

        broken.setattr(Store, "fired", fired)
        assert nights.work("one") == timedelta(minutes=1)
    assert done == []
    assert nights.work("one") is None
    assert done == [SLOT]


def test_a_run_whose_end_could_not_be_written_is_settled_and_tried_again(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime | None] = []

    def cut_off(kit: Kit, name: str, slot: datetime | None) -> dict[Task, bool]:
        run = Run("cut", Task.BACKUP, name, "main", kit.clock(), "srv", 1, slot)
        kit.store.open_run(run)
        raise StorageFailed("store.failed", path=kit.store.place, detail="locked")

    monkeypatch.setattr(app, "night", cut_off)
    assert nights.work("one") == timedelta(minutes=1)
    assert [c.outcome for _, c in kit.store.runs(Task.BACKUP, "one") if c] == [Outcome.INTERRUPTED]
    monkeypatch.setattr(app, "night", recorded(Outcome.SUCCEEDED, done))
    assert nights.work("one") is None
    assert done == [SLOT]


def test_after_the_end_was_asked_for_nothing_is_begun(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime | None] = []
    monkeypatch.setattr(app, "night", recorded(Outcome.SUCCEEDED, done))
    kit.stop.request()
    nights.work("one")
    assert done == []


# ------------------------------------------------------------------------------ a night goes on


def ran(kit: Kit, task: Task, outcome: Outcome) -> Closing:
    """A run of the slot that is due, and its end."""
    run = Run(f"{task}-{outcome}", task, "one", "main", NOW, "srv", 1, SLOT)
    kit.store.open_run(run)
    closing = Closing(run.id, NOW, outcome, timedelta())
    kit.store.close_run(closing)
    return closing


def test_a_night_that_was_cut_short_goes_on_behind_what_is_done(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash, on another node, under a newer opsd: the runs of the slot say what is done."""
    taken = ran(kit, Task.BACKUP, Outcome.SUCCEEDED)
    kit.store.add_point(RecoveryPoint(taken.run, "one", "main", "srv", NOW, (), complete=True))
    ran(kit, Task.PROVE, Outcome.INTERRUPTED)
    begun: list[str] = []

    def prove(on: Kit, name: str, point: str) -> SimpleNamespace:
        begun.append(point)
        assert (on.slot, name) == (SLOT, "one")
        return SimpleNamespace(closing=ran(kit, Task.PROVE, Outcome.PASSED))

    def cover(_: Kit, name: str) -> SimpleNamespace:
        begun.append(name)
        return SimpleNamespace(closing=ran(kit, Task.COVER, Outcome.PASSED))

    monkeypatch.setattr(app, "back_up", lambda *_: pytest.fail("it was backed up again"))
    monkeypatch.setattr(app, "prove", prove)
    monkeypatch.setattr(app, "cover", cover)
    monkeypatch.setattr("opsd.app.audit.verify", lambda *_: None)
    for _ in range(2):
        done = app.night(kit, "one", SLOT)
        assert done == {Task.BACKUP: True, Task.PROVE: True, Task.COVER: True}
    assert begun == [taken.run, "one"]


def test_a_claim_whose_end_could_not_be_written_repeats_nothing(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime | None] = []
    monkeypatch.setattr(app, "night", recorded(Outcome.FAILED, done))
    with monkeypatch.context() as broken:

        def end(*_: object) -> None:
            raise StorageFailed("store.failed", path=kit.store.place, detail="locked")

        broken.setattr(Claims, "end", end)
        assert nights.work("one") == timedelta(minutes=1)
    assert nights.due("one")
    monkeypatch.setattr(app, "night", lambda *_: {Task.BACKUP: False})  # all of it is done
    assert nights.work("one") is None
    assert not nights.due("one")
    assert done == [SLOT]


def test_a_slot_that_an_older_opsd_ran_before_there_were_claims_is_not_run_again(
    kit: Kit, nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "night", lambda *_: pytest.fail("it was run again"))
    ran(kit, Task.BACKUP, Outcome.SUCCEEDED)
    assert not nights.due("one")
    assert nights.work("one") is None
