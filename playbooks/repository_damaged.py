"""Repository damaged: retention is frozen first, then the repair order of docs/restic.md.

Touches the repository's index and, last of all, adds repaired snapshots beside the old ones; never
drops a snapshot, never prunes, never removes what could not be read.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsd.config.playbook_backups import RepositoryDamagedOptions
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
from playbooks.recalling import DAMAGED, last

# The order matters: the living source heals what repaired snapshots would only leave out.
ORDER = (
    "freeze_retention",
    "keep_index",
    "repair_packs",
    "repair_index",
    "back_up",
    "repair_snapshots",
    "prove",
)
_ANEW = {"back_up", "prove", "keep_index", "repair_packs", "repair_index", "freeze_retention"}


@dataclass(frozen=True, slots=True)
class RepositoryDamaged:
    """Answers a run that found that what is stored is not what was written."""

    options: RepositoryDamagedOptions

    @property
    def terms(self) -> Terms:
        """Who repairs rewrites: two persons say yes."""
        answered = frozenset({"backup", "proof", "proved", "coverage", "retention"})
        return self.options.terms(Answers({"backup": answered}), freezes_first=True)

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """How the last runs ended."""
        return (Recall("last_runs", subject(found)), Recall("room", subject(found)))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """The order, whole; what is not needed by then says so itself."""
        name = subject(found)
        seen = last(facts, name)
        if seen is None or not seen.reasons & DAMAGED:
            return Plan((say("playbook.repository_damaged.other", name=name),), passes_on=True)
        told = {"last_runs": seen.told, "room": str(facts.known.get(Recall("room", name), ""))}
        if seen.under_way:
            return Plan((say("playbook.backup_failed.running", run=seen.under_way),), (), told)
        said = say("playbook.repository_damaged.found", repository=seen.repository)
        return Plan((said,), tuple(_step(action, name, seen.repository) for action in ORDER), told)


def _step(action: str, name: str, repository: str) -> Step:
    about = {"about": "repository_damaged"} if action == "freeze_retention" else {}
    return Step(
        action,
        say(f"playbook.repository_damaged.{action}", name=name, repository=repository),
        Effect.CHANGE,
        action=action,
        parameters={"set": name, **about},
        repeatable=action in _ANEW,
        timeout=LONGEST_STEP,
    )
