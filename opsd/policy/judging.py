"""From answers to a status that holds: hysteresis, age, and whose fault it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opsd.model import CheckId, CheckResult, CheckState, Maintenance, Status

# An answer that is this many intervals late counts as none.
_INTERVALS_OF_AGE = 3
_LEAST_PATIENCE = timedelta(seconds=10)
# A bad check waits for the one that may explain it, which may itself wait for an answer that does
# not come; when that takes too long it is unknown, and explains as well.
_INTERVALS_OF_WAITING = 2
_LONGEST_ANSWER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Rule:
    """How a check is judged.

    Its status gets worse when `confirm` answers in a row were at least as bad, and better when
    `recover` answers in a row were at least as good.
    """

    interval: timedelta
    confirm: int = 2
    recover: int = 2
    explained_by: tuple[CheckId, ...] = ()
    disturbed_by: frozenset[str] = frozenset()

    @property
    def patience(self) -> timedelta:
        """The age from which the last answer says nothing any more."""
        return max(_INTERVALS_OF_AGE * self.interval, _LEAST_PATIENCE)


def take(
    before: CheckState | None, about: CheckId, result: CheckResult, at: datetime, rule: Rule
) -> CheckState:
    """The state after one more answer.

    Of a check that never answered nothing is known: the first good answer is believed at once, a
    bad one is confirmed like any other.
    """
    known = before or CheckState(about, Status.UNKNOWN, at, result, at)
    recent = (*known.recent, result.status)[-max(rule.confirm, rule.recover) :]
    fresh = not known.recent and not known.incident and result.status is Status.OK
    status = Status.OK if fresh else _confirmed(known.status, recent, rule)
    critical = result.status is Status.CRITICAL
    return replace(
        known,
        status=status,
        since=known.since if status is known.status else at,
        result=result,
        seen_at=at,
        recent=recent,
        worse_since=(known.worse_since or at) if critical else None,
    )


def _confirmed(now: Status, recent: tuple[Status, ...], rule: Rule) -> Status:
    rising, falling = recent[-rule.confirm :], recent[-rule.recover :]
    mildest = min(rising, key=lambda status: status.badness)
    if len(rising) == rule.confirm and mildest.badness > now.badness:
        return mildest
    gravest = max(falling, key=lambda status: status.badness)
    if len(falling) == rule.recover and gravest.badness < now.badness:
        return gravest
    return now


def overdue(state: CheckState, rule: Rule, now: datetime) -> bool:
    """Whether the last answer is too old to say anything."""
    return now - state.seen_at > rule.patience


def carried(state: CheckState, step: timedelta, now: datetime) -> CheckState:
    """The state when the clock was set by `step`: as old as it was.

    What was heard since, and bears the new time already, is not made older by it.
    """
    moved = state.seen_at + step
    if step > timedelta():
        return replace(state, seen_at=min(moved, now))
    return replace(state, seen_at=moved) if state.seen_at > now else state


def blind(state: CheckState, result: CheckResult, at: datetime, why: str = "") -> CheckState:
    """The state when no answer can be had: unknown at once. An open incident stays open."""
    return replace(
        state,
        status=Status.UNKNOWN,
        since=state.since if state.status is Status.UNKNOWN else at,
        result=result,
        recent=(),
        worse_since=None,
        silent=why,
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What may keep a fault from being an incident of its own."""

    states: Mapping[CheckId, CheckState]
    maintenance: tuple[Maintenance, ...] = ()
    disturbances: frozenset[str] = frozenset()


MAINTENANCE = "maintenance"
WAITING = "waiting"


def why_silent(state: CheckState, rule: Rule, around: Surroundings, now: datetime) -> str:
    """Why a critical check opens no incident; empty when it does.

    The ladder from the strongest reason: a person said so, opsd itself disturbs the host, another
    check explains it, or the one that may explain it has not been asked since.
    """
    if any(window.covers(state.id, now) for window in around.maintenance):
        return MAINTENANCE
    if disturbed := sorted(rule.disturbed_by & around.disturbances):
        return disturbed[0]
    causes = [around.states[one] for one in rule.explained_by if one in around.states]
    if explanation := explaining(rule, around.states):
        return explanation
    began = state.worse_since or state.since
    unheard = any(cause.seen_at < began for cause in causes)
    patience = max(_INTERVALS_OF_WAITING * rule.interval, _LONGEST_ANSWER)
    if any(timedelta() < cause.since - state.seen_at < patience for cause in causes):
        return WAITING  # it was asked before the one that explained it got well
    if unheard and timedelta() <= now - began < patience:  # less is no time: the clock was set back
        return WAITING
    return ""


def joined(state: CheckState, states: Mapping[CheckId, CheckState]) -> str:
    """The open incident of another check that tells of the same disk; empty when there is none."""
    disks = state.result.disks
    others = (other for other in states.values() if disks and other.incident)
    return next(
        (o.incident for o in others if o.id.host == state.id.host and o.result.disks & disks), ""
    )


def explaining(rule: Rule, states: Mapping[CheckId, CheckState]) -> str:
    """The bad check that explains one that is judged by this rule; empty when there is none."""
    bad = {Status.CRITICAL, Status.UNKNOWN}
    causes = (states[one] for one in rule.explained_by if one in states)
    return next((str(c.id) for c in causes if c.status in bad or c.raw in bad), "")
