"""What people say to plans, and that opsd heeds it: yes, no, not any more, go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.catalogue import Language
from opsd.errors import Refused, UsageError
from opsd.keeping import Word
from opsd.playbook import Consent, Facts, Occasion, Plan, Step, say
from opsd.report.explain import explained
from opsd.report.voice import Voice
from opsd.response import Call, Ending, Fate, Response, StepEnd, Verdict
from opsd.tasks.respond import asking, running
from opsd.tasks.respond.explaining import explain
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.responding import Round, begin
from tests.responding import TERMS, Fixed, Scene, scene, touch

SAID = (say("check.gone"),)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "state", approvers=["an", "binh", "chi"]) as made:
        yield made


def rounds(place: Scene, times: int = 1) -> list[Ending | None]:
    ended: list[Ending | None] = []

    def submit(one: Response) -> None:
        ended.append(begin(place.means, one))

    turn = Round(lambda: place.means, submit)
    for _ in range(times):
        turn.go()
    return ended


def asked(place: Scene, mark: Path, consent: Consent = Consent.REQUIRED) -> Response:
    """A response that waits for people."""
    place.use(fix=Fixed(Plan(SAID, (touch(mark),)), replace(TERMS, consent=consent)))
    incident = place.incident()
    assert rounds(place) == []
    (response,) = place.responses.responses_to(incident.code)
    return response


def word(place: Scene, who: str) -> Word:
    return Word(place.at, who, "looked at it")


def yes(place: Scene, response: Response, who: str) -> None:
    asking.vote(place.means, response.id, word(place, who), agreed=True)


def told(place: Scene, name: str) -> str:
    """What `opsd explain` says, in one line."""
    story = explain(place.means, name)
    about = (story.incident, story.playbook)
    voice = Voice(Language.EN, place.means.kit.config.zone)
    now = (story.refusals, story.pages)
    text = explained(voice, about, story.decisions, list(story.responses), now)
    return " ".join(text.split())


def test_nothing_is_done_before_somebody_agrees(place: Scene, tmp_path: Path) -> None:
    response = asked(place, tmp_path / "mark")
    assert [page.call for page in place.responses.pages()] == [Call.APPROVAL]
    assert rounds(place, 3) == []
    yes(place, response, "an")
    assert rounds(place, 2) == [Ending.MENDED]


def test_two_persons_are_two_different_ones(place: Scene, tmp_path: Path) -> None:
    response = asked(place, tmp_path / "mark", Consent.TWO_PERSON)
    yes(place, response, "an")
    with pytest.raises(Refused, match="has answered"):
        yes(place, response, "an")
    assert rounds(place) == []
    yes(place, response, "binh")
    assert rounds(place) == [Ending.MENDED]


def test_the_word_of_anybody_else_does_not_count(place: Scene, tmp_path: Path) -> None:
    response = asked(place, tmp_path / "mark")
    with pytest.raises(Refused, match="not among those"):
        yes(place, response, "mallory")
    assert rounds(place) == []


def test_a_no_is_a_no(place: Scene, tmp_path: Path) -> None:
    response = asked(place, tmp_path / "mark", Consent.TWO_PERSON)
    yes(place, response, "an")
    asking.vote(place.means, response.id, word(place, "binh"), agreed=False)
    assert rounds(place, 3) == []
    with pytest.raises(Refused, match="ended already"):
        yes(place, response, "chi")
    assert not (tmp_path / "mark").exists()
    assert "binh said no" in told(place, response.occasion.incident)


def test_a_yes_that_comes_too_late_is_a_no(place: Scene, tmp_path: Path) -> None:
    response = asked(place, tmp_path / "mark")
    place.later(15 * MINUTE)
    with pytest.raises(Refused, match="expired"):
        yes(place, response, "an")
    assert rounds(place, 3) == []
    assert [p.call for p in place.responses.pages()] == [Call.APPROVAL, Call.HANDED_OVER]
    assert "agreed in time" in told(place, response.occasion.incident)


def test_a_plan_that_is_another_one_by_now_is_not_run(place: Scene, tmp_path: Path) -> None:
    response = asked(place, tmp_path / "mark")
    yes(place, response, "an")
    other = touch(tmp_path / "mark", "one", argv=("touch", str(tmp_path / "other")))
    place.use(fix=Fixed(Plan(SAID, (other,)), replace(TERMS, consent=Consent.REQUIRED)))
    place.later(MINUTE)
    assert rounds(place) == [Ending.CHANGED]
    assert not (tmp_path / "other").exists()
    assert "not the one" in told(place, response.occasion.incident)


def test_what_the_diagnosis_says_may_change_meanwhile(place: Scene, tmp_path: Path) -> None:
    made = Plan(SAID, (touch(tmp_path / "mark"),))

    def planning(_: Occasion, facts: Facts) -> Plan:
        return replace(made, attached={"now": facts.now.isoformat()})

    terms = replace(TERMS, consent=Consent.REQUIRED)
    place.use(fix=Fixed(made, terms, planning=planning))
    incident = place.incident()
    rounds(place)
    yes(place, place.responses.responses_to(incident.code)[0], "an")
    place.later(MINUTE)
    assert rounds(place) == [Ending.MENDED]


def test_an_incident_that_is_over_needs_no_answer(place: Scene, tmp_path: Path) -> None:
    response = asked(place, tmp_path / "mark")
    yes(place, response, "an")
    place.responses.close_incident(response.occasion.incident, place.at)
    assert rounds(place) == []
    ended = place.responses.response(response.id)
    assert ended is not None
    assert ended.ending is Ending.OVER


# --- the off switch


def test_switched_off_nothing_begins_and_on_again_it_does(place: Scene, tmp_path: Path) -> None:
    asking.turn(place.means, "", word(place, "an"), on=False)
    place.use(fix=Fixed(Plan(SAID, (touch(tmp_path / "mark"),))))
    incident = place.incident()
    assert rounds(place, 3) == []
    (decision,) = place.responses.decisions(incident.code)
    assert (decision.verdict, decision.words) == (Verdict.WAITING, ("disabled",))
    assert "an switched automation off" in told(place, incident.code)
    asking.turn(place.means, "", word(place, "an"), on=True)
    assert rounds(place) == [Ending.MENDED]


def test_switched_off_between_two_steps_it_stops(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    first, second = touch(mark, "one"), touch(mark, "two")

    place.use(fix=Fixed(Plan(SAID, (first, second))))
    original = place.responses.end_step

    def end_step(end: StepEnd) -> None:
        original(end)
        asking.turn(place.means, "fix", word(place, "an"), on=False)

    place.responses.end_step = end_step  # type: ignore[method-assign]
    place.incident()
    assert rounds(place) == [Ending.STOPPED]
    assert mark.read_text() == "one\n"
    assert [page.call for page in place.responses.pages()] == [Call.FAILED]


# --- the breaker


def test_a_breaker_opens_pages_and_closes_by_a_person(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for number in range(4):
        place.use(fix=Fixed(Plan(SAID, (touch(mark, f"step_{number}"),))))
        incident = place.incident()
        rounds(place, 2)
        place.responses.close_incident(incident.code, place.at)
        place.later(timedelta(hours=30))
    assert len(mark.read_text().split()) == 3
    assert [page.call for page in place.responses.pages()] == [Call.BREAKER]
    assert [one.host for one in place.responses.breakers()] == ["local"]
    assert asking.reset(place.means, "fix", "local", word(place, "an")) == 1
    with pytest.raises(UsageError):
        asking.reset(place.means, "fix", "local", word(place, "an"))


# --- going on


def cut_off(place: Scene, mark: Path) -> Response:
    """A response of whose second step nobody knows what became of it; it was done."""
    steps = tuple(touch(mark, name) for name in ("one", "two", "three"))
    place.use(fix=Fixed(Plan(SAID, steps)))
    real = running._done

    def done(means: Means, step: Step, intent: int) -> StepEnd:
        end = real(means, step, intent)
        return replace(end, fate=Fate.UNKNOWN) if step.id == "two" else end

    incident = place.incident()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "_done", done)
        assert rounds(place) == [Ending.UNKNOWN]
    (response,) = place.responses.responses_to(incident.code)
    return response


def test_it_goes_on_only_by_a_persons_word(place: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    old = cut_off(place, mark)
    assert [page.call for page in place.responses.pages()] == [Call.UNKNOWN]
    place.later(timedelta(days=1))
    assert rounds(place, 2) == []
    with pytest.raises(Refused, match="two"):
        asking.resume(place.means, old.occasion.incident, word(place, "an"))
    made = asking.resume(place.means, old.occasion.incident, word(place, "an"), done=["two"])
    assert made is not None
    assert [step.id for step in made.plan.steps] == ["three"]
    assert begin(place.means, made) is Ending.MENDED
    assert mark.read_text() == "one\ntwo\nthree\n"
    with pytest.raises(Refused, match="resumed already"):
        asking.resume(place.means, old.id, word(place, "an"), done=["two"])


def test_nobody_else_has_it_go_on(place: Scene, tmp_path: Path) -> None:
    old = cut_off(place, tmp_path / "mark")
    with pytest.raises(Refused, match="not among those"):
        asking.resume(place.means, old.id, word(place, "mallory"), again=["two"])
    assert place.responses.open_responses() == ()


def test_again_is_said_by_a_person_too(place: Scene, tmp_path: Path) -> None:
    old = cut_off(place, tmp_path / "mark")
    made = asking.resume(place.means, old.id, word(place, "an"), again=["two"])
    assert made is not None
    assert [step.id for step in made.plan.steps] == ["two", "three"]


def test_while_nobody_knows_the_same_is_not_done_there_again(place: Scene, tmp_path: Path) -> None:
    cut_off(place, tmp_path / "mark")
    place.later(timedelta(days=2))
    other = place.incident()
    assert rounds(place, 2) == []
    (decision,) = place.responses.decisions(other.code)
    assert decision.words == ("busy",)
    assert "nobody has said yet" in told(place, other.code)


# --- explaining


def test_an_alert_is_explained_by_its_name(place: Scene) -> None:
    place.incident(check="alert", cause="X")
    assert "none answers this" in told(place, "x.service")
    with pytest.raises(UsageError):
        told(place, "NeverHeardOf")
