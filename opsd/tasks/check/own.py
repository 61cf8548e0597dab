"""What opsd asks itself: is each backup set safe?"""

from __future__ import annotations

from collections.abc import Iterator

from opsd.model import CheckResult, Status
from opsd.policy.freshness import SetVerdict, judge
from opsd.tasks import status
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit

BACKUP = "backup"
# Each question about a set: its cause when it is bad, from the gravest.
_QUESTIONS = ("proved", "newest", "backup", "proof", "restore")


def backups(kit: Kit) -> Answers:
    """How safe each set is, by age of its points and proofs, and by how its last runs ended."""
    return Answers("", BACKUP, kit.clock(), tuple(_results(kit)))


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
