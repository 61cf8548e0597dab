"""What opsd asks itself: is each backup set safe?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsd.model import CheckResult, Status
from opsd.policy.freshness import SetVerdict, judge
from opsd.tasks import status
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit

BACKUP = "backup"
WATCHDOG = "watchdog"
# Each question about a set: its cause when it is bad, from the gravest.
_QUESTIONS = ("data", "proved", "newest", "backup", "proof", "coverage", "restore", "retention")


def backups(kit: Kit) -> Answers:
    """How safe each set is, by age of its points and proofs, and by how its last runs ended."""
    return Answers("", BACKUP, kit.clock(), tuple(_results(kit)))


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When the alert that fires always last came in; `since` is when it could first be heard."""

    last: Callable[[], datetime | None]
    since: datetime


def watchdog(kit: Kit, heartbeat: Heartbeat, within: timedelta) -> Answers:
    """Whether the way of alerts is open: what fires always must arrive."""
    now, last = kit.clock(), heartbeat.last()
    fields = {"within": within, "since": last or heartbeat.since}
    if now - max(heartbeat.since, last or heartbeat.since) > within:
        found = CheckResult(Status.CRITICAL, "check.watchdog_missing", fields, cause="missing")
    elif last is None:
        found = CheckResult(Status.UNKNOWN, "check.watchdog_unheard", fields, cause="unheard")
    else:
        found = CheckResult(Status.OK, "check.watchdog", fields)
    return Answers("", WATCHDOG, now, (found,))


def _results(kit: Kit) -> Iterator[CheckResult]:
    for name in kit.config.backup_sets:
        facts = status.observe(kit, name)
        verdict = judge(facts)
        fields = {
            "set": name,
            "age": verdict.proved_age if verdict.proved_age is not None else "-",
            "rpo": facts.objectives.rpo,
        }
        cause = _cause(verdict)
        key = f"check.backup_{cause}" if cause else "check.backup"
        yield CheckResult(verdict.status, key, fields, cause=cause, subject=name)


def _cause(verdict: SetVerdict) -> str:
    """The first question whose answer is as bad as the whole."""
    if verdict.status is Status.OK:
        return ""
    return next(name for name in _QUESTIONS if getattr(verdict, name) is verdict.status)
