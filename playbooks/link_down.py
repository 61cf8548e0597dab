"""Link down: what is lost on which link, and whether the one that stands by carries.

Touches the way that one host sends its traffic, after a person agreed; never when the standby is as
bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_hosts import LinkDownOptions, Switch
from opsd.playbook import (
    Answers,
    Condition,
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
from playbooks.looking import asks, attached, probe, says_whether

_TEXTS = {
    "routes": "ip route 2>&1; ip -6 route 2>&1 | head -n 20",
    "links": "ip -s link 2>&1 | head -n 80",
    "neighbours": "ip neigh 2>&1 | head -n 40",
}


@dataclass(frozen=True, slots=True)
class LinkDown:
    """Answers a link that loses what is sent on it."""

    options: LinkDownOptions

    @property
    def terms(self) -> Terms:
        """A link that was changed over is used by everybody: a person says yes."""
        return self.options.terms(
            Answers({name: frozenset() for name in self.options.switches}),
            tuple(
                argv for one in self.options.switches.values() for argv in (one.switch, one.back)
            ),
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """The link as opsd sees it, and as the host sees it that decides the way."""
        name, switch = self._switch(found)
        if switch is None:
            return (Recall("probe", name),)
        scripts = {**_TEXTS, "standby": _carries(switch), "switched": says_whether(switch.switched)}
        return (Recall("probe", name), *asks(switch.host, scripts, timedelta(seconds=10)))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """Changing over helps where the standby carries and is not in use already."""
        name, switch = self._switch(found)
        seen = facts.known.get(Recall("probe", name))
        told = {"probe": str(seen.get("told", ""))} if isinstance(seen, Mapping) and seen else {}
        if switch is None:
            return Plan((say("playbook.link_down.look", name=name),), (), told)
        told |= attached(facts, switch.host, (*_TEXTS, "standby", "switched"))
        if told.get("switched") != "no":
            word = "already" if told.get("switched") == "yes" else "unknown"
            return Plan((say(f"playbook.link_down.{word}", name=name),), (), told)
        if told.get("standby") != "yes":
            return Plan((say("playbook.link_down.both", name=name),), (), told)
        step = Step(
            "switch_over",
            say("playbook.link_down.switch", host=switch.host, standby=switch.standby),
            Effect.CHANGE,
            switch.host,
            switch.switch,
            privileged=True,
            requires=(Condition(_ping(switch)),),
            done=Condition(switch.switched),
            undo=switch.back,
        )
        return Plan((say("playbook.link_down.standby", name=name),), (step,), told)

    def _switch(self, found: Occasion) -> tuple[str, Switch | None]:
        name = probe(found)
        return name, self.options.switches.get(name)


def _ping(switch: Switch) -> tuple[str, ...]:
    return ("ping", "-q", "-c", "3", "-i", "0.3", "-W", "1", "--", switch.standby)


def _carries(switch: Switch) -> str:
    return says_whether(_ping(switch))
