"""Database down: did it crash, was it stopped, is it damaged, is it full, is it only busy?

Touches the server's process, by starting one that crashed; never one that a person stopped (it may
be the old half of a pair), never one whose log speaks of damage, never its data.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import timedelta

from opsd.config.playbook_services import Database, DatabaseDownOptions
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

# What the probe says of a server that is there and does not take everybody.
_THERE = {"login_full": "full", "login_starting": "starting", "login_refused": "refused"}
DOWN = frozenset(
    {"connect_refused", "connect_timeout", "connect_reset", "login_reset", "login_timeout"}
    | {*_THERE}
)
# In PostgreSQL's English; a log in another language says nothing of this, and nothing is done.
_STARTED = r"database system is ready to accept"
_STOPPED = r"received (?:fast|smart|immediate) shutdown request|database system is shut down$"
_DAMAGED = (
    r"PANIC:|invalid page in block|could not read block|could not locate a valid checkpoint"
    r"|invalid primary checkpoint|No space left on device|FATAL:  configuration file"
)
_NOTED = re.compile(rf"(?P<started>{_STARTED})|(?P<stopped>{_STOPPED})|(?P<damaged>{_DAMAGED})")
_TEXTS = {
    "killed": "dmesg 2>/dev/null | grep -iE 'out of memory|oom-kill|killed process' | tail -n 5",
    "sessions": "ps -eo args | grep '^postgres: ' | cut -c 1-120 | sort | uniq -c | sort -rn"
    " | head -n 40",
}
_FULL = 98  # percent in use with which it would only die again


@dataclass(frozen=True, slots=True)
class DatabaseDown:
    """Answers a PostgreSQL server that does not let the probe in."""

    options: DatabaseDownOptions

    @property
    def terms(self) -> Terms:
        """A server that crashed is started by every operator; the limits are tight."""
        return self.options.terms(
            Answers(dict.fromkeys(self.options.services, DOWN)),
            tuple(one.start for one in self.options.services.values()),
        )

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """What its log says last, whether it runs, and whether it has room."""
        own = self.options.services.get(probe(found))
        if own is None:
            return ()
        log = shlex.quote(str(own.log))
        said = f"{_STARTED}|{_STOPPED}|{_DAMAGED}".replace("(?:", "(")
        scripts = {
            **_TEXTS,
            "noted": f"grep -aE {shlex.quote(said)} -- {log} | tail -n 40",
            "log": f"tail -n 60 -- {log} 2>&1",
            "ready": says_whether(own.ready),
            "room": room(own.data),
        }
        return asks(own.host, scripts, timedelta(seconds=10))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """Only what plainly crashed, and has room, is started."""
        own = self.options.services.get(probe(found))
        if own is None:
            return Plan((say("playbook.service.unknown", name=probe(found)),))
        told = attached(facts, own.host, ("log", "room", "ready", *_TEXTS))
        word = _word(found, facts, own)
        said = say(f"playbook.database_down.{word}", host=own.host)
        return Plan((said,), (_start(own),) if word == "crashed" else (), told)


def _word(found: Occasion, facts: Facts, own: Database) -> str:
    """Why it does not answer; what is not plain is unknown."""
    ready = facts.answer(own.host, "ready").text.strip()
    if ready == "yes" or found.cause in _THERE:
        return _THERE.get(found.cause, "reachable_there")
    used = filled(facts.answer(own.host, "room").text)
    if ready != "no" or used is None:
        return "unknown"
    if used >= _FULL:
        return "no_room"
    noted = [
        one.lastgroup
        for one in _NOTED.finditer(
            facts.answer(own.host, "noted").text,
        )
    ]
    if not noted:
        return "unknown"
    return {"started": "crashed"}.get(str(noted[-1]), str(noted[-1]))


def _start(own: Database) -> Step:
    return Step(
        "start",
        say("playbook.database_down.start"),
        Effect.CHANGE,
        own.host,
        own.start,
        privileged=True,
        requires=(not_yet(own.ready),),
        done=Condition(own.ready),
        repeatable=True,
        shows_within=timedelta(minutes=2),
    )
