"""Backup failed or overdue: why, and whether a second try can help.

Touches nothing but the repository, by adding to it; never drops a point, never changes a source.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsd.config.playbook_backups import BackupFailedOptions
from opsd.playbook import (
    Answers,
    Effect,
    Facts,
    Occasion,
    Plan,
    Question,
    Recall,
    Step,
    Terms,
    say,
)
from opsd.policy.plans import LONGEST_STEP
from playbooks.looking import subject
from playbooks.recalling import PASSING, last

CAUSES = frozenset({"backup", "newest", "proved", "proof"})


@dataclass(frozen=True, slots=True)
class BackupFailed:
    """Answers a set whose backup or proof failed, or is older than promised."""

    options: BackupFailedOptions

    @property
    def terms(self) -> Terms:
        """One more point does no harm."""
        return self.options.terms(Answers({"backup": CAUSES}))

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """How the last runs ended."""
        return (Recall("last_runs", subject(found)), Recall("room", subject(found)))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """Once more, where what stood against it may be over."""
        name = subject(found)
        seen = last(facts, name)
        if seen is None:
            return Plan((say("playbook.set.unknown", name=name),))
        told = {"last_runs": seen.told, "room": str(facts.known.get(Recall("room", name), ""))}
        if seen.under_way:
            return Plan((say("playbook.backup_failed.running", run=seen.under_way),), (), told)
        against = seen.reasons - PASSING
        if against:
            fields = {"name": name, "reason": ", ".join(sorted(against))}
            return Plan((say("playbook.backup_failed.person", **fields),), (), told)
        word = "failed" if seen.reasons else "overdue"
        said = say(f"playbook.backup_failed.{word}", name=name, reason=seen.reason or "-")
        return Plan((said,), tuple(_again(name)), told)


def _again(name: str) -> tuple[Step, Step]:
    parameters = {"set": name}
    return (
        Step(
            "back_up",
            say("playbook.backup_failed.back_up", name=name),
            Effect.CHANGE,
            action="back_up",
            parameters=parameters,
            repeatable=True,
            timeout=LONGEST_STEP,
        ),
        Step(
            "prove",
            say("playbook.backup_failed.prove", name=name),
            Effect.CHANGE,
            action="prove",
            parameters=parameters,
            repeatable=True,
            timeout=LONGEST_STEP,
        ),
    )
