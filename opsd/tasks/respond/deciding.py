"""Which incidents are answered, by what, and when.

All of it is read from the history, so that no restart loses one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from opsd.model import Finding, Incident, Severity
from opsd.playbook import Occasion, Plan, occasion, say
from opsd.policy import guards
from opsd.policy.guards import Refusal, Situation, Wish
from opsd.policy.plans import Planned
from opsd.response import Call, Decision, Ending, Origin, Page, Response, Verdict
from opsd.tasks.kit import new_run_id
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import answering, planned
from opsd.tasks.respond.situation import situation

# After these the same incident may be answered again; after all others a person has it.
_AGAIN = {Ending.CHANGED, Ending.MENDED}
_SETTLING = timedelta(minutes=2)  # the watch closes an incident some answers after it is mended


@dataclass(frozen=True, slots=True)
class Case:
    """An incident that something must be decided about, the playbook, and the last decision."""

    means: Means
    found: Occasion
    playbook: str
    last: Decision | None

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
    means: Means, incident: Incident, last: Decision | None, base: Situation | None = None
) -> bool:
    """Decide about an open incident; gives whether a response was opened.

    `base` is the situation, where it is known.
    """
    if last is not None and not _open_question(means, incident, last):
        return False
    found = occasion(incident)
    name = answering(means, found)
    if name is None:
        return False
    case = Case(means, found, name, last)
    if refused := _before_looking(means, name, found, base):
        case.held_back(refused)
        return False
    return _weigh(case, planned(means, name, found, base=base))


def _weigh(case: Case, made: Planned) -> bool:
    if not made.plan.steps:
        case.hand_over(made.plan.diagnosis, plan=made.plan)
    elif made.refusals:
        case.held_back(made.refusals, made.plan)
    else:
        origin = Origin.ALERT if case.found.alert else Origin.INCIDENT
        propose(case.means, made, origin, "")
        return True
    return False


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


def _open_question(means: Means, incident: Incident, last: Decision) -> bool:
    """Whether there is still something to decide."""
    if last.verdict in {Verdict.NONE, Verdict.WAITING}:
        return True
    if last.verdict is Verdict.HANDED_OVER:
        return False
    newest = means.responses.responses_to(incident.code)[-1]
    if newest.ended_at is None:
        return False
    if newest.ending is Ending.EXPIRED and not newest.persons:
        return True
    return newest.ending in _AGAIN and means.now - newest.ended_at > _SETTLING


def _before_looking(
    means: Means, name: str, found: Occasion, base: Situation | None
) -> tuple[Refusal, ...]:
    """What stands against it already before anybody looks; a breaker that must open opens."""
    wish = Wish(name, means.playbooks[name].terms, found)
    now = situation(means, found, base)
    refused = guards.against(wish, now)
    for place in guards.breaks(wish, now):
        said = Finding(Severity.FAULT, "respond.breaker", {"name": name, "target": place})
        page = Page(means.now, Call.BREAKER, found.incident, "", said)
        means.responses.open_breaker(name, place, page)
        refused = guards.against(wish, situation(means, found))
    return refused


def _told(one: Decision) -> tuple[object, ...]:
    return one.playbook, one.verdict, one.words


def undecided(means: Means) -> tuple[tuple[Incident, Decision | None], ...]:
    """Every open incident that a playbook answers, the oldest first, with the last decision.

    Of the others it is recorded, once and together, that nothing answers them: there may be
    thousands in a burst.
    """
    still = means.responses.incidents()
    last: Mapping[str, Decision] = means.responses.last_decisions(one.code for one in still)
    answered = [one for one in still if answering(means, occasion(one))]
    codes = {one.code for one in answered}
    strange = [one.code for one in still if one.code not in codes | last.keys()]
    if strange:
        now = means.now
        means.responses.decide(*(Decision(code, now, "", Verdict.NONE) for code in strange))
    return tuple((one, last.get(one.code)) for one in reversed(answered))
