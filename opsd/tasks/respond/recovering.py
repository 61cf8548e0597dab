"""After a crash: each step that was under way is done, undone, or a person is asked.

Nothing is begun here that was begun before. What runs on a host ends at its own deadline, not with
opsd: until then nobody can say what became of it, and its targets stay held. What a node left that
is gone for good, another one settles: whoever is cut off from the history can begin nothing more.
"""

from __future__ import annotations

import logging

from opsd.drivers import lock
from opsd.playbook import Effect, Step
from opsd.response import Attempt, Ending, Fate, Response, StepEnd
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import check
from opsd.tasks.respond.running import after_silence, end, held, judge, take_back

log = logging.getLogger(__name__)


def settle(means: Means) -> None:
    """Settle every response whose process died, as far as that can be said now."""
    for one in died(means):
        recover(means, one)


def died(means: Means) -> tuple[Response, ...]:
    """The responses whose process died."""
    return tuple(one for one in means.responses.open_responses() if dead(means, one))


def dead(means: Means, made: Response) -> bool:
    """Whether it was started, has not ended, and nobody works on it any more."""
    if made.started_at is None or made.ended_at is not None:
        return False
    if made.node != means.kit.config.host:
        return not means.responses.lives(made.node)
    return not lock.held(means.kit.run_lease(made.id))


def _out_of_reach(means: Means, made: Response, step: Step) -> bool:
    """Whether it was done on the very machine of a node that is gone: nobody can look there."""
    host = means.kit.config.hosts.get(step.host)
    here = bool(step.argv) and (host is None or host.address is None)
    return here and made.node != means.kit.config.host


def recover(means: Means, made: Response) -> Ending | None:
    """Settle one and end it. None where it is too early, or somebody else is at it."""
    open_ones = [one for one in means.responses.attempts(made.id) if one.end is None]
    if any(one.intent.until > means.now for one in open_ones):
        return None
    try:
        with held(means, made):
            now = means.responses.response(made.id)
            if now is None or now.ended_at is not None:
                return None  # it came to its end between two looks
            for one in open_ones:
                _judge(means, made, one)
            ending = _end(means, made)
    except lock.Busy:
        return None
    log.warning("response %s of %s died: settled as %s", made.id, made.playbook, ending)
    return ending


def _judge(means: Means, made: Response, one: Attempt) -> None:
    step = next(step for step in made.plan.steps if step.id == one.intent.step)
    if _out_of_reach(means, made, step):
        fate = Fate.UNKNOWN
    elif one.intent.undoing:
        fate = _after_undo(means, step)
    else:
        fate = after_silence(means, step, one.intent.at)
    means.responses.end_step(StepEnd(one.intent.id, means.now, fate))


def _after_undo(means: Means, step: Step) -> Fate:
    """Taken back is what does not show any more."""
    holds = check(means, step, step.done).holds if step.done else None
    return Fate.UNDONE if holds is False else Fate.UNKNOWN


def _end(means: Means, made: Response) -> Ending:
    fates = _fates(means, made)
    lost = any(_out_of_reach(means, made, step) for step in made.plan.steps)
    if Fate.FAILED in fates.values() and not lost:
        take_back(means, made)
        fates = _fates(means, made)
    unknown = [step for step, fate in fates.items() if fate is Fate.UNKNOWN]
    if unknown:
        return end(means, made, Ending.UNKNOWN, unknown[0], after_crash=True)
    rest = [step.id for step in made.plan.steps if fates.get(step.id) is not Fate.DONE]
    if not rest:
        return judge(means, made, after_crash=True)
    ending = Ending.FAILED if {Fate.FAILED, Fate.UNDONE} & set(fates.values()) else Ending.STOPPED
    return end(means, made, ending, rest[0], after_crash=True)


def _fates(means: Means, made: Response) -> dict[str, Fate]:
    """What each step that was begun came to, the taking back included."""
    changes = {step.id for step in made.plan.steps if step.effect is Effect.CHANGE}
    fates: dict[str, Fate] = {}
    for one in means.responses.attempts(made.id):
        if one.end is not None and (one.intent.step in changes or not one.intent.undoing):
            fates[one.intent.step] = one.end.fate
    return fates
