"""Repository full: how much is free, what retention would give back, and whether it is frozen.

Touches points that no rule keeps, after a person agreed, by the same retention as each night; never
what is on hold, never the last proved point, nothing while retention is frozen.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsd.config.playbook_backups import RepositoryFullOptions
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
from playbooks.recalling import NO_SPACE, last

_FULL = frozenset({"filesystem_full", "filling_fast", "filling"})


@dataclass(frozen=True, slots=True)
class RepositoryFull:
    """Answers a full filesystem with a repository on it, and a backup that found no room there."""

    options: RepositoryFullOptions

    @property
    def terms(self) -> Terms:
        """What is dropped does not come back: a person says yes."""
        return self.options.terms(
            Answers(
                {
                    "filesystems": _FULL,
                    "backup": frozenset({"backup"}),
                    "repository": frozenset({"room_low"}),
                }
            )
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """What would go, and whether anything stands against it."""
        if found.id.check == "backup":
            name = subject(found)
            return (Recall("last_runs", name), Recall("room", name), Recall("dropping", name))
        repository = self._repository(found)
        return (Recall("sets", repository), Recall("dropping")) if repository else ()

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """Retention, for each set that may be dropped from."""
        if found.id.check == "backup":
            seen = last(facts, subject(found))
            names = (subject(found),) if seen and seen.reasons & NO_SPACE else ()
        else:
            sets = facts.known.get(Recall("sets", self._repository(found) or ""))
            names = sets if isinstance(sets, tuple) else ()
        if not names:
            return Plan((say("playbook.repository_full.other"),), passes_on=True)
        about = subject(found) if found.id.check == "backup" else ""
        known = facts.known.get(Recall("dropping", about))
        dropping = known if isinstance(known, tuple) else ()
        mine = [one for one in dropping if one["set"] in names]
        told = {"retention": "\n".join(str(one["told"]) for one in mine)}
        goes = [str(one["set"]) for one in mine if one["goes"] and not one["against"]]
        key = "playbook.repository_full.drop" if goes else "playbook.repository_full.nothing"
        said = [say(key, names=goes or list(names))]
        said += [
            say("playbook.repository_full.against", name=one["set"], reason=one["against"])
            for one in mine
            if one["against"]
        ]
        return Plan(tuple(said), tuple(map(_retain, goes)), told)

    def _repository(self, found: Occasion) -> str | None:
        if found.id.check == "repository":
            return subject(found)
        for name, place in self.options.places.items():
            if (place.host, str(place.point)) == (found.host, subject(found)):
                return name
        return None


def _retain(name: str) -> Step:
    return Step(
        f"retain_{name.replace('-', '_')}"[:41],
        say("playbook.repository_full.retain", name=name),
        Effect.CHANGE,
        action="retain",
        parameters={"set": name},
        timeout=LONGEST_STEP,
    )
