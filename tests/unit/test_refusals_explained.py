"""Whatever holds a playbook back, `opsd explain` says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.catalogue import SENTENCES, Language
from opsd.errors import HostUnreachable
from opsd.keeping import Word
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.playbook import Answers, Condition, Consent, Limits, Plan, Terms, say
from opsd.report.explain import explained
from opsd.report.voice import Voice
from opsd.response import Response
from opsd.tasks.respond import asking
from opsd.tasks.respond.explaining import explain
from opsd.tasks.respond.hands import Hand, Reach
from opsd.tasks.respond.responding import Round, begin
from tests.responding import TERMS, Fixed, Scene, scene, touch

SAID = (say("check.gone"),)
ALWAYS = [{"begins": "00:00", "ends": "00:00", "reason": "storm"}]
HOSTILE = "/srv\n\x1b[2J$(reboot) '\"; rm -rf /"
OFTEN = Limits(cooldown=timedelta(), per_host=1000, in_total=1000, breaker_after=1000)


class Refusing(Reach):
    """A host that shows another key."""

    def hand(self, name: str) -> Hand:
        """None."""
        raise HostUnreachable("host.key_changed", reason="host_key", host=name, path="/known")


@dataclass(frozen=True)
class Case:
    """What is done to a place where a fault was found; and the sentence that must be read then."""

    says: str
    before: Callable[[Scene, Path], None]
    blackouts: Sequence[Mapping[str, str]] = ()


def rounds(place: Scene, times: int = 1) -> None:
    def submit(one: Response) -> None:
        begin(place.means, one)

    turn = Round(lambda: place.means, submit)
    for _ in range(times):
        turn.go()


def answered(place: Scene, mark: Path, terms: Terms = TERMS, **step: object) -> None:
    place.use(fix=Fixed(Plan(SAID, (touch(mark, **step),)), terms))  # type: ignore[arg-type]
    place.incident()
    rounds(place)


def outside(place: Scene, mark: Path) -> None:
    answered(place, mark, host="elsewhere")


def often(limits: Limits) -> Callable[[Scene, Path], None]:
    def case(place: Scene, mark: Path) -> None:
        terms = replace(TERMS, limits=limits)
        answered(place, mark, terms)
        place.responses.close_incident(place.responses.incidents()[0].code, place.at)
        place.later(timedelta(minutes=1))
        answered(place, mark, terms)

    return case


def switched_off(place: Scene, mark: Path) -> None:
    asking.turn(place.means, "", Word(place.at, "an", "storm"), on=False)
    answered(place, mark)


def waited(place: Scene, mark: Path) -> None:
    answered(place, mark, replace(TERMS, consent=Consent.REQUIRED))


def too_late(place: Scene, mark: Path) -> None:
    waited(place, mark)
    place.later(timedelta(hours=1))
    rounds(place)


def changed(place: Scene, mark: Path) -> None:
    waited(place, mark)
    (code,) = (one.code for one in place.responses.incidents())
    (made,) = place.responses.responses_to(code)
    asking.vote(place.means, made.id, Word(place.at, "an", "seen"), agreed=True)
    terms = replace(TERMS, consent=Consent.REQUIRED)
    place.use(fix=Fixed(Plan(SAID, (touch(mark, "another"),)), terms))
    place.later(timedelta(minutes=1))
    rounds(place)


def gone(place: Scene, mark: Path) -> None:
    answered(place, mark, requires=(Condition(("false",)),))


def another_key(place: Scene, mark: Path) -> None:
    reach = Refusing(place.means.kit.config, place.means.kit.clock)
    place.means = replace(place.means, reach=reach)
    answered(place, mark)


def as_it_was(place: Scene, mark: Path) -> None:
    answered(place, mark)


CASES = {
    "a target outside the inventory": Case("guard.inventory", outside),
    "a quota that is used": Case("guard.quota_host", often(replace(OFTEN, per_host=1))),
    "a breaker that is open": Case("guard.breaker_open", often(replace(OFTEN, breaker_after=1))),
    "automation that is off": Case("guard.off", switched_off),
    "a blackout": Case("guard.blackout", as_it_was, ALWAYS),
    "an approval that expired": Case("respond.expired", too_late),
    "a plan that changed since": Case("respond.changed", changed),
    "a precondition that is gone": Case("respond.precondition", gone),
    "another host key": Case("host.key_changed", another_key),
}


@contextmanager
def placed(case: Case, state: Path) -> Iterator[Scene]:
    with scene(state, approvers=["an"], blackouts=list(case.blackouts)) as place:
        yield place


def told(place: Scene, language: Language) -> str:
    newest = place.responses.incidents()[0]
    story = explain(place.means, newest.code)
    voice = Voice(language, place.means.kit.config.zone)
    return explained(
        voice,
        (story.incident, story.playbook),
        story.decisions,
        list(story.responses),
        (story.refusals, story.pages),
    )


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", CASES)
def test_a_refusal_is_explained(name: str, language: Language, tmp_path: Path) -> None:
    case = CASES[name]
    with placed(case, tmp_path / "state") as place:
        case.before(place, tmp_path / "mark")
        said = " ".join(told(place, language).split())
        assert longest_part(language, case.says) in said, said


def longest_part(language: Language, key: str) -> str:
    """The longest part of a sentence in which nothing is filled in."""
    parts = re.split(r"\{[^}]*\}", SENTENCES[key].what(language))
    return " ".join(max(parts, key=len).split())


def test_what_anybody_wrote_is_one_line_that_steers_no_terminal(tmp_path: Path) -> None:
    with scene(tmp_path / "state") as place:
        terms = Terms(Answers({"filesystems": frozenset()}), consent=Consent.AUTO)
        place.use(fix=Fixed(Plan(SAID), terms))
        said = Finding(Severity.FAULT, "check.gone")
        made = Incident("", CheckId("local", "filesystems", HOSTILE), place.at, place.at, "x", said)
        place.responses.open_incident(made)
        rounds(place)
        text = told(place, Language.EN)
        assert "\x1b" not in text
        (line,) = (line for line in text.splitlines() if "$(reboot)" in line)
        assert "rm -rf /" in line
