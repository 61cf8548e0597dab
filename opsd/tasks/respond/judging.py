"""The check that raised an incident judges what was done about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any

from opsd.check import Check
from opsd.model import Status, worst
from opsd.playbook import Occasion
from opsd.store import Watch
from opsd.tasks.check import own, probing, rooms
from opsd.tasks.check.look import look
from opsd.tasks.check.patrol import REACH
from opsd.tasks.check.watching import posted_of
from opsd.tasks.kit import Kit
from opsd.tasks.respond.hands import Reach
from opsd.tasks.respond.means import Judge, Means

_LOOK_AGAIN = 1.0
# What opsd asks itself.
_OWN = {
    own.BACKUP: own.backups,
    rooms.REPOSITORY: rooms.repositories,
    rooms.STATE: rooms.state,
}
_GOOD = {Status.OK, Status.WARNING}
Table = Mapping[str, Callable[[Any], Check]]


def content(means: Means, found: Occasion, patience: timedelta) -> bool:
    """Whether the incident is over, or its check content, before patience ends.

    Raises `Cancelled` when opsd ends meanwhile. What a person wanted without any check has the
    evidence of its own steps, and no other.
    """
    if not found.id.check:
        return True
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        if over(means, found) or means.judge(found) in _GOOD:
            return True
        if time.monotonic() >= deadline:
            return False
        means.kit.go_on()
        time.sleep(min(_LOOK_AGAIN, max(0.0, deadline - time.monotonic())))


def over(means: Means, found: Occasion) -> bool:
    """Whether the incident was closed."""
    known = means.responses.incident(found.incident) if found.incident else None
    return known is not None and known.closed_at is not None


def judge(kit: Kit, reach: Reach, table: Table, samples: Callable[[], Watch]) -> Judge:
    """Asks checks of hosts, probes and opsd's own check; of alerts only their end is heard."""

    def ask(found: Occasion) -> Status:
        one, config = found.id, kit.config
        if one.check in _OWN:
            results = [r for r in _OWN[one.check](kit).results if r.subject == one.subject]
        elif one.check in config.probes:
            probe = config.probes[one.check]
            results = list(probing.judge(probe, probing.observe(probe, kit.clock)))
        elif one.check in {*table, REACH} and one.host in config.hosts:
            posted = posted_of(config, one.host, table, one.check) if one.check in table else ()
            with closing(samples()) as watch:
                answers = look(one.host, posted, reach.ask(one.host), watch)
                results = [
                    r
                    for name, r in answers
                    if (name.check, name.subject) == (one.check, one.subject)
                ]
        else:
            return Status.UNKNOWN
        return worst(result.status for result in results)

    return ask
