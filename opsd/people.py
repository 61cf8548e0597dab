"""The nouns of people and of what reaches them: alerts that come in, notices that go out.

What each word means: docs/glossary.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from opsd.model import Finding

# The check of an incident that an alert from outside opened; its subject is the alert's name.
ALERT = "alert"
BY = "by"  # in an entry: for whom the account speaks


class AlertStatus(StrEnum):
    """What Alertmanager says of an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as Alertmanager sent it. Anybody may have written its labels: they are data.

    `truncated` is how many alerts of its group were left out of the message: who counts hosts by
    alerts would count too few.
    """

    fingerprint: str
    status: AlertStatus
    starts_at: datetime
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    truncated: int = 0

    @property
    def name(self) -> str:
        """Its name."""
        return self.labels.get("alertname", "")

    @property
    def key(self) -> tuple[str, datetime, AlertStatus]:
        """What it is known by: the same alert may be sent any number of times."""
        return self.fingerprint, self.starts_at, self.status


class Fate(StrEnum):
    """What became of an alert when it arrived."""

    KNOWN = "known"  # it was here before
    OPENED = "opened"  # it opened an incident
    JOINED = "joined"  # its cause has an incident already
    CLOSED = "closed"  # it ended its incident
    KEPT = "kept"  # it is kept, and nothing follows


@dataclass(frozen=True, slots=True)
class Received:
    """An alert that arrived, what became of it, and the incident that it belongs to."""

    alert: Alert
    fate: Fate
    incident: str = ""


# --- who is called


@dataclass(frozen=True, slots=True)
class Shift:
    """A time of the week in which somebody is on duty; several take turns week by week.

    `days` are those on which it begins, 0 for Monday. It ends on the next day where `ends` is not
    after `begins`.
    """

    days: frozenset[int]
    begins: time
    ends: time
    main: tuple[str, ...]
    deputy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Absence:
    """Days, both included, on which somebody cannot be called."""

    person: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on duty when, and who is called after them."""

    shifts: tuple[Shift, ...] = ()
    absences: tuple[Absence, ...] = ()
    leaders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on duty; empty where nobody is."""

    main: str = ""
    deputy: str = ""


# --- what is sent


class Urgency(StrEnum):
    """How a person is told."""

    PAGE = "page"  # by every channel at once
    TELL = "tell"  # by the first channel that takes it


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is reached: a channel, and what they are known by there."""

    channel: str
    to: str
    person: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people are told. `key` names its occasion: of each there is one."""

    id: int
    key: str
    at: datetime
    urgency: Urgency
    incident: str
    said: Finding


@dataclass(frozen=True, slots=True)
class Sending:
    """A notice on its way to one address.

    `tries` ended badly, the last one at `tried_at`. `unsure`: one was begun by a process that died,
    so that it may have arrived.
    """

    id: int
    notice: Notice
    address: Address
    tries: int = 0
    tried_at: datetime | None = None
    unsure: bool = False


# --- what is kept of an incident


class EntryKind(StrEnum):
    """What a person said of an incident."""

    ACK = "ack"  # somebody takes it on
    NOTE = "note"
    CLASS = "class"
    NOTICE = "notice"  # a legal notice was given
    CLOSE = "close"
    REVIEW = "review"
    ACTION = "action"  # something to be done so that it does not happen again
    DONE = "done"  # and it was done


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record of an incident; it is added to and never changed.

    `who` is the account that logged in; whom it speaks for stands in the body.
    """

    id: int
    incident: str
    at: datetime
    who: str
    kind: EntryKind
    body: Mapping[str, str]

    @property
    def named(self) -> str:
        """Who says it, by whose hand, where that is somebody else."""
        return f"{self.body[BY]} ({self.who})" if BY in self.body else self.who


class Grade(StrEnum):
    """How grave an incident is, from the mildest."""

    ORDINARY = "ordinary"
    SERIOUS = "serious"
    DISRUPTIVE = "disruptive"  # a serious interruption of the system, or harm beyond it

    @property
    def rank(self) -> int:
        """From the mildest."""
        return list(Grade).index(self)


class Sort(StrEnum):
    """What an incident is: the law asks for notices of one sort only."""

    TECHNICAL = "technical"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class Classified:
    """What a named person decided that an incident is."""

    sort: Sort = Sort.TECHNICAL
    grade: Grade = Grade.ORDINARY
    personal_data: bool = False
    who: str = ""


@dataclass(frozen=True, slots=True)
class LegalClock:
    """A notice that a law asks for, within a span of the detection of an incident."""

    name: str
    source: str
    recipient: str
    within: timedelta
    grade: Grade
    personal_data: bool
    since: date
    until: date | None = None
    checked: date | None = None  # when a person compared it with the law; None: nobody did


@dataclass(frozen=True, slots=True)
class Deadline:
    """A clock that runs for an incident; `given_at` is when the notice was given."""

    clock: LegalClock
    began: datetime
    due: datetime
    given_at: datetime | None = None
