"""`kill -9` before, within and after a step of a playbook: of opsd, of sshd's child, of the link.

The faults are real, and so are the steps. What must be true afterwards is the same for all.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path

from opsd.clock import now
from opsd.keeping import Word
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.playbook import Consent, Plan, Step, occasion
from opsd.response import Call, Ending, Fate, Origin, Response, StepEnd
from opsd.tasks.respond import asking
from opsd.tasks.respond.deciding import propose
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import check, planned
from opsd.tasks.respond.recovering import settle
from tests.faults.playing import Player, counted, hold, mark, player, shortened
from tests.hosts import NamespaceHost
from tests.incidents import PERSONS, eventually

MOMENTS = ("before", "within", "after")
OPSD, SSHD, LINK = "opsd", "sshd's child", "the link"
VICTIMS = (OPSD, SSHD, LINK)
_LATER = timedelta(hours=2)  # every deadline of a step is over then
_AWHILE = 0.3  # into what opsd does itself


@dataclass(frozen=True, slots=True)
class Point:
    """When, in which step, who is killed."""

    number: int  # of the step: its name may be another one each time
    moment: str
    victim: str


@dataclass(frozen=True, slots=True)
class Theatre:
    """Where a playbook plays: its configuration, what answers there, and its hosts by name."""

    config: Path
    means: Means
    hosts: Callable[[str], NamespaceHost]

    @property
    def state(self) -> Path:
        """Where commands are counted."""
        return self.means.kit.config.state


def points(plan: Plan) -> Iterator[Point]:
    """Every step, before, within and after: opsd, and where it is done on a host the way there."""
    for (number, step), moment in product(enumerate(plan.steps), MOMENTS):
        for victim in VICTIMS if step.argv else (OPSD,):
            yield Point(number, moment, victim)


def proposed(place: Theatre, playbook: str, about: CheckId, cause: str) -> Response:
    """A response that people have agreed to, to an incident that was opened now."""
    said, at = Finding(Severity.FAULT, "check.gone"), now()
    made = Incident("", about, at, at, cause, said)
    if about.check:
        made = replace(made, code=place.means.responses.open_incident(made))
    plan = planned(place.means, playbook, occasion(made), by_hand=True)
    assert plan.plan.steps, (playbook, plan.plan.diagnosis, plan.plan.attached)
    assert not plan.refusals, (playbook, plan.refusals)
    response = propose(place.means, plan, Origin.HAND, PERSONS[0])
    for who in PERSONS[: Consent.TWO_PERSON.persons]:
        asking.vote(place.means, response.id, Word(now(), who, "seen"), agreed=True)
    return response


def struck(place: Theatre, response: Response, point: Point) -> list[str]:
    """Play it, strike at the point, let the next opsd settle it; gives what is wrong then."""
    step = response.plan.steps[point.number]
    counted(place.state).unlink(missing_ok=True)
    held = hold(place.state, step.argv) if point.moment == "within" and step.argv else None
    if held:
        held.touch()
    word = f"{point.moment} do {step.id}"
    with player(place.config, response.id, "" if held else word) as child:
        assert child.until(word), ("the moment never came", point, child.said)
        if held:
            eventually(lambda: mark(step.argv) in _counts(place.state), f"{point}: it runs there")
        elif point.moment == "within":
            time.sleep(_AWHILE)
        try:
            _strike(place, child, step, point.victim)
            if held:
                held.unlink()
            if point.victim != OPSD:
                if not held:
                    child.go_on()
                child.ended()
        finally:
            if step.host:
                place.hosts(step.host).plug_in()
    _quiet(place, step)
    after = replace(place.means.kit, clock=lambda: now() + _LATER)
    settle(replace(place.means, kit=after))
    wrong = [f"{step.id}: {point}: {one}" for one in _wrong(place, response)]
    _looked_at(place.means, response)
    return wrong


def _strike(place: Theatre, child: Player, step: Step, victim: str) -> None:
    if victim == OPSD:
        child.kill()
    elif victim == LINK:
        place.hosts(step.host).cut()
    else:
        for one in place.hosts(step.host).processes():
            if one.argv.startswith("sshd: "):
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)


def _quiet(place: Theatre, step: Step) -> None:
    """Wait until nothing of a step runs on its host any more."""
    if step.argv:
        host, word = place.hosts(step.host), mark(step.argv)
        eventually(lambda: not any(word in o.argv for o in host.processes()), "the step ends there")


def _counts(state: Path) -> list[str]:
    path = counted(state)
    return path.read_text().split() if path.exists() else []


def _wrong(place: Theatre, response: Response) -> Iterator[str]:
    """What must be true of every response that was struck."""
    made = place.means.responses.response(response.id)
    if made is None or made.ending is None:
        yield "it runs for ever"
        return
    fates = {one.intent.step: one.end for one in place.means.responses.attempts(response.id)}
    yield from (f"nobody says what became of {n}" for n, end in fates.items() if end is None)
    told = {name: end.fate for name, end in fates.items() if end is not None}
    yield from _wrong_steps(place, made.plan, told)
    yield from _wrong_end(place.means, made, told)


def _wrong_steps(place: Theatre, plan: Plan, told: Mapping[str, Fate]) -> Iterator[str]:
    counts = _counts(place.state)
    for step in plan.steps:
        for argv in filter(None, (step.argv, step.undo or ())):
            if counts.count(mark(argv)) > 1:
                yield f"done twice: {shlex.join(argv)}"
        said = told.get(step.id) is Fate.DONE and step.done is not None
        if said and step.done and not check(place.means, step, step.done).holds:
            yield f"{step.id} is said to be done, and is not"


def _wrong_end(means: Means, made: Response, told: Mapping[str, Fate]) -> Iterator[str]:
    calls = {page.call for page in means.responses.pages() if page.response == made.id}
    if (Fate.UNKNOWN in told.values()) is not (made.ending is Ending.UNKNOWN):
        yield f"{told} ended as {made.ending}"
    if (made.ending is Ending.UNKNOWN) is not (Call.UNKNOWN in calls):
        yield f"{made.ending} was told by {calls}"
    if bool(calls - {Call.APPROVAL}) is (made.ending is Ending.MENDED):
        yield f"{made.ending} called {calls}"


def _looked_at(means: Means, response: Response) -> None:
    """A person looked at what nobody knew, and the incident is over."""
    for one in means.responses.attempts(response.id):
        if one.end is not None and one.end.fate is Fate.UNKNOWN:
            means.responses.end_step(StepEnd(one.intent.id, now(), Fate.FAILED))
    if response.occasion.incident:
        means.responses.close_incident(response.occasion.incident, now())


def theatre(config: Path, means: Means, hosts: Callable[[str], NamespaceHost]) -> Theatre:
    """A place whose steps have short deadlines, as the child has them."""
    return Theatre(config, shortened(means), hosts)
