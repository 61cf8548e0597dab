"""Web front down: does it run, is its configuration right, has it room, who took its port?

Touches the front's process, by starting one that is not running; never one that runs and answers
wrongly, never its configuration.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_services import Front, WebDownOptions
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
from playbooks.looking import asks, attached, filled, not_yet, probe, room, says_whether

_TEXTS = ("log", "room", "up", "ports", "killed")
_FULL = 98


@dataclass(frozen=True, slots=True)
class WebDown:
    """Answers a web front that its users cannot use."""

    options: WebDownOptions

    @property
    def terms(self) -> Terms:
        """What is down cannot be made worse by starting it."""
        services = self.options.services.values()
        return self.options.terms(
            Answers(dict.fromkeys(self.options.services, frozenset())),
            tuple(argv for one in services for argv in (one.start, one.test)),
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """Whether it runs and could, and what it said."""
        own = self.options.services.get(probe(found))
        if own is None:
            return ()
        scripts = {
            "up": says_whether(own.up),
            "room": room(own.log.parent),
            "log": f"tail -n 40 -- {shlex.quote(str(own.log))} 2>&1",
            "ports": "ss -ltnp 2>/dev/null | head -n 40",
            "killed": "dmesg 2>/dev/null | grep -iE 'out of memory|killed process' | tail -n 5",
        }
        return asks(own.host, scripts, timedelta(seconds=8))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """One that is not running and has room is started."""
        own = self.options.services.get(probe(found))
        if own is None:
            return Plan((say("playbook.service.unknown", name=probe(found)),))
        told = attached(facts, own.host, _TEXTS)
        word = _word(facts, own)
        said = say(f"playbook.web_down.{word}", host=own.host, cause=found.cause)
        return Plan((said,), (_start(own),) if word == "stopped" else (), told)


def _word(facts: Facts, own: Front) -> str:
    up = facts.answer(own.host, "up").text.strip()
    used = filled(facts.answer(own.host, "room").text)
    if up not in {"yes", "no"}:
        return "unknown"
    if up == "yes":
        return "wrong"
    return "no_room" if used is not None and used >= _FULL else "stopped"


def _start(own: Front) -> Step:
    return Step(
        "start",
        say("playbook.web_down.start"),
        Effect.CHANGE,
        own.host,
        own.start,
        privileged=True,
        requires=(not_yet(own.up), Condition(own.test, privileged=True)),
        done=Condition(own.up),
        repeatable=True,
        shows_within=timedelta(seconds=30),
    )
