"""What guards look at, gathered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from opsd.playbook import Occasion
from opsd.policy.guards import Situation
from opsd.response import Ending, Fate, Response
from opsd.tasks.respond.means import Means

# Longer ago than any guard may look.
_PAST = timedelta(days=92)


def situation(means: Means, found: Occasion, base: Situation | None = None) -> Situation:
    """Everything as it is now, as far as it concerns an occasion."""
    now = means.now
    windows = means.responses.maintenance(now)
    maintained = any(window.covers(found.id, now) for window in windows)
    return replace(base or common(means), maintained=maintained)


def common(means: Means) -> Situation:
    """What is the same for every occasion."""
    config, store, now = means.kit.config, means.responses, means.now
    past, still = store.responses(now - _PAST), store.open_responses()
    blackout = config.automation.blackout(now.astimezone(config.zone))
    return Situation(
        now=now,
        enabled=config.automation.enabled,
        inventory=frozenset(config.hosts),
        hosts_at_once=config.automation.hosts_at_once,
        switches=store.switches(),
        blackout=blackout.reason if blackout else "",
        past=[one for one in past if one.started_at is not None],
        proposed=[one for one in still if one.started_at is None],
        under_way=[one for one in still if one.started_at is not None],
        unresolved=[one for one in past if unresolved(means, one)],
        breakers={(one.playbook, one.host) for one in store.breakers()},
        beside={host: config.automation.beside(host) for host in config.hosts},
    )


def unresolved(means: Means, one: Response) -> bool:
    """Whether it ended with a step of which nobody has said yet what became of it."""
    if one.ending is not Ending.UNKNOWN:
        return False
    ends = [attempt.end for attempt in means.responses.attempts(one.id)]
    return any(end is not None and end.fate is Fate.UNKNOWN for end in ends)
