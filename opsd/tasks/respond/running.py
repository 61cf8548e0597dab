"""Running a plan: each step is written down before it begins, and what became of it after.

A change that did not come out is taken back, with those before it that can be. Nothing here runs a
step a second time: the journal refuses the second intent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opsd.drivers import lock
from opsd.errors import Cancelled, LinkLost, OpsdError, TimedOut
from opsd.model import Finding, Severity
from opsd.playbook import Effect, Step
from opsd.response import Call, Ending, Fate, Page, Response, StepEnd
from opsd.tasks.respond.actions import ACTIONS
from opsd.tasks.respond.hands import Did, Order
from opsd.tasks.respond.judging import content
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.planning import check

log = logging.getLogger(__name__)

# Between the deadline of a step and the moment from which nothing of it runs any more.
GRACE = timedelta(seconds=10)
_LOOK_AGAIN = 0.5
_SAYS = {
    Ending.MENDED: "respond.mended",
    Ending.NOT_MENDED: "respond.not_mended",
    Ending.FAILED: "respond.failed",
    Ending.PRECONDITION: "respond.precondition",
    Ending.UNKNOWN: "respond.unknown",
    Ending.STOPPED: "respond.stopped",
}


@dataclass(frozen=True, slots=True)
class Stopped(Exception):
    """A response goes no further."""

    ending: Ending
    step: str


@contextmanager
def held(means: Means, made: Response) -> Iterator[None]:
    """Hold the leases of a response and of all its targets; who finds them free knows it is dead.

    Raises `lock.Busy` where something else is done to one of them.
    """
    state = means.kit.config.state
    targets = {
        near for one in made.plan.targets for near in means.kit.config.automation.beside(one)
    }
    with ExitStack() as leases:
        for target in sorted(targets):
            leases.enter_context(lock.lease(state / "targets" / target, made.id))
        mine = means.kit.run_lease(made.id)
        leases.enter_context(lock.lease(mine, made.id))
        leases.callback(mine.unlink, missing_ok=True)
        yield


def run(means: Means, made: Response) -> Ending:
    """Run an agreed plan that was started, have it judged, and end it. Called while it is held.

    Raises `Cancelled` where opsd ends meanwhile: it is settled when it begins again.
    """
    try:
        for step in made.plan.steps:
            _insist_wanted(means, made, step)
            _take(means, made, step)
    except Stopped as stopped:
        ending = stopped.ending
        if ending is Ending.FAILED and not take_back(means, made):
            ending = Ending.UNKNOWN
        return end(means, made, ending, stopped.step)
    return judge(means, made)


def judge(means: Means, made: Response, *, after_crash: bool = False) -> Ending:
    """The check that raised it says whether it is mended."""
    terms = means.playbooks[made.playbook].terms if made.playbook in means.playbooks else None
    patience = terms.judged_within if terms else timedelta()
    mended = content(means, made.occasion, patience)
    ending = Ending.MENDED if mended else Ending.NOT_MENDED
    return end(means, made, ending, after_crash=after_crash)


def end(
    means: Means, made: Response, ending: Ending, step: str = "", *, after_crash: bool = False
) -> Ending:
    """Record how it ended; whatever is not mended is for a person to see."""
    severity = Severity.NOTE if ending is Ending.MENDED else Severity.FAULT
    said = Finding(severity, _SAYS[ending], {"name": made.playbook, "id": made.id, "step": step})
    at, page = means.now, None
    if ending is not Ending.MENDED:
        call = Call.UNKNOWN if ending is Ending.UNKNOWN else Call.FAILED
        page = Page(at, call, made.occasion.incident, made.id, said, _transcript(means, made))
    ended = replace(made, ended_at=at, ending=ending, said=said, after_crash=after_crash)
    means.responses.end_response(ended, page)
    log.info("response %s of %s ended: %s", made.id, made.playbook, ending.value)
    return ending


# --- one step


def _insist_wanted(means: Means, made: Response, step: Step) -> None:
    """Between two steps it may be stopped: opsd ends, or somebody switched automation off."""
    switches = means.responses.switches()
    off = [s for n in ("", made.playbook) if (s := switches.get(n)) is not None and not s.on]
    by_hand = made.who != ""
    if means.stop.requested or (off and not by_hand):
        raise Stopped(Ending.STOPPED, step.id)


def _take(means: Means, made: Response, step: Step) -> None:
    """Do a step, with its precondition looked at just before. Raises `Stopped`."""
    for condition in step.requires:
        if not check(means, step, condition).holds:
            raise Stopped(Ending.PRECONDITION, step.id)
    intent = means.responses.intend(made.id, step.id, means.now, _until(means, step))
    found = _done(means, step, intent)
    means.responses.end_step(found)
    if found.fate is Fate.FAILED:
        raise Stopped(Ending.FAILED, step.id)
    if found.fate is Fate.UNKNOWN:
        raise Stopped(Ending.UNKNOWN, step.id)


def _until(means: Means, step: Step) -> datetime:
    """When nothing of it runs any more, at the latest: what opsd does itself dies with it."""
    return means.now + GRACE + (step.timeout if step.argv else timedelta())


def _done(means: Means, step: Step, intent: int) -> StepEnd:
    began, at = time.monotonic(), means.now
    exit_code, output, said = None, "", None
    try:
        if step.action:
            output = ACTIONS[step.action].do(means, step.parameters)
            fate = _shown(means, step, at)
        else:
            did = means.reach.hand(step.host).do(Order(step.argv, step.timeout, step.privileged))
            exit_code, output = did.exit_code, did.output
            fate = _fate(means, step, did)
    except (LinkLost, TimedOut) as error:
        said = error.finding(Severity.FAULT)
        if isinstance(error, LinkLost):
            _wait(means, step.timeout + GRACE - timedelta(seconds=time.monotonic() - began))
        fate = after_silence(means, step, at)
    except Cancelled:
        raise  # what becomes of it is seen when opsd begins again
    except OpsdError as error:
        said = error.finding(Severity.FAULT)
        fate = Fate.FAILED
    elapsed = timedelta(seconds=time.monotonic() - began)
    return StepEnd(intent, means.now, fate, exit_code, output, elapsed, said)


def _shown(means: Means, step: Step, since: datetime) -> Fate:
    return Fate.DONE if ACTIONS[step.action].done(means, step.parameters, since) else Fate.FAILED


def _fate(means: Means, step: Step, did: Did) -> Fate:
    """Evidence before exit codes: a change is done when one sees that it was done."""
    if step.done is None:
        return Fate.DONE if did.exit_code == 0 else Fate.FAILED
    patience = step.shows_within if did.exit_code == 0 else timedelta()
    return Fate.DONE if seen(means, step, patience) else Fate.FAILED


def after_silence(means: Means, step: Step, since: datetime) -> Fate:
    """What became of a step that nobody told of, when nothing of it can run there any more.

    A read is worth nothing then. A change shows that it was done, or can be taken back, or a person
    is asked.
    """
    if step.effect is Effect.READ:
        return Fate.FAILED
    if step.action:
        holds: bool | None = ACTIONS[step.action].done(means, step.parameters, since)
    else:
        holds = check(means, step, step.done).holds if step.done else None
    if holds is None or (not holds and step.undo is None):
        return Fate.UNKNOWN
    return Fate.DONE if holds else Fate.FAILED


def _wait(means: Means, span: timedelta) -> None:
    """Wait until nothing of a step can run any more on a host that does not answer."""
    deadline = time.monotonic() + span.total_seconds()
    while time.monotonic() < deadline:
        means.kit.go_on()
        time.sleep(min(_LOOK_AGAIN, max(0.0, deadline - time.monotonic())))


def seen(means: Means, step: Step, patience: timedelta) -> bool:
    """Whether its completion check holds, soon. Raises `Cancelled` when opsd ends meanwhile."""
    condition = step.done
    assert condition is not None  # noqa: S101  (the callers looked)
    deadline = time.monotonic() + patience.total_seconds()
    while not check(means, step, condition).holds:
        if time.monotonic() >= deadline:
            return False
        means.kit.go_on()
        time.sleep(_LOOK_AGAIN)
    return True


# --- back


def take_back(means: Means, made: Response) -> bool:
    """Take back every change that was begun, the last one first, where something takes it back.

    False where nobody knows of one whether that succeeded.
    """
    intents = [one.intent for one in means.responses.attempts(made.id)]
    undone = {one.step for one in intents if one.undoing}  # or begun to be, before a crash
    begun = {one.step for one in intents} - undone
    fates = [
        undo(means, made, step, step.undo)
        for step in reversed(made.plan.steps)
        if step.id in begun and step.effect is Effect.CHANGE and step.undo is not None
    ]
    return Fate.UNKNOWN not in fates


def undo(means: Means, made: Response, step: Step, argv: Sequence[str]) -> Fate:
    """Take one step back, once."""
    until = _until(means, step)
    intent = means.responses.intend(made.id, step.id, means.now, until, undoing=True)
    began = time.monotonic()
    try:
        did = means.reach.hand(step.host).do(Order(tuple(argv), step.timeout, step.privileged))
        fate = Fate.UNDONE if did.exit_code == 0 else Fate.UNKNOWN
        found = StepEnd(intent, means.now, fate, did.exit_code, did.output)
    except OpsdError as error:
        said = error.finding(Severity.FAULT)
        found = StepEnd(intent, means.now, Fate.UNKNOWN, said=said)
    means.responses.end_step(found)
    log.info("step %s of %s: %s in %.1f s", step.id, made.id, found.fate, time.monotonic() - began)
    return found.fate


def _transcript(means: Means, made: Response) -> dict[str, str]:
    """What a person must know who takes it from here."""
    steps = {
        f"step.{one.intent.step}{'.undo' if one.intent.undoing else ''}": one.end.output
        for one in means.responses.attempts(made.id)
        if one.end is not None
    }
    return {**made.plan.attached, **steps}
