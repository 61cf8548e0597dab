"""The nouns of people and of what reaches them: alerts that come in, notices that go out.

What each word means: docs/glossary.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# The check of an incident that an alert from outside opened; its subject is the alert's name.
ALERT = "alert"


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
