"""What several playbooks recall of a backup set, read the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsd.playbook import Facts, Recall

# Why a run failed, as `opsd_run_failures_total{reason}` has it.
LOCKED = frozenset({"locked"})
NO_SPACE = frozenset({"space"})
# What may be over by itself: a second try is worth it.
PASSING = frozenset({"interrupted", "timeout", "source", "storage", "internal", "host", "lost"})


@dataclass(frozen=True, slots=True)
class Last:
    """How the last backup and the last proof of a set ended; `under_way` is a run of it now."""

    reason: str
    outcome: str
    proof_reason: str
    proof_outcome: str
    under_way: str
    repository: str
    told: str

    @property
    def reasons(self) -> frozenset[str]:
        """Both reasons, where there is one."""
        return frozenset({self.reason, self.proof_reason}) - {""}


def last(facts: Facts, backup_set: str) -> Last | None:
    """How the last runs ended; None where the set is not known."""
    found = facts.known.get(Recall("last_runs", backup_set))
    return Last(**found) if isinstance(found, Mapping) and found else None


def listed(facts: Facts, name: str, about: str) -> Sequence[Mapping[str, object]]:
    """A list of what is known; empty where nothing is."""
    found = facts.known.get(Recall(name, about))
    return found if isinstance(found, tuple) else ()
