"""Host unreachable: how far one comes from here, and whether it is alone with it.

Touches the power of that host where the site says how, and nobody else is silent; never a host that
answers to anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_hosts import HostUnreachableOptions
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
from playbooks.looking import asks, attached


@dataclass(frozen=True, slots=True)
class HostUnreachable:
    """Answers a host that does not let opsd in."""

    options: HostUnreachableOptions

    @property
    def terms(self) -> Terms:
        """Who takes the power of a machine takes what its disks had not written."""
        return self.options.terms(
            Answers({"reach": frozenset()}),
            tuple(one.cycle for one in self.options.power.values()),
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """The way there, who else is silent, and what the one beside it sees."""
        power = self.options.power.get(found.host)
        beside = {"neighbours": "timeout 3 ip neigh 2>&1; timeout 3 ip -s link 2>&1 | head -n 60"}
        return (
            Recall("way", found.host),
            Recall("incidents"),
            *(asks(power.via, beside, timedelta(seconds=8)) if power else ()),
        )

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """One that is silent to everybody while all others answer may get its power switched."""
        way = facts.known.get(Recall("way", found.host))
        seen = way if isinstance(way, Mapping) else {}
        silent = _silent(found, facts)
        power = self.options.power.get(found.host)
        told = {"way": str(seen.get("told", ""))} if seen else {}
        told |= attached(facts, power.via, ("neighbours",)) if power else {}
        said = [say(f"playbook.host_unreachable.{_word(seen)}", host=found.host)]
        if silent:
            said.append(say("playbook.host_unreachable.others", names=silent))
        if cut_off := _cut_off(facts):
            said.append(say("playbook.host_unreachable.cut_off", count=cut_off))
        if power is None or silent or cut_off or _word(seen) != "silent":
            return Plan(tuple(said), (), told)
        address = str(seen["address"])
        step = Step(
            "cycle_power",
            say("playbook.host_unreachable.cycle", host=found.host, via=power.via),
            Effect.CHANGE,
            power.via,
            power.cycle,
            privileged=True,
            requires=(Condition(("ping", "-c", "2", "-W", "1", address), exit_code=1),),
            done=Condition(power.returned),
            shows_within=timedelta(seconds=60),
        )
        return Plan(tuple(said), (step,), told)


def _word(seen: Mapping[object, object]) -> str:
    """`name`, `silent`, `refused` or `open`: how far one comes."""
    word = str(seen.get("far", "unknown"))
    return word if word in {"name", "silent", "pings", "refused", "open"} else "unknown"


def _cut_off(facts: Facts) -> int:
    """How many alerts nobody saw: who counts silent hosts must not count then."""
    open_ones = facts.known.get(Recall("incidents"))
    listed = open_ones if isinstance(open_ones, tuple) else ()
    return sum(int(one.get("cut_off") or 0) for one in listed)


def _silent(found: Occasion, facts: Facts) -> list[str]:
    """The other hosts that cannot be reached either."""
    open_ones = facts.known.get(Recall("incidents"))
    listed = open_ones if isinstance(open_ones, tuple) else ()
    return sorted({one["host"] for one in listed if one["check"] == "reach"} - {found.host})
