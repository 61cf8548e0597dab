"""Mass change: somebody may be destroying data. Good copies first, then evidence, then people.

Touches opsd's own retention (nothing is dropped any more) and puts the last calm point on hold;
never ends a process, never cuts a host off: that is `isolate_host`, by two persons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_backups import MassChangeOptions
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
from playbooks.looking import subject
from playbooks.recalling import listed

# What is gone when the machine is switched off. Nothing here writes there.
_EVIDENCE = {
    "processes": ("ps", "-eo", "pid,ppid,user,lstart,etime,args"),
    "connections": ("ss", "-tunap"),
    "logins": ("last", "-n", "40", "-F"),
    "sessions": ("w",),
    "open_files": ("sh", "-c", "ls -l /proc/[0-9]*/exe /proc/[0-9]*/cwd"),
}


@dataclass(frozen=True, slots=True)
class MassChange:
    """Answers a set of which the tripwire says that somebody may be destroying it."""

    options: MassChangeOptions

    @property
    def terms(self) -> Terms:
        """Keeping more than usual does no harm, and cannot wait for anybody."""
        return self.options.terms(Answers({"backup": frozenset({"data"})}), freezes_first=True)

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """The points, and which of them are older than what is odd."""
        return (Recall("points", subject(found)), Recall("sets"))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """Freeze every set, hold the last calm point, keep what is seen on the hosts."""
        name = subject(found)
        points = listed(facts, "points", name)
        calm = next((one for one in points if one["calm"] and one["complete"]), None)
        hosts = self.options.evidence or ((found.host,) if found.host else ())
        told = {"points": "\n".join(str(one["told"]) for one in points[:14])}
        fields = {"name": name, "point": calm["id"] if calm else "-"}
        key = "playbook.mass_change.calm" if calm else "playbook.mass_change.no_calm"
        said = (say(key, **fields), say("playbook.mass_change.isolate"))
        hold = (_hold(name, str(calm["id"])),) if calm else ()
        return Plan(said, (_freeze(found), *hold, *_evidence(hosts)), told)


def _freeze(found: Occasion) -> Step:
    return Step(
        "freeze_retention",
        say("playbook.mass_change.freeze"),
        Effect.CHANGE,
        action="freeze_retention",
        parameters={"about": found.incident or "mass_change"},
        repeatable=True,
    )


def _hold(name: str, point: str) -> Step:
    return Step(
        "hold_point",
        say("playbook.mass_change.hold", point=point),
        Effect.CHANGE,
        action="hold_point",
        parameters={"set": name, "point": point},
        repeatable=True,
    )


def _evidence(hosts: Sequence[str]) -> tuple[Step, ...]:
    """Reads, as steps: what they say is kept in the journal with its time."""
    return tuple(
        Step(
            f"{what}_{number}",
            say("playbook.mass_change.evidence", what=what, host=host),
            Effect.READ,
            host,
            ("sh", "-c", 'timeout 20 "$@" 2>&1; :', "sh", *argv),
            timeout=timedelta(seconds=30),
        )
        for number, host in enumerate(hosts, 1)
        for what, argv in _EVIDENCE.items()
    )
