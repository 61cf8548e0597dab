"""Stale lock: whose locks keep backups out of a repository, and whether their owners live.

Touches locks of dead processes of this machine, after a person agreed; never one of another host,
which may only be asleep, never one whose owner lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_backups import StaleLockOptions
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
from playbooks.recalling import LOCKED, last, listed

_GOES = {"dead", "unknown"}


@dataclass(frozen=True, slots=True)
class StaleLock:
    """Answers a backup that was kept out by a lock; any other is another playbook's."""

    options: StaleLockOptions

    @property
    def terms(self) -> Terms:
        """A lock protects somebody's work: a person says that it may go."""
        return self.options.terms(Answers({"backup": frozenset({"backup", "proof"})}))

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """Whose locks lie there."""
        return (Recall("last_runs", subject(found)), Recall("locks", subject(found)))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """They go only where every one of them is of a dead process of this machine."""
        name = subject(found)
        seen = last(facts, name)
        if seen is None or not seen.reasons & LOCKED:
            return Plan((say("playbook.stale_lock.other", name=name),), passes_on=True)
        locks = listed(facts, "locks", name)
        told = {"locks": "\n".join(str(lock["told"]) for lock in locks)}
        stays = sorted({str(lock["owner"]) for lock in locks if lock["whose"] not in _GOES})
        if seen.under_way:
            return Plan((say("playbook.backup_failed.running", run=seen.under_way),), (), told)
        if stays:
            return Plan((say("playbook.stale_lock.alive", names=stays),), (), told)
        key = "playbook.stale_lock.dead" if locks else "playbook.stale_lock.gone"
        said = say(key, count=len(locks), repository=seen.repository)
        unlock = (_unlock(name, seen.repository),) if locks else ()
        return Plan((said,), (*unlock, _back_up(name)), told)


def _unlock(name: str, repository: str) -> Step:
    return Step(
        "unlock",
        say("playbook.stale_lock.unlock", repository=repository),
        Effect.CHANGE,
        action="unlock",
        parameters={"set": name},
        repeatable=True,
        timeout=timedelta(minutes=5),
    )


def _back_up(name: str) -> Step:
    return Step(
        "back_up",
        say("playbook.backup_failed.back_up", name=name),
        Effect.CHANGE,
        action="back_up",
        parameters={"set": name},
        repeatable=True,
        timeout=LONGEST_STEP,
    )
