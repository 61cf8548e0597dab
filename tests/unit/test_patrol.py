"""A round to a host: what is asked when, and what follows from the answers, from start to end."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from checks import CHECKS
from opsd.check import Answer, Plain, Read, Round, Seen
from opsd.config.checks import Checks
from opsd.errors import TimedOut
from opsd.model import CheckId, CheckResult, Status
from opsd.policy.judging import Rule
from opsd.store import Cases, Watch
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.patrol import Alone, Patrol, Posted

BEGAN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Counting(Plain):
    """A check that shows what it was given."""

    letter: str
    disturbed_by: ClassVar[frozenset[str]] = frozenset({"backup"})

    def reads(self) -> tuple[Read, ...]:
        return (Read("shared", "echo 1"), Read(self.letter, f"echo {self.letter}"))

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        if self.letter == "x":
            raise ValueError("this check is broken")
        known = {"before": found.before is not None, **_texts(found.seen)}
        return (CheckResult(Status.OK, "check.load", known),)


def _texts(seen: Seen) -> dict[str, str]:
    return {name: answer.text for name, answer in seen.answers.items()}


@dataclass
class Scene:
    ledger: Ledger
    watch: Watch
    now: datetime = BEGAN
    asked: list[list[str]] = field(default_factory=list)
    dead: bool = False

    def ask(self, reads: Sequence[Read]) -> Seen:
        self.asked.append(sorted(read.name for read in reads))
        if self.dead:
            raise TimedOut("host.silent", host="db1")
        answers = {
            read.name: Answer(
                subprocess.run(
                    ["sh", "-c", read.script], capture_output=True, text=True, check=True
                ).stdout
            )
            for read in reads
        }
        return Seen(self.now, timedelta(milliseconds=5), answers)

    def posted(self, letter: str, seconds: int) -> Posted:
        return Posted(letter, Counting(letter), timedelta(seconds=seconds))

    def patrol(self, *posted: Posted) -> Patrol:
        return Patrol("db1", posted, self.ask, self.ledger, self.watch, lambda: self.now)

    def results(self) -> dict[str, CheckResult]:
        return {state.id.check: state.result for state in self.ledger.states()}


class Disturbing:
    """What goes on on the host, as the test says."""

    def __init__(self) -> None:
        self.on: frozenset[str] = frozenset()

    def __call__(self, host: str) -> frozenset[str]:
        return self.on

    @contextmanager
    def probing(self, host: str) -> Iterator[None]:
        yield


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    cases, watch = Cases(tmp_path / "opsd.sqlite"), Watch(tmp_path / "watch.sqlite")
    ledger = Ledger(cases, watch)
    rule = Rule(timedelta(seconds=15))
    ledger.adopt({("db1", check): rule for check in ("reach", "a", "b", "x", "load")}, BEGAN)
    yield Scene(ledger, watch)
    cases.close()
    watch.close()


def test_what_is_due_is_asked_together_and_a_shared_read_once(scene: Scene) -> None:
    patrol = scene.patrol(scene.posted("a", 15), scene.posted("b", 60))
    for _ in range(5):
        patrol.walk()
        scene.now += timedelta(seconds=15)
    both, one = ["a", "b", "shared"], ["a", "shared"]
    assert scene.asked == [both, one, one, one, both]
    assert patrol.interval == timedelta(seconds=15)


def test_a_round_that_comes_a_little_early_still_counts(scene: Scene) -> None:
    patrol = scene.patrol(scene.posted("a", 60), scene.posted("b", 15))
    for _ in range(5):
        patrol.walk()
        scene.now += timedelta(seconds=14.7)
    assert [name for names in scene.asked for name in names].count("a") == 2


def test_a_check_sees_what_it_saw_before(scene: Scene) -> None:
    patrol = scene.patrol(scene.posted("a", 15))
    patrol.walk()
    assert scene.results()["a"].fields["before"] is False
    scene.now += timedelta(seconds=15)
    patrol.walk()
    assert scene.results()["a"].fields["before"] is True


def test_a_check_that_fails_itself_is_unknown_and_harms_no_other(scene: Scene) -> None:
    scene.patrol(scene.posted("x", 15), scene.posted("a", 15)).walk()
    found = scene.results()
    assert (found["x"].status, found["x"].cause) == (Status.UNKNOWN, "internal")
    assert found["a"].status is Status.OK


def test_a_host_that_does_not_answer_is_told_by_its_way_alone(scene: Scene) -> None:
    patrol = scene.patrol(scene.posted("a", 15))
    scene.dead = True
    patrol.walk()
    assert {name: result.cause for name, result in scene.results().items()} == {"reach": "timeout"}
    scene.dead = False
    scene.now += timedelta(seconds=15)
    patrol.walk()
    assert scene.results()["reach"].status is Status.OK


def test_a_loading_check_waits_for_a_backup_and_is_not_asked_again_after_a_restart(
    scene: Scene,
) -> None:
    disturbances = Disturbing()
    slow = scene.posted("a", 6 * 3600)

    def alone() -> Alone:
        return Alone(
            "db1",
            (slow,),
            scene.ask,
            scene.ledger,
            scene.watch,
            lambda: scene.now,
            disturbances=disturbances,
        )

    patrol = alone()
    disturbances.on = frozenset({"backup"})
    patrol.walk()
    assert scene.asked == []
    disturbances.on = frozenset()
    patrol.walk()
    scene.now += timedelta(hours=1)
    patrol.walk()
    alone().walk()
    assert len(scene.asked) == 1
    assert "reach" not in scene.results()
    assert patrol.interval == timedelta(minutes=5)
    scene.now += timedelta(hours=5)
    patrol.walk()
    assert len(scene.asked) == 2


def test_every_check_of_the_table_has_its_options_and_every_group_of_options_a_check() -> None:
    assert set(CHECKS) == set(Checks.model_fields)


def test_a_real_machine_is_judged(scene: Scene) -> None:
    load = CHECKS["load"](Checks().options("load"))
    scene.patrol(Posted("load", load, timedelta(seconds=15))).walk()
    state = next(state for state in scene.ledger.states() if state.id == CheckId("db1", "load"))
    assert {m.metric for m in state.result.measurements} >= {"opsd_host_load1"}
