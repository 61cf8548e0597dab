"""What follows from answers: states, flips, incidents, and whose fault it is."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsd.model import CheckId, CheckResult, Maintenance, Measurement, Status
from opsd.policy.blame import Blame, Side
from opsd.policy.judging import Rule
from opsd.store import Cases, Watch
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.notebook import Answers

BEGAN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
LONG_AGO = BEGAN - timedelta(days=1)
INTERVAL = timedelta(seconds=15)
REACH, DISK, LOAD = CheckId("db1", "reach"), CheckId("db1", "disk"), CheckId("db1", "load")
WORDS = {"o": Status.OK, "w": Status.WARNING, "c": Status.CRITICAL, "u": Status.UNKNOWN}


class Scene:
    """A ledger and a clock; answers are letters, one an interval."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.now = BEGAN
        self.disturbing: frozenset[str] = frozenset()
        self.open()

    def open(self) -> None:
        self.cases = Cases(self.place / "opsd.sqlite")
        self.watch = Watch(self.place / "watch.sqlite")
        self.set_by = timedelta()
        self.ledger = Ledger(self.cases, self.watch, lambda _: self.disturbing, self.step)
        self.ledger.adopt(
            {
                ("db1", "reach"): Rule(INTERVAL),
                ("db1", "disk"): Rule(INTERVAL, explained_by=(REACH,)),
                ("db1", "load"): Rule(
                    INTERVAL, explained_by=(REACH,), disturbed_by=frozenset({"backup"})
                ),
            },
            self.now,
        )

    def close(self) -> None:
        self.ledger.close()
        self.cases.close()
        self.watch.close()

    def set_clock(self, by: timedelta) -> None:
        self.set_by, self.now = by, self.now + by

    def step(self) -> timedelta:
        by, self.set_by = self.set_by, timedelta()
        return by

    def answer(self, one: CheckId, letter: str, disks: frozenset[str] = frozenset()) -> None:
        status = WORDS[letter]
        cause = "" if status is Status.OK else "broken"
        results = [
            CheckResult(
                status,
                "check.load",
                {"load": 1.0, "processors": 1},
                cause=cause,
                subject=one.subject,
                measurements=(Measurement("opsd_host_load1", 1.0),),
                disks=disks,
            )
        ]
        self.ledger.take(
            Answers(one.host, one.check, self.now, results, {"opsd_host_load1": 2 * INTERVAL})
        )

    def play(self, **letters: str) -> None:
        """Each check's answers beside each other; a space is no answer."""
        for column in zip(*letters.values(), strict=True):
            for check, letter in zip(letters, column, strict=True):
                if letter != " ":
                    self.answer(CheckId("db1", check), letter)
            self.ledger.age(self.now)
            self.now += INTERVAL

    def status(self, one: CheckId) -> Status:
        return next(state.status for state in self.ledger.states() if state.id == one)

    @property
    def flips(self) -> list[str]:
        return [f"{flip.id.check}:{flip.after.word}" for flip in self.cases.flips(LONG_AGO)]

    @property
    def incidents(self) -> list[str]:
        return [
            f"{case.id.check}:{'closed' if case.closed_at else 'open'}"
            for case in reversed(self.cases.incidents(BEGAN))
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    found = Scene(tmp_path)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("answers", "status", "flips", "incidents"),
    [
        ("ooo", "o", [], []),
        ("oco", "o", [], []),
        ("occ", "c", ["disk:critical"], ["disk:open"]),
        ("cc", "c", ["disk:critical"], ["disk:open"]),
        ("owc", "w", ["disk:warning"], []),
        ("owcc", "c", ["disk:warning", "disk:critical"], ["disk:open"]),
        ("occoco", "c", ["disk:critical"], ["disk:open"]),
        ("occoo", "o", ["disk:critical", "disk:ok"], ["disk:closed"]),
        ("occww", "w", ["disk:critical", "disk:warning"], ["disk:closed"]),
        ("ouu", "u", ["disk:unknown"], []),
        ("occuuoo", "o", ["disk:critical", "disk:unknown", "disk:ok"], ["disk:closed"]),
        (
            "occoocc",
            "c",
            ["disk:critical", "disk:ok", "disk:critical"],
            ["disk:closed", "disk:open"],
        ),
    ],
)
def test_a_status_needs_answers_in_a_row(
    scene: Scene, answers: str, status: str, flips: list[str], incidents: list[str]
) -> None:
    scene.play(disk=answers)
    assert scene.status(DISK) is WORDS[status]
    assert scene.flips == flips
    assert scene.incidents == incidents


def test_what_never_answered_well_is_not_green(scene: Scene) -> None:
    scene.play(disk="c")
    assert scene.status(DISK) is Status.UNKNOWN


def test_a_dead_host_is_one_incident_whoever_notices_first(scene: Scene) -> None:
    scene.play(reach="oo  ccc", disk="ooccccc", load="ooocccc")
    assert scene.incidents == ["reach:open"]


def test_silence_behind_a_dead_host_is_no_flip_of_its_own(scene: Scene) -> None:
    scene.play(reach="oocccccccooo", disk="oo       ooo", load="oo       ooo")
    assert scene.flips == ["reach:critical", "reach:ok"]
    assert scene.incidents == ["reach:closed"]
    assert scene.status(DISK) is Status.OK


def test_silence_that_nothing_explains_is_told_once_and_never_green(scene: Scene) -> None:
    scene.play(reach="oooooooo", disk="oo      ", load="oooooooo")
    assert scene.status(DISK) is Status.UNKNOWN
    assert scene.flips == ["disk:unknown"]


def test_a_fault_that_outlives_the_one_that_explained_it_becomes_an_incident(scene: Scene) -> None:
    scene.play(reach="occcooo", disk="occcccc")
    assert scene.incidents == ["reach:closed", "disk:open"]


def test_a_good_answer_opens_no_incident_when_what_explained_the_bad_ones_is_over(
    scene: Scene,
) -> None:
    scene.play(reach="occcoooo", disk="occccooo")
    assert scene.incidents == ["reach:closed"]
    assert scene.flips == ["reach:critical", "disk:critical", "reach:ok", "disk:ok"]


def test_what_was_asked_before_the_host_came_back_is_asked_again(scene: Scene) -> None:
    """A probe that waited for a dead host may tell of it after the host has been heard."""
    scene.play(reach="occco", disk="occcc")
    scene.answer(REACH, "o")
    scene.now -= INTERVAL / 2
    scene.answer(DISK, "c")
    assert scene.incidents == ["reach:closed"]
    scene.now += INTERVAL
    scene.play(reach="o", disk="c")
    assert scene.incidents == ["reach:closed", "disk:open"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_makes_nothing_older_and_nothing_younger(
    scene: Scene, hours: int
) -> None:
    scene.play(reach="oo", disk="oo", load="oo")
    scene.set_clock(hours * timedelta(hours=1))
    scene.play(reach="o", disk=" ", load="o")
    assert scene.flips == []
    scene.play(reach="oooo", disk="    ", load="oooo")
    assert scene.flips == ["disk:unknown"]


def test_a_fault_is_not_waited_for_because_the_clock_was_set_back(scene: Scene) -> None:
    scene.play(reach="o", disk="c")
    scene.set_clock(-timedelta(hours=1))
    scene.play(reach="oo", disk="cc")
    assert scene.ledger.states()
    assert [case.id.check for case in scene.cases.incidents()] == ["disk"]


SDA, LV = frozenset({"sda"}), frozenset({"sda", "dm-0"})


def tell_of_disks(scene: Scene, **letters: str) -> None:
    """Two checks of one disk: each column is an interval."""
    for disk, load in zip(letters["disk"], letters["load"], strict=True):
        scene.answer(DISK, disk, SDA)
        scene.answer(LOAD, load, LV)
        scene.now += INTERVAL


def test_what_two_checks_say_of_one_disk_is_one_incident_as_long_as_either_says_it(
    scene: Scene,
) -> None:
    tell_of_disks(scene, disk="occcccc", load="ooocccc")
    assert scene.incidents == ["disk:open"]
    codes = {state.incident for state in scene.ledger.states()}
    assert len(codes) == 1
    scene.close()
    scene.open()
    tell_of_disks(scene, disk="ooo", load="ccc")
    assert scene.incidents == ["disk:open"]
    tell_of_disks(scene, disk="ooo", load="ooo")
    assert scene.incidents == ["disk:closed"]


def test_other_disks_are_other_incidents(scene: Scene) -> None:
    for letter in "occ":
        scene.answer(DISK, letter, SDA)
        scene.answer(LOAD, letter, frozenset({"sdb"}))
        scene.now += INTERVAL
    assert scene.incidents == ["disk:open", "load:open"]


def test_an_incident_bears_who_has_to_act_said_once(scene: Scene) -> None:
    assert scene.ledger.unblamed(DISK) == ""
    scene.play(reach="occ", disk="   ", load="   ")
    code = scene.ledger.unblamed(REACH)
    scene.ledger.blame(code, Blame(Side.ROAD, "blame.links", {"names": ["main"]}), scene.now)
    assert scene.ledger.unblamed(REACH) == ""
    (incident,) = scene.cases.incidents()
    assert incident.side == "road"
    assert incident.because is not None
    assert incident.because.fields == {"names": ["main"]}
    scene.close()
    scene.open()
    assert scene.ledger.unblamed(REACH) == ""


def test_maintenance_keeps_a_fault_from_being_an_incident_until_it_ends(scene: Scene) -> None:
    scene.cases.start_maintenance(
        Maintenance("m1", BEGAN, BEGAN + 4 * INTERVAL, "new disk", "made-up admin", host="db1")
    )
    scene.play(disk="cccc")
    assert (scene.incidents, scene.status(DISK)) == ([], Status.CRITICAL)
    assert scene.ledger.states()[0].silent == "maintenance"
    scene.play(disk="cc")
    assert scene.incidents == ["disk:open"]


def test_a_backup_mutes_what_it_disturbs_and_nothing_else_until_it_ends(scene: Scene) -> None:
    scene.disturbing = frozenset({"backup"})
    scene.play(disk="ccc", load="ccc")
    assert scene.incidents == ["disk:open"]
    scene.disturbing = frozenset()
    scene.play(disk="c", load="c")
    assert sorted(scene.incidents) == ["disk:open", "load:open"]


def test_a_restart_forgets_nothing(scene: Scene) -> None:
    scene.play(disk="occ", load="ooo")
    scene.close()
    scene.open()
    assert scene.status(DISK) is Status.CRITICAL
    scene.play(disk="c")
    assert scene.incidents == ["disk:open"]
    scene.play(disk="oo")
    assert scene.incidents == ["disk:closed"]


def test_the_state_may_be_lost_and_the_incident_is_still_closed_once(scene: Scene) -> None:
    scene.play(disk="occ")
    scene.close()
    for file in scene.place.glob("watch.sqlite*"):
        file.unlink()
    scene.open()
    scene.play(disk="cccoo")
    assert scene.incidents == ["disk:closed"]


def test_a_check_that_is_asked_no_more_takes_its_incident_along(scene: Scene) -> None:
    scene.play(disk="occ")
    scene.ledger.adopt({("db1", "load"): Rule(INTERVAL)}, scene.now)
    assert scene.incidents == ["disk:closed"]
    scene.ledger.close()
    assert not scene.watch.states()


def test_the_timeline_is_exact_to_an_interval_and_shows_where_nobody_looked(scene: Scene) -> None:
    scene.play(disk="ooccoo")
    scene.now += timedelta(minutes=10)
    scene.play(disk="oo")
    found = [
        (s.status.word, (s.began - BEGAN) / INTERVAL, (s.ended - BEGAN) / INTERVAL)
        for s in scene.watch.stretches(DISK, BEGAN)
    ]
    assert found == [("ok", 0, 1), ("critical", 1, 3), ("ok", 3, 5), ("ok", 46, 47)]


def test_kept_measurements_keep_their_distance(scene: Scene) -> None:
    scene.play(disk="ooooo")
    samples = scene.watch.series("db1", "opsd_host_load1", {}, BEGAN)
    assert [(at - BEGAN) / INTERVAL for at, _ in samples] == [0, 2, 4]


def test_old_samples_are_thinned_and_the_newest_are_left(scene: Scene) -> None:
    for _ in range(400):
        scene.answer(DISK, "o")
        scene.now += timedelta(minutes=30)
    scene.ledger.close()
    scene.watch.thin(scene.now)
    at = [moment for moment, _ in scene.watch.series("db1", "opsd_host_load1", {}, BEGAN)]
    old = [moment for moment in at if scene.now - moment > timedelta(days=2)]
    assert len(at) - len(old) == 96
    assert {b - a for a, b in itertools.pairwise(old)} == {timedelta(hours=1)}


def test_a_subject_that_vanishes_is_unknown_and_forgotten_after_a_day(scene: Scene) -> None:
    both = [
        CheckResult(Status.OK, "check.load", {"load": 1, "processors": 1}, subject=subject)
        for subject in ("/", "/srv")
    ]
    for _ in range(3):
        scene.ledger.take(Answers("db1", "disk", scene.now, both))
        scene.now += INTERVAL
    for _ in range(3):
        scene.ledger.take(Answers("db1", "disk", scene.now, both[:1]))
        scene.now += INTERVAL
    assert scene.status(CheckId("db1", "disk", "/srv")) is Status.UNKNOWN
    scene.now += timedelta(days=1)
    scene.ledger.take(Answers("db1", "disk", scene.now, both[:1]))
    assert [state.id.subject for state in scene.ledger.states()] == ["/"]


def test_answers_are_counted_by_cause(scene: Scene) -> None:
    scene.play(disk="ooccc")
    assert scene.watch.counts() == {("db1", "disk", ""): 2, ("db1", "disk", "broken"): 3}
