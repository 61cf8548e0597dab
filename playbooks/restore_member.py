"""Restore of one member to a point, into a new directory beside the living one; two persons.

Touches a new directory below the one that the site named; never the living source, never a
directory that is in use: changing over to it is people's.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsd.config.playbook_backups import RestoreMemberOptions
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
from playbooks.recalling import listed


@dataclass(frozen=True, slots=True)
class RestoreMember:
    """Answers nothing by itself. A run by hand has the subject `SET/MEMBER[@POINT]`."""

    options: RestoreMemberOptions

    @property
    def terms(self) -> Terms:
        """Restored data are everybody's data in one place: two persons say yes."""
        return self.options.terms(Answers())

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """The points that there are."""
        return (Recall("points", _asked(found)[0]),)

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """The point stays while it is restored; what comes back is compared with its manifest."""
        name, member, wanted = _asked(found)
        points = listed(facts, "points", name)
        told = {"points": "\n".join(str(one["told"]) for one in points[:30])}
        fit = [one for one in points if str(one["id"]).startswith(wanted) and _has(one, member)]
        chosen = next((one for one in fit if wanted or one["proved"]), None)
        if chosen is None or (wanted and len(fit) != 1):
            said = say(
                "playbook.restore_member.none", name=name, member=member, point=wanted or "-"
            )
            return Plan((said,), (), told)
        point = str(chosen["id"])
        target = str(self.options.target / f"{name}-{member}-{point}")
        fields = {"member": member, "point": point, "target": target}
        word = "proved" if chosen["proved"] else "not_proved"
        return Plan(
            (say(f"playbook.restore_member.{word}", **fields),),
            (
                Step(
                    "hold_point",
                    say("playbook.mass_change.hold", point=point),
                    Effect.CHANGE,
                    action="hold_point",
                    parameters={"set": name, "point": point},
                    repeatable=True,
                ),
                Step(
                    "restore",
                    say("playbook.restore_member.restore", **fields),
                    Effect.CHANGE,
                    action="restore_member",
                    parameters={"set": name, **fields},
                    timeout=LONGEST_STEP,
                ),
            ),
            told,
        )


def _asked(found: Occasion) -> tuple[str, str, str]:
    """Set, member, and the beginning of the point's id."""
    place, _, point = found.id.subject.partition("@")
    name, _, member = place.partition("/")
    return name, member, point


def _has(point: object, member: str) -> bool:
    members = point["members"] if isinstance(point, dict) else ()
    return member in members
