"""What the log of a database can be brought back to, and how fast, from what nights have told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsd.errors import UsageError
from opsd.model import Status
from opsd.policy.freshness import judge_span


@dataclass(frozen=True, slots=True)
class Measured:
    """What a good replay measured: how long it took, and bytes a second where it counted them."""

    span: timedelta
    speed: float | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What of a log one repository can bring back. None: not known."""

    oldest: datetime | None = None
    newest: datetime | None = None
    gaps: int | None = None
    forecast: timedelta | None = None  # of a recovery to now


@dataclass(frozen=True, slots=True)
class Recoverable:
    """The same of all repositories of a log, and how long it took when it was measured."""

    rto: timedelta
    repositories: Mapping[str, Reach]
    measured: timedelta | None = None

    @property
    def forecast(self) -> timedelta | None:
        """How long a recovery to now may take: the longest of those that are known."""
        known = (reach.forecast for reach in self.repositories.values())
        return max((span for span in known if span is not None), default=None)

    @property
    def statuses(self) -> tuple[Status, Status]:
        """Of what was measured, and of what is expected."""
        return judge_span(self.measured, self.rto), judge_span(self.forecast, self.rto)


def measured(told: Mapping[str, Any]) -> Measured:
    """What the evidence of a replay says."""
    seconds = sum(told["seconds"].values())
    moved = told.get("read_bytes")
    if moved is None and "base_bytes" in told:
        moved = told["base_bytes"] + told["wal_bytes"]
    speed = None if moved is None else max(moved / max(seconds, 1), 1)
    return Measured(timedelta(seconds=seconds), speed)


def forecast(base: int, log: int | None, speed: float | None) -> timedelta | None:
    """How long a recovery takes: what is read of base copy and log, at the measured speed."""
    if log is None or log < 0 or speed is None:
        return None
    return timedelta(seconds=(base + log) / speed)


def no_base(name: str, copies: Sequence[datetime], detail: str = "") -> UsageError:
    """Why no base copy leads to a goal: there is none, or all are younger."""
    if not copies:
        return UsageError("recover.no_bases", name=name, detail=detail)
    return UsageError("recover.no_base", name=name, oldest=min(copies), detail=detail)
