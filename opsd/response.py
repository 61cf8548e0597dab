"""The nouns of answering: a response, what people said to it, what each of its steps came to.

What each word means: docs/glossary.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from opsd import record
from opsd.model import Finding
from opsd.playbook import Occasion, Plan, Step


class Origin(StrEnum):
    """Where the wish to respond came from."""

    INCIDENT = "incident"
    ALERT = "alert"
    HAND = "hand"


class Verdict(StrEnum):
    """What was decided about an incident and a playbook. Waiting ones are looked at again."""

    NONE = "none"  # no playbook answers it
    WAITING = "waiting"  # a guard holds it back for now
    PROPOSED = "proposed"  # a person is asked
    STARTED = "started"
    HANDED_OVER = "handed_over"  # a person takes it from here


class Fate(StrEnum):
    """What a step came to."""

    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"
    GONE = "gone"  # its precondition did not hold any more: nothing was done
    UNKNOWN = "unknown"  # a person is asked


class Ending(StrEnum):
    """How a response ended. Only the first is good."""

    MENDED = "mended"
    NOT_MENDED = "not_mended"  # all was done, and the check is not content
    FAILED = "failed"
    PRECONDITION = "precondition"
    UNKNOWN = "unknown"
    STOPPED = "stopped"  # automation was switched off, or opsd ended, between two steps
    DENIED = "denied"
    EXPIRED = "expired"
    CHANGED = "changed"  # the plan is another one than the one that was approved
    OVER = "over"  # the incident was over before anything was done


@dataclass(frozen=True, slots=True)
class Response:
    """One time that a playbook answers an occasion; recorded before its first step."""

    id: str
    playbook: str
    origin: Origin
    who: str
    opened_at: datetime
    expires_at: datetime
    persons: int  # how many must agree
    digest: str
    occasion: Occasion
    plan: Plan
    resumes: str = ""  # the response whose rest it does
    started_at: datetime | None = None
    node: str = ""  # the machine on which opsd works on it
    ended_at: datetime | None = None
    ending: Ending | None = None
    said: Finding | None = None
    after_crash: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """What a person said to a plan, known by its digest."""

    response: str
    at: datetime
    who: str
    digest: str
    agreed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """Written before a step is done or undone; `until` is when it has ended there at the latest."""

    id: int
    response: str
    step: str
    at: datetime
    until: datetime
    undoing: bool = False


@dataclass(frozen=True, slots=True)
class StepEnd:
    """What became of an intent. `output` is the end of what the command said."""

    intent: int
    at: datetime
    fate: Fate
    exit_code: int | None = None
    output: str = ""
    elapsed: timedelta = timedelta()
    said: Finding | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An intent with its end; without one it is under way, or its process died."""

    intent: Intent
    end: StepEnd | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a playbook was started for an incident, or was not; `words` are one a reason."""

    incident: str
    at: datetime
    playbook: str
    verdict: Verdict
    words: tuple[str, ...] = ()
    reasons: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Breaker:
    """A playbook rests on a host, since it was needed again and again, until a person looked."""

    id: int
    playbook: str
    host: str
    at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Switch:
    """Automation as a whole (`playbook` empty), or one playbook, was switched on or off."""

    at: datetime
    playbook: str
    on: bool
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A response without its plan; `reaction` is from the opening of its incident to its start.

    `places` is what limits count it for: what it was about, and the hosts that it touched.
    """

    id: str
    incident: str
    playbook: str
    places: tuple[str, ...]
    origin: Origin
    persons: int
    opened_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    ending: Ending | None
    after_crash: bool
    unresolved: bool
    reaction: timedelta | None


class Call(StrEnum):
    """Why a person is paged."""

    APPROVAL = "approval"
    HANDED_OVER = "handed_over"
    BREAKER = "breaker"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Page:
    """A person is needed. Whoever delivers it reads on from the last `id` that was delivered."""

    at: datetime
    call: Call
    incident: str
    response: str
    said: Finding
    attached: Mapping[str, str] = field(default_factory=dict)
    id: int = 0  # given by the history


# --- plans as JSON-able values


def plain_step(step: Step) -> dict[str, Any]:
    """What a step does, without what is said of it."""
    told = record.plain(step)
    del told["purpose"]
    return told


def plain_plan(plan: Plan) -> dict[str, Any]:
    """A whole plan."""
    return {
        "diagnosis": [record.plain_finding(found) for found in plan.diagnosis],
        "steps": [
            {**plain_step(step), "purpose": record.plain_finding(step.purpose)}
            for step in plan.steps
        ],
        "attached": dict(plan.attached),
    }


def read_plan(found: Mapping[str, Any]) -> Plan:
    """The other way round."""
    return Plan(
        diagnosis=tuple(record.finding(one) for one in found["diagnosis"]),
        steps=tuple(
            record.noun(Step, {**one, "purpose": record.finding(one["purpose"])})
            for one in found["steps"]
        ),
        attached=found["attached"],
    )
