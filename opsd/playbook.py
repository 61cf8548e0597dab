"""The shape of a playbook: what it looks at, and what it would do, as data.

A playbook neither acts nor grades itself. `look` names what must be known, `plan` is pure and gives
steps; the engine shows, asks, runs and records them, and the check that raised the incident judges.
The same plan serves the dry run, the approval and the execution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from opsd.check import Answer, Read
from opsd.model import CheckId, Finding, Incident, Severity
from opsd.people import ALERT


class Effect(StrEnum):
    """What a step does to what it is done to."""

    READ = "read"
    CHANGE = "change"


class Consent(StrEnum):
    """Who must agree before the steps of a plan are run."""

    AUTO = "auto"
    REQUIRED = "required"
    TWO_PERSON = "two_person"

    @property
    def persons(self) -> int:
        """How many different people must agree."""
        return {Consent.AUTO: 0, Consent.REQUIRED: 1, Consent.TWO_PERSON: 2}[self]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is to be answered: an incident, or what a person says by hand.

    `labels` are those of an alert. Anybody may have written them: they never become a part of a
    script, only one whole argument of an argv, or a text that `shlex.quote` has quoted.
    """

    incident: str
    id: CheckId
    cause: str
    began: datetime
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host that it is about; empty where it is about none."""
        return self.id.host

    @property
    def place(self) -> str:
        """What it is counted under: its host, or where there is none what it is about."""
        return self.host or str(self.id)

    @property
    def alert(self) -> str:
        """The name of the alert that opened the incident, where one did."""
        return self.id.subject if self.id.check == ALERT else ""


def occasion(incident: Incident) -> Occasion:
    """An incident as a playbook sees it."""
    alerted = incident.id.check == ALERT
    labels = {k: str(v) for k, v in incident.said.fields.items()} if alerted else {}
    return Occasion(incident.code, incident.id, incident.cause, incident.began, labels)


# --- looking


@dataclass(frozen=True, slots=True)
class Ask:
    """A read of a host, as a check has it."""

    host: str
    read: Read


@dataclass(frozen=True, slots=True)
class Recall:
    """Something that opsd itself knows, by its name in `opsd.tasks.respond.knowledge`."""

    name: str
    about: str = ""  # the set, repository or host that is asked about


Question: TypeAlias = Ask | Recall
UNREACHED = "unreached"  # the attached text that says why a host could not be looked at


@dataclass(frozen=True, slots=True)
class Facts:
    """The answers to what was asked. A host that was not reached has none, and says why."""

    now: datetime
    answers: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    known: Mapping[Recall, object] = field(default_factory=dict)
    unreached: Mapping[str, Finding] = field(default_factory=dict)

    def answer(self, host: str, read: str) -> Answer:
        """What a read of a host gave; not good where there is none."""
        return self.answers.get((host, read), Answer("", None))


# --- planning


@dataclass(frozen=True, slots=True)
class Condition:
    """A command without effect on the step's host, and what it must say. All that is named holds.

    `equals` and `matches` are about its whole output without surrounding space, the limits about
    the first number in it.
    """

    argv: tuple[str, ...]
    exit_code: int | None = 0  # None: whatever it is
    equals: str | None = None
    matches: str | None = None  # a regular expression, for the whole
    at_least: float | None = None
    at_most: float | None = None
    privileged: bool = False
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: an argv on a host, or an action of opsd's own by its name.

    `requires` is looked at just before; `done` is how one sees afterwards that it was done, soon
    enough, also after a crash (an action knows by itself). `undo` None: nothing takes it back.
    `repeatable`: a second time does no harm, so that a person may have it run again.
    """

    id: str
    purpose: Finding
    effect: Effect
    host: str = ""
    argv: tuple[str, ...] = ()
    action: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    privileged: bool = False
    requires: tuple[Condition, ...] = ()
    done: Condition | None = None
    undo: tuple[str, ...] | None = None
    repeatable: bool = False
    timeout: timedelta = timedelta(minutes=2)
    shows_within: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Plan:
    """A diagnosis, and what to do about it. Without steps it is handed to a person.

    `attached` are texts by name that go with it: what the looking showed. One that `passes_on`
    found that it is another playbook's: the next one that answers is asked.
    """

    diagnosis: tuple[Finding, ...]
    steps: tuple[Step, ...] = ()
    attached: Mapping[str, str] = field(default_factory=dict)
    passes_on: bool = False

    @property
    def targets(self) -> tuple[str, ...]:
        """The hosts that are touched, each once."""
        return tuple(dict.fromkeys(step.host for step in self.steps if step.host))


def say(key: str, /, **fields: object) -> Finding:
    """A sentence of the catalogue: what was found, or what a step is for."""
    return Finding(Severity.NOTE, key, fields)


# --- what every author must say


@dataclass(frozen=True, slots=True)
class Answers:
    """What a playbook answers: checks, each with its causes (none: all of them), and alerts."""

    checks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    alerts: frozenset[str] = frozenset()

    def fit(self, found: Occasion) -> bool:
        """Whether this is one of them."""
        if found.alert:
            return found.alert in self.alerts
        causes = self.checks.get(found.id.check)
        return causes is not None and (not causes or found.cause in causes)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a playbook may do before it must leave things to people."""

    hosts_at_once: int = 1
    cooldown: timedelta = timedelta(minutes=30)
    per_host: int = 3
    in_total: int = 10
    within: timedelta = timedelta(days=1)
    breaker_after: int = 3
    breaker_within: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what terms a playbook works. `hosts` None means every host of the inventory.

    `privileges` are the commands that it runs as root, for `opsd host sudoers`: each word is meant
    literally, or is a regular expression where it begins with `^`.
    """

    answers: Answers
    limits: Limits = Limits()
    consent: Consent = Consent.REQUIRED
    expires_after: timedelta = timedelta(minutes=15)
    enabled: bool = True
    hosts: frozenset[str] | None = None
    never: frozenset[str] = frozenset()
    privileges: tuple[tuple[str, ...], ...] = ()
    freezes_first: bool = False  # retention is frozen before anything else is changed
    judged_within: timedelta = timedelta(minutes=3)
    title: str = ""  # a site's own playbook says what it is called; others stand in the catalogue

    def may_touch(self, host: str) -> bool:
        """Whether it may touch a host of the inventory."""
        return host not in self.never and (self.hosts is None or host in self.hosts)


class Playbook(Protocol):
    """Answers one kind of incident. Made with its options; what it is called says the table."""

    @property
    def terms(self) -> Terms:
        """What it answers, whom it may touch, how often, and who must agree."""
        ...

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """What must be known."""
        ...

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """What is wrong and what to do about it. Pure; a missing answer is no reason to act."""
        ...
