"""Isolate a host: cut it off from everybody but opsd, by hand and by two persons.

Touches the packet filter of one host; never its disks or processes: they are evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_hosts import IsolateHostOptions
from opsd.playbook import (
    Answers,
    Condition,
    Effect,
    Facts,
    Occasion,
    Plan,
    Question,
    Step,
    Terms,
    say,
)
from playbooks.looking import asks, attached

_TEXTS = {
    "connections": "ss -tunap 2>&1 | head -n 200",
    "processes": "ps -eo pid,ppid,user,lstart,args 2>&1 | head -n 400",
}


@dataclass(frozen=True, slots=True)
class IsolateHost:
    """Answers nothing by itself: people run it, for a host that they suspect."""

    options: IsolateHostOptions

    @property
    def terms(self) -> Terms:
        """Whoever uses that host is cut off: two persons say yes."""
        own = self.options
        return own.terms(Answers(), (own.isolate, own.free, own.isolated))

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """Who is connected; and that opsd itself still comes in."""
        return asks(found.host, _TEXTS, timedelta(seconds=8)) if found.host else ()

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """One step, with its way back."""
        told = attached(facts, found.host, _TEXTS)
        if not found.host or found.host in facts.unreached:
            return Plan((say("playbook.isolate_host.no_way", host=found.host or "-"),), (), told)
        step = Step(
            "isolate",
            say("playbook.isolate_host.isolate", host=found.host),
            Effect.CHANGE,
            found.host,
            self.options.isolate,
            privileged=True,
            done=Condition(self.options.isolated, privileged=True),
            undo=self.options.free,
            timeout=timedelta(seconds=20),
        )
        return Plan((say("playbook.isolate_host.found", host=found.host),), (step,), told)
