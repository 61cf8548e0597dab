"""What people say: yes or no to a plan, on or off to automation, and that a breaker may close."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from opsd.errors import Refused, UsageError
from opsd.keeping import Word
from opsd.playbook import Step, say
from opsd.policy import plans
from opsd.response import Fate, Origin, Response, StepEnd, Switch, Vote
from opsd.tasks.kit import new_run_id
from opsd.tasks.respond.means import Means


def vote(means: Means, response_id: str, word: Word, *, agreed: bool) -> Response:
    """Say yes or no to a plan. The answer is bound to the plan as it was shown.

    Raises `Refused` where this person's word does not count, or it is too late.
    """
    made = found(means, response_id)
    insist(means, word.who)
    if made.started_at is not None or made.ended_at is not None:
        raise Refused("approve.too_late", id=made.id)
    if word.at >= made.expires_at:
        raise Refused("approve.expired", id=made.id, at=made.expires_at)
    said = [one for one in means.responses.votes(made.id) if one.who == word.who]
    if said:
        raise Refused("approve.twice", id=made.id, who=word.who, at=said[0].at)
    means.responses.vote(Vote(made.id, word.at, word.who, made.digest, agreed, word.reason))
    return made


def insist(means: Means, who: str) -> None:
    """Raise `Refused` where this person's word does not count."""
    approvers = means.kit.config.automation.approvers
    if approvers and who not in approvers:
        raise Refused("approve.not_you", who=who, known=sorted(approvers))


def found(means: Means, name: str) -> Response:
    """A response by its id, or the newest to an incident."""
    exact = means.responses.response(name)
    if exact is not None:
        return exact
    known = means.responses.responses_to(name)
    if not known:
        raise UsageError("usage.no_response", name=name)
    return known[-1]


def resume(
    means: Means, name: str, word: Word, done: Collection[str] = (), again: Collection[str] = ()
) -> Response | None:
    """Go on behind what was cut off: a new response with the steps that are still to be done.

    Of a step of which nobody knows what became of it, this person says that it was `done`, or that
    it must be done `again`: nothing else decides that. None where nothing is left to do. Raises
    `Refused` where such a word is missing, or the response has not ended.
    """
    old = found(means, name)
    if old.ended_at is None:
        raise Refused("resume.not_ended", id=old.id)
    if any(one.resumes == old.id for one in means.responses.responses_to(old.occasion.incident)):
        raise Refused("resume.twice", id=old.id)
    insist(means, word.who)
    left = _settled(means, old, word, (done, again))
    if not left:
        return None
    plan = replace(old.plan, steps=left)
    persons = means.playbooks[old.playbook].terms.consent.persons
    made = replace(
        old,
        id=new_run_id(word.at),
        origin=Origin.HAND,
        who=word.who,
        opened_at=word.at,
        expires_at=word.at + means.playbooks[old.playbook].terms.expires_after,
        persons=persons,
        digest=plans.digest(old.playbook, plan, means.reach.places()),
        plan=plan,
        resumes=old.id,
        started_at=None,
        ended_at=None,
        ending=None,
        said=None,
    )
    means.responses.open_response(made)
    yes = Vote(made.id, word.at, word.who, made.digest, agreed=True, reason=word.reason)
    means.responses.vote(yes)
    return made


def _settled(
    means: Means, old: Response, word: Word, spoken: tuple[Collection[str], Collection[str]]
) -> tuple[Step, ...]:
    """The steps that are left, after a person has said what became of those that nobody knows."""
    done, again = spoken
    last = {one.intent.step: one for one in means.responses.attempts(old.id)}
    unknown = {s for s, one in last.items() if one.end is None or one.end.fate is Fate.UNKNOWN}
    if missing := sorted(unknown - {*done, *again}):
        raise Refused("resume.say", id=old.id, steps=missing)
    said = say("resume.said", who=word.who, reason=word.reason)
    for step in unknown:
        fate = Fate.DONE if step in done else Fate.FAILED
        means.responses.end_step(StepEnd(last[step].intent.id, word.at, fate, said=said))
    fine = {s for s, one in last.items() if one.end is not None and one.end.fate is Fate.DONE}
    return tuple(step for step in old.plan.steps if step.id not in fine | {*done})


def turn(means: Means, playbook: str, word: Word, *, on: bool) -> None:
    """Switch automation on or off, as a whole or one playbook."""
    if playbook and playbook not in means.playbooks:
        raise UsageError("usage.no_playbook", name=playbook, known=sorted(means.playbooks))
    means.responses.turn(Switch(word.at, playbook, on, word.who, word.reason))


def reset(means: Means, playbook: str, place: str, word: Word) -> int:
    """A person has found the cause: the breakers of a playbook close. Gives how many."""
    open_ones = [
        one
        for one in means.responses.breakers()
        if one.playbook == playbook and place in {"", one.host}
    ]
    if not open_ones:
        raise UsageError("usage.no_breaker", name=playbook, target=place or "*")
    for one in open_ones:
        means.responses.close_breaker(one, word.at, word.who, word.reason)
    return len(open_ones)
