"""From an incident to its end: looked at, planned, guarded, run, judged; and never done twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from opsd.config.playbooks import Playbooks
from opsd.errors import StorageFailed
from opsd.model import Status
from opsd.playbook import Condition, Plan, say
from opsd.response import Call, Ending, Fate, Response, Verdict
from opsd.tasks.respond.responding import Round, begin
from opsd.tasks.respond.running import take_back
from playbooks import PLAYBOOKS
from tests.responding import Fixed, Scene, scene, touch

SAID = (say("check.gone"),)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "state") as made:
        yield made


def rounds(place: Scene, times: int = 1) -> list[Ending | None]:
    """What a running daemon does, one after the other."""
    ended: list[Ending | None] = []

    def submit(one: Response) -> None:
        ended.append(begin(place.means, one))

    turn = Round(lambda: place.means, submit)
    for _ in range(times):
        turn.go()
    return ended


def test_every_playbook_has_its_options() -> None:
    assert set(PLAYBOOKS) == set(Playbooks.model_fields)


def test_an_incident_is_answered_once_and_judged_by_its_check(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    place.use(fix=Fixed(Plan(SAID, (touch(mark, "one"), touch(mark, "two")))))
    incident = place.incident()
    assert rounds(place, 3) == [Ending.MENDED]
    assert mark.read_text() == "one\ntwo\n"
    assert [found.incident for found in place.asked] == [incident.code]
    (response,) = place.responses.responses_to(incident.code)
    fates = [one.end.fate for one in place.responses.attempts(response.id) if one.end]
    assert fates == [Fate.DONE, Fate.DONE]
    assert [one.verdict for one in place.responses.decisions(incident.code)] == [Verdict.STARTED]
    assert place.responses.pages() == ()


def test_what_is_not_mended_is_handed_over_with_what_was_said(place: Scene, tmp_path: Path) -> None:
    place.status = Status.CRITICAL
    place.use(fix=Fixed(Plan(SAID, (touch(tmp_path / "mark"),), {"largest": "/srv"})))
    place.incident()
    assert rounds(place, 3) == [Ending.NOT_MENDED]
    (page,) = place.responses.pages()
    assert page.call is Call.FAILED
    assert page.attached == {"largest": "/srv", "step.one": ""}


def test_without_steps_a_person_is_paged_with_the_diagnosis_once(place: Scene) -> None:
    place.use(fix=Fixed(Plan(SAID, (), {"seen": "much"})))
    incident = place.incident()
    assert rounds(place, 3) == []
    (page,) = place.responses.pages()
    assert (page.call, page.incident, page.attached) == (
        Call.HANDED_OVER,
        incident.code,
        {"seen": "much"},
    )


def test_a_failed_step_is_taken_back_with_those_before_it(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    undo = ("sh", "-c", 'echo back >>"$1"', "sh", str(mark))
    fails = touch(mark, "two", argv=("false",), undo=undo)
    place.use(fix=Fixed(Plan(SAID, (touch(mark, "one", undo=undo), fails, touch(mark, "three")))))
    incident = place.incident()
    assert rounds(place, 2) == [Ending.FAILED]
    assert mark.read_text() == "one\nback\nback\n"
    (response,) = place.responses.responses_to(incident.code)
    assert take_back(place.means, response), "after a crash what was undone is left alone"
    told = [
        (a.intent.step, a.intent.undoing, a.end and a.end.fate)
        for a in place.responses.attempts(response.id)
    ]
    assert told == [
        ("one", False, Fate.DONE),
        ("two", False, Fate.FAILED),
        ("two", True, Fate.UNDONE),
        ("one", True, Fate.UNDONE),
    ]


def test_an_undo_that_fails_is_for_a_person_to_look_at(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    first = touch(mark, "one", undo=("false",))
    place.use(fix=Fixed(Plan(SAID, (first, touch(mark, "two", argv=("false",))))))
    place.incident()
    assert rounds(place, 2) == [Ending.UNKNOWN]
    assert [page.call for page in place.responses.pages()] == [Call.UNKNOWN]


def test_an_exit_code_is_no_evidence(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    lies = touch(mark, "one", argv=("true",))
    complains = touch(mark, "one")
    complains = replace(complains, argv=("sh", "-c", f"echo one >>{mark}; exit 3"))
    place.use(fix=Fixed(Plan(SAID, (lies,))))
    place.means.stop  # noqa: B018
    assert _ended(place, complains) is Ending.MENDED


def _ended(place: Scene, step: object) -> Ending | None:
    place.use(fix=Fixed(Plan(SAID, (step,))))  # type: ignore[arg-type]
    place.incident()
    return rounds(place)[0]


def test_before_each_step_its_precondition_is_looked_at_again(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    first = touch(mark, "one")
    gone = touch(mark, "two", requires=(Condition(("test", "!", "-e", str(mark))),))
    place.use(fix=Fixed(Plan(SAID, (first, gone))))
    incident = place.incident()
    assert rounds(place) == [Ending.PRECONDITION]
    assert mark.read_text() == "one\n"
    (response,) = place.responses.responses_to(incident.code)
    assert [one.intent.step for one in place.responses.attempts(response.id)] == ["one"]


def test_no_step_is_begun_twice_whoever_asks(place: Scene, tmp_path: Path) -> None:
    place.use(fix=Fixed(Plan(SAID, (touch(tmp_path / "mark"),))))
    incident = place.incident()
    rounds(place)
    (response,) = place.responses.responses_to(incident.code)
    with pytest.raises(StorageFailed):
        place.responses.intend(response.id, "one", place.at, place.at)


def test_a_playbook_that_fails_itself_hands_over(place: Scene) -> None:
    def broken(*_: object) -> Plan:
        raise ZeroDivisionError

    place.use(fix=Fixed(Plan(SAID), planning=broken))
    place.incident()
    assert rounds(place, 2) == []
    (page,) = place.responses.pages()
    assert page.said.key == "respond.playbook_failed"


def test_a_change_that_does_not_say_how_it_shows_is_not_run(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    place.use(fix=Fixed(Plan(SAID, (touch(mark, done=None),))))
    incident = place.incident()
    assert rounds(place, 2) == []
    (decision,) = place.responses.decisions(incident.code)
    assert (decision.verdict, decision.words) == (Verdict.HANDED_OVER, ("plan",))
    assert not mark.exists()
