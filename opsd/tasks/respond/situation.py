"""What guards look at, gathered."""

from __future__ import annotations

from datetime import timedelta

from opsd.policy.guards import Situation
from opsd.tasks.respond.means import Means


def situation(means: Means) -> Situation:
    """Everything as it is now."""
    config, store, now = means.kit.config, means.responses, means.now
    limits = [one.terms.limits for one in means.playbooks.values()]
    span = max((max(one.within, one.breaker_within) for one in limits), default=timedelta())
    past = [one for one in reversed(store.summaries(now - span)) if one.started_at is not None]
    still = store.open_responses()
    blackout = config.automation.blackout(now.astimezone(config.zone))
    return Situation(
        now=now,
        enabled=config.automation.enabled,
        inventory=frozenset(config.hosts),
        hosts_at_once=config.automation.hosts_at_once,
        switches=store.switches(),
        blackout=blackout.reason if blackout else "",
        maintenance=store.maintenance(now),
        past=past,
        proposed=[one for one in still if one.started_at is None],
        under_way=[one for one in still if one.started_at is not None],
        unresolved=[one for one in past if one.unresolved],
        breakers={(one.playbook, one.host) for one in store.breakers()},
        beside={host: config.automation.beside(host) for host in config.hosts},
    )
