"""Clock skew: what keeps the clock, and what it says; it begins anew.

Touches the time service; never sets a clock: a database must not see time go backwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_hosts import ClockSkewOptions
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
from playbooks.looking import asks, attached, says_whether

_TEXTS = {
    "sources": "timeout 3 chronyc -n sources 2>&1 || timeout 3 ntpq -pn 2>&1",
    "tracking": "timeout 3 chronyc -n tracking 2>&1 || timeout 3 timedatectl 2>&1",
    "steps": "dmesg 2>/dev/null | grep -iE 'clocksource|time jumped|tsc' | tail -n 10",
}


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """Answers a clock that is off."""

    options: ClockSkewOptions

    @property
    def terms(self) -> Terms:
        """A time service may begin anew at any moment."""
        return self.options.terms(
            Answers({"clock": frozenset({"clock_off", "clock_not_kept"})}),
            (self.options.service.restart,),
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """Whether something keeps it, and by whom."""
        running = {"running": says_whether(self.options.service.running)}
        return asks(found.host, {**running, **_TEXTS}, timedelta(seconds=8)) if found.host else ()

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """It begins anew, whether it stands still or has lost its way."""
        told = attached(facts, found.host, ("running", *_TEXTS))
        running = told.get("running")
        if running not in {"yes", "no"}:
            return Plan((say("playbook.clock_skew.unknown", host=found.host),), (), told)
        word = "lost" if running == "yes" else "stopped"
        step = Step(
            "restart",
            say("playbook.clock_skew.restart"),
            Effect.CHANGE,
            found.host,
            self.options.service.restart,
            privileged=True,
            done=Condition(self.options.service.running),
            repeatable=True,
        )
        return Plan((say(f"playbook.clock_skew.{word}", host=found.host),), (step,), told)
