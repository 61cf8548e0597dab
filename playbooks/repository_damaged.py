"""Repository damaged: the plan of repair of `opsd repository damage`, step by step.

Retention is frozen first. Touches the repository's index and, last of all, adds repaired snapshots
beside the old ones; never drops a snapshot, never prunes, never removes what could not be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

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
from opsd.policy.repair import StepName
from playbooks.looking import subject
from playbooks.recalling import last

# What does each step of the plan; that retention goes on says a person, who has looked.
_ACTIONS: Final[Mapping[str, str]] = {
    StepName.STOP_PRUNING: "freeze_retention",
    StepName.KEEP: "keep_index",
    StepName.REPAIR_PACKS: "repair_packs",
    StepName.REPAIR_INDEX: "repair_index",
    StepName.BACK_UP: "back_up",
    StepName.READ: "read_again",
    StepName.REPAIR_SNAPSHOTS: "repair_snapshots",
    StepName.PROVE: "prove",
}
_ONCE = StepName.REPAIR_SNAPSHOTS  # a second time would add them again


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
        """How the last runs ended, what is damaged, whom it affects."""
        name = subject(found)
        return (Recall("last_runs", name), Recall("room", name), Recall("damage", name))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """The steps in their order; what is not needed by then says so itself."""
        name = subject(found)
        seen, harm = last(facts, name), facts.known.get(Recall("damage", name))
        if seen is None or not isinstance(harm, Mapping) or not harm:
            return Plan((say("playbook.repository_damaged.other", name=name),), passes_on=True)
        told = {
            "last_runs": seen.told,
            "damage": str(harm["told"]),
            "room": str(facts.known.get(Recall("room", name), "")),
        }
        if seen.under_way:
            return Plan((say("playbook.backup_failed.running", run=seen.under_way),), (), told)
        said = say("playbook.repository_damaged.found", repository=harm["repository"])
        return Plan((said,), tuple(_steps(harm["steps"], name)), told)


def _steps(planned: object, name: str) -> Iterator[Step]:
    """The steps as actions: each has a name of its own, and is about this set or another one."""
    doing = (
        [one for one in planned if one["step"] in _ACTIONS] if isinstance(planned, tuple) else []
    )
    times: Counter[str] = Counter()
    for one in doing:
        step, action = one["step"], _ACTIONS[one["step"]]
        times[action] += 1
        about = {"about": "repository_damaged"} if step == StepName.STOP_PRUNING else {}
        yield Step(
            action if times[action] == 1 else f"{action}_{times[action]}",
            say(f"repair.{step}"),
            Effect.CHANGE,
            action=action,
            parameters={"set": one["set"] or name, **about},
            repeatable=step != _ONCE,
            timeout=LONGEST_STEP,
        )
