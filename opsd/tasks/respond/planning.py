"""From an occasion to a plan: which playbook answers, what it sees, what it would do."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from opsd.check import Answer, Read
from opsd.errors import Cancelled, OpsdError
from opsd.model import Finding, Severity
from opsd.playbook import Ask, Condition, Facts, Occasion, Plan, Question, Recall, Step
from opsd.policy import guards, plans
from opsd.policy.guards import Refusal, Situation, Wish
from opsd.policy.plans import Live, Planned
from opsd.tasks.respond.actions import EFFECTS
from opsd.tasks.respond.hands import order_of
from opsd.tasks.respond.knowledge import KNOWLEDGE
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.situation import situation

log = logging.getLogger(__name__)


def fitting(means: Means, found: Occasion) -> tuple[str, ...]:
    """The playbooks that say of themselves that they answer it, in order. Nothing is looked at."""
    return tuple(name for name, one in means.playbooks.items() if one.terms.answers.fit(found))


def answering(means: Means, found: Occasion) -> str | None:
    """The name of the playbook that answers: the first that does, and does not pass it on.

    Where one alone could, nothing is looked at. Where all pass it on it is the last one's.
    """
    names = fitting(means, found)
    for name in names[:-1]:
        enabled = means.playbooks[name].terms.enabled
        if enabled and not drafted(means, name, found).plan.passes_on:
            return name
    return names[-1] if names else None


def planned(means: Means, name: str, found: Occasion, *, by_hand: bool = False) -> Planned:
    """Look, plan, and ask every guard. Changes nothing."""
    made = drafted(means, name, found)
    return guarded(means, made, situation(means), by_hand=by_hand)


def drafted(means: Means, name: str, found: Occasion) -> Planned:
    """Look and plan; of what stands against it only what is wrong with the plan itself.

    A playbook that fails itself has planned nothing: it is handed to a person.
    """
    playbook = means.playbooks[name]
    try:
        made = playbook.plan(found, look(means, playbook.look(found)))
    except Cancelled:
        raise  # opsd ends: that says nothing about what was looked at
    except OpsdError as error:
        made = Plan((error.finding(Severity.FAULT),))
    except Exception as error:
        log.exception("the playbook %s failed itself", name)
        made = Plan(
            (Finding(Severity.FAULT, "respond.playbook_failed", {"name": name}, repr(error)),)
        )
    flaws = tuple(
        Refusal("plan", flaw, passes=False) for flaw in plans.flaws(made, playbook.terms, EFFECTS)
    )
    digest = plans.digest(name, made, means.reach.places())
    return Planned(name, found, made, digest, flaws if made.steps else ())


def guarded(means: Means, made: Planned, now: Situation, *, by_hand: bool = False) -> Planned:
    """The same plan with everything that guards have against it in this situation."""
    if not made.plan.steps:
        return made
    terms = means.playbooks[made.playbook].terms
    wish = Wish(made.playbook, terms, made.occasion, made.plan, by_hand)
    return replace(made, refusals=(*made.refusals, *guards.against(wish, now)))


def look(means: Means, questions: Iterable[Question]) -> Facts:
    """Every answer: each host is asked everything at once, the unreachable ones say why."""
    reads: defaultdict[str, list[Read]] = defaultdict(list)
    known: dict[Recall, object] = {}
    for question in questions:
        if isinstance(question, Ask):
            reads[question.host].append(question.read)
        else:
            known[question] = KNOWLEDGE[question.name](means, question.about)
    answers: dict[tuple[str, str], Answer] = {}
    unreached: dict[str, Finding] = {}
    for host, asked in reads.items():
        try:
            seen = means.reach.ask(host)(asked)
        except Cancelled:
            raise
        except OpsdError as error:
            unreached[host] = error.finding(Severity.FAULT)
        else:
            answers |= {(host, name): answer for name, answer in seen.answers.items()}
    return Facts(means.now, answers, known, unreached)


def live(means: Means, plan: Plan) -> tuple[Live, ...]:
    """How every precondition of a plan is just now."""
    return tuple(
        check(means, step, condition) for step in plan.steps for condition in step.requires
    )


def check(means: Means, step: Step, condition: Condition) -> Live:
    """Ask one condition of the host of its step."""
    try:
        did = means.reach.hand(step.host).do(order_of(condition))
    except OpsdError as error:
        return Live(step.id, condition, None, str(error))
    holds = plans.holds(condition, did.exit_code, did.output)
    return Live(step.id, condition, holds, did.output.strip()[:500])
