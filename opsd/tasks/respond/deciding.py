"""Which incidents are answered, by what, and when.

All of it is read from the history, so that no restart loses one. Looking takes its time and may go
on beside other looks; decisions are made one at a time, each in view of those before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from opsd.model import Finding, Incident, Severity
from opsd.playbook import Occasion, Plan, occasion, say
from opsd.policy import guards
from opsd.policy.guards import Refusal, Situation, Wish
from opsd.policy.plans import Planned
from opsd.response import (
    Call,
    Decision,
    Ending,
    Origin,
    Page,
    Response,
    Summary,
    Verdict,
)
from opsd.tasks.kit import new_run_id
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import answering, drafted, fitting, guarded
from opsd.tasks.respond.situation import situation

# After these the same incident may be answered again; after all others a person has it.
_AGAIN = {Ending.CHANGED, Ending.MENDED}
_BEGUN = {Verdict.PROPOSED, Verdict.STARTED}
_SETTLING = timedelta(minutes=2)  # the watch closes an incident some answers after it is mended
_FRESH = 1.0  # seconds: what was seen of the situation longer ago is looked at anew


class Bench:
    """Where decisions are made one at a time, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._base: Situation | None = None
        self._seen = 0.0

    def clear(self) -> None:
        """What was seen so far is old."""
        with self._lock:
            self._base = None

    @contextmanager
    def turn(self, means: Means) -> Iterator[Situation]:
        """Nobody else decides meanwhile; gives how everything stands."""
        with self._lock:
            if self._base is None or time.monotonic() - self._seen > _FRESH:
                self._base, self._seen = situation(means), time.monotonic()
            yield self._base

    def add(self, made: Response) -> None:
        """Within a turn: what comes next is decided in view of this one."""
        if self._base is not None:
            self._base = replace(self._base, proposed=[*self._base.proposed, made])

    def forget(self) -> None:
        """Within a turn: how everything stands has changed."""
        self._base = None


@dataclass(frozen=True, slots=True)
class Case:
    """An incident that something must be decided about, the playbook, and the last decision."""

    means: Means
    found: Occasion
    playbook: str
    last: Decision | None

    def decided_meanwhile(self) -> bool:
        """Whether somebody decided since the last decision was read."""
        code = self.found.incident
        return self.means.responses.last_decisions([code]).get(code) != self.last

    def held_back(self, refused: Sequence[Refusal], plan: Plan | None = None) -> None:
        """Wait until what stands against it has passed; what never passes is for a person."""
        reasons = tuple(one.said for one in refused)
        words = tuple(one.word for one in refused)
        if all(one.passes for one in refused):
            self.decide(Verdict.WAITING, words, reasons)
        else:
            self.hand_over(reasons, words, plan)

    def hand_over(
        self, reasons: tuple[Finding, ...], words: tuple[str, ...] = (), plan: Plan | None = None
    ) -> None:
        """A person takes it from here, with everything that is known."""
        said = reasons[0] if reasons else say("respond.no_steps", name=self.playbook)
        attached = plan.attached if plan else {}
        at, incident = self.means.now, self.found.incident
        page = Page(at, Call.HANDED_OVER, incident, "", said, attached)
        self.decide(Verdict.HANDED_OVER, words, reasons, page)

    def decide(
        self,
        verdict: Verdict,
        words: tuple[str, ...] = (),
        reasons: tuple[Finding, ...] = (),
        page: Page | None = None,
    ) -> None:
        """Record a decision that is not the last one over again."""
        incident, last = self.found.incident, self.last
        told = Decision(incident, self.means.now, self.playbook, verdict, words, reasons)
        if last is None or _told(last) != _told(told):
            self.means.responses.decide(told, page=page)


def consider(
    means: Means, incident: Incident, last: Decision | None, bench: Bench
) -> Response | None:
    """Look at an open incident and decide about it; gives the response that was opened."""
    found = occasion(incident)
    name = answering(means, found)
    if name is None:
        return None
    case = Case(means, found, name, last)
    with bench.turn(means) as now:
        if refused := _before_looking(case, now, bench):
            case.held_back(refused)
            return None
    made = drafted(means, name, found)
    with bench.turn(means) as now:
        if case.decided_meanwhile():
            return None
        response = _weigh(case, guarded(means, made, now))
        if response is not None:
            bench.add(response)
    return response


def _weigh(case: Case, made: Planned) -> Response | None:
    if not made.plan.steps:
        case.hand_over(made.plan.diagnosis, plan=made.plan)
    elif made.refusals:
        case.held_back(made.refusals, made.plan)
    else:
        origin = Origin.ALERT if case.found.alert else Origin.INCIDENT
        return propose(case.means, made, origin, "")
    return None


def propose(means: Means, made: Planned, origin: Origin, who: str) -> Response:
    """Record what shall be done; where people must agree they are asked."""
    terms, now = means.playbooks[made.playbook].terms, means.now
    persons = terms.consent.persons
    response = Response(
        id=new_run_id(now),
        playbook=made.playbook,
        origin=origin,
        who=who,
        opened_at=now,
        expires_at=now + terms.expires_after,
        persons=persons,
        digest=made.digest,
        occasion=made.occasion,
        plan=made.plan,
    )
    verdict = Verdict.PROPOSED if persons else Verdict.STARTED
    decision = Decision(made.occasion.incident, now, made.playbook, verdict)
    means.responses.open_response(
        response,
        decision if made.occasion.incident else None,
        _asking(response) if persons else None,
    )
    return response


def _asking(made: Response) -> Page:
    fields = {"name": made.playbook, "id": made.id, "expires": made.expires_at}
    said = say("respond.asks", **fields, persons=made.persons)
    incident, attached = made.occasion.incident, made.plan.attached
    return Page(made.opened_at, Call.APPROVAL, incident, made.id, said, attached)


def ready(means: Means) -> Iterator[Response]:
    """The open responses that may begin: agreed to by as many people as must, and not too late.

    Those that may not any more are ended.
    """
    still = {one.code for one in means.responses.incidents()}
    for one in means.responses.open_responses():
        if one.started_at is not None:
            continue
        ending = _ending(means, one, still)
        if ending is not None:
            refuse(means, one, ending)
        elif agreed(means, one):
            yield one


def _ending(means: Means, one: Response, still: set[str]) -> Ending | None:
    incident = one.occasion.incident
    if any(not vote.agreed for vote in means.responses.votes(one.id)):
        return Ending.DENIED
    if means.now >= one.expires_at:
        return Ending.EXPIRED
    return Ending.OVER if incident and incident not in still else None


def agreed(means: Means, one: Response) -> bool:
    """Whether enough different people said yes to exactly this plan."""
    votes = means.responses.votes(one.id)
    people = {vote.who for vote in votes if vote.agreed and vote.digest == one.digest}
    return len(people) >= one.persons


def refuse(means: Means, one: Response, ending: Ending) -> None:
    """End a response that was never started."""
    said, at, page = say(f"respond.{ending.value}", name=one.playbook, id=one.id), means.now, None
    if ending is Ending.EXPIRED and one.persons:
        incident, attached = one.occasion.incident, one.plan.attached
        page = Page(at, Call.HANDED_OVER, incident, one.id, said, attached)
    means.responses.end_response(replace(one, ended_at=at, ending=ending, said=said), page)


def _open_question(means: Means, last: Decision | None, newest: Summary | None) -> bool:
    """Whether there is still something to decide, by the newest response to an incident."""
    if last is None or last.verdict in {Verdict.NONE, Verdict.WAITING}:
        return True
    if newest is None or newest.ended_at is None:
        return False
    if newest.ending is Ending.EXPIRED and not newest.persons:
        return True
    return newest.ending in _AGAIN and means.now - newest.ended_at > _SETTLING


def _before_looking(case: Case, now: Situation, bench: Bench) -> tuple[Refusal, ...]:
    """What stands against it already before anybody looks; a breaker that must open opens."""
    means, name, found = case.means, case.playbook, case.found
    wish = Wish(name, means.playbooks[name].terms, found)
    refused = guards.against(wish, now)
    for place in guards.breaks(wish, now):
        said = Finding(Severity.FAULT, "respond.breaker", {"name": name, "target": place})
        page = Page(means.now, Call.BREAKER, found.incident, "", said)
        means.responses.open_breaker(name, place, page)
        bench.forget()
        refused = guards.against(wish, situation(means))
    return refused


def _told(one: Decision) -> tuple[object, ...]:
    return one.playbook, one.verdict, one.words


def undecided(means: Means) -> tuple[tuple[Incident, Decision | None], ...]:
    """Every open incident of which something must be decided, the oldest first.

    Each comes with the last decision. Of those that no playbook answers it is recorded, once and
    together, that nothing does: there may be thousands in a burst.
    """
    still = means.responses.incidents()
    last: Mapping[str, Decision] = means.responses.last_decisions(one.code for one in still)
    begun = [code for code, one in last.items() if one.verdict in _BEGUN]
    summaries = means.responses.summaries(incidents=begun) if begun else ()
    newest = {one.incident: one for one in summaries}
    asked = [
        one for one in still if _open_question(means, last.get(one.code), newest.get(one.code))
    ]
    answered = [one for one in asked if fitting(means, occasion(one))]
    strange = {one.code for one in asked} - {one.code for one in answered} - last.keys()
    if strange:
        now = means.now
        means.responses.decide(*(Decision(code, now, "", Verdict.NONE) for code in sorted(strange)))
    return tuple((one, last.get(one.code)) for one in reversed(answered))
