"""What stands against letting a playbook loose: each guard looks at facts and says why not.

All of them are asked, so that a person sees every reason at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from opsd.model import Finding, Maintenance, Severity
from opsd.playbook import Occasion, Plan, Terms
from opsd.response import Response, Summary, Switch


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason; `word` is the same in metrics. What passes by itself is waited for."""

    word: str
    said: Finding
    passes: bool = True


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that guards look at. `past` are responses that were started, newest first.

    `unresolved` are those of them with a step of which nobody knows what became of it.
    """

    now: datetime
    enabled: bool
    inventory: Collection[str]
    hosts_at_once: int = 1
    switches: Mapping[str, Switch] = field(default_factory=dict)
    blackout: str = ""
    maintenance: Sequence[Maintenance] = ()
    past: Sequence[Summary] = ()
    proposed: Sequence[Response] = ()
    under_way: Sequence[Response] = ()
    unresolved: Sequence[Summary] = ()
    breakers: Collection[tuple[str, str]] = ()
    beside: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def group(self, host: str) -> frozenset[str]:
        """The hosts that must not be changed while this one is."""
        return self.beside.get(host, frozenset({host}))


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done: a playbook for an occasion, with its plan where there is one.

    What a person wants by hand is not held back by what holds back automation alone.
    """

    playbook: str
    terms: Terms
    occasion: Occasion
    plan: Plan | None = None
    by_hand: bool = False
    response: str = ""  # the one that wants it, where it was recorded already

    @property
    def places(self) -> tuple[str, ...]:
        """What its limits are counted for: the hosts it touches, and what the occasion is about."""
        targets = self.plan.targets if self.plan else ()
        return tuple(dict.fromkeys((self.occasion.place, *targets)))

    @property
    def targets(self) -> tuple[str, ...]:
        """The hosts that it would touch, as far as that is known."""
        if self.plan is not None:
            return self.plan.targets
        return (self.occasion.host,) if self.occasion.host else ()


def against(wish: Wish, now: Situation) -> tuple[Refusal, ...]:
    """Every reason why not; none: go on."""
    found = [*_of_targets(wish, now), *_of_others(wish, now)]
    if not wish.by_hand:
        found += [*_of_switches(wish, now), *_of_times(wish, now), *_of_limits(wish, now)]
    return tuple(found)


# --- whom it may touch


def _of_targets(wish: Wish, now: Situation) -> Iterator[Refusal]:
    for host in wish.targets:
        if host not in now.inventory:
            yield _no("inventory", passes=False, target=host[:60])
        elif not wish.terms.may_touch(host):
            yield _no("not_allowed", passes=False, target=host, name=wish.playbook)
    limit = wish.terms.limits.hosts_at_once
    if len(wish.targets) > limit:
        yield _no("blast_radius", passes=False, count=len(wish.targets), limit=limit)


def _of_others(wish: Wish, now: Situation) -> Iterator[Refusal]:
    """What else is under way: one change on a host, and on a group of hosts, at a time."""
    busy = {host: other for other in now.under_way for host in other.plan.targets}
    for host in wish.targets:
        for near in sorted(now.group(host)):
            if near in busy:
                yield _no("busy", target=host, other=near, id=busy[near].id)
    for other in now.proposed:
        shared = set(wish.places) & {other.occasion.place, *other.plan.targets}
        first = not wish.response or other.id < wish.response  # of two that wait one may begin
        if shared and other.playbook == wish.playbook and first:
            yield _no("duplicate", target=min(shared), id=other.id)
    for past in now.unresolved:
        shared = set(wish.places) & set(past.places)
        if shared and past.playbook == wish.playbook:
            yield _no("unresolved", target=min(shared), id=past.id)
    alone = set(wish.targets) - set(busy)
    if alone and len(busy) + len(alone) > now.hosts_at_once:
        yield _no("hosts_at_once", limit=now.hosts_at_once, count=len(busy))
    groups = [now.group(host) & set(wish.targets) for host in wish.targets]
    crowd = next((group for group in groups if len(group) > 1), None)
    if crowd:
        yield _no("one_at_a_time", passes=False, targets=sorted(crowd))


# --- whether automation is wanted at all


def _of_switches(wish: Wish, now: Situation) -> Iterator[Refusal]:
    if not now.enabled:
        yield _no("not_enabled")
    if not wish.terms.enabled:
        yield _no("playbook_not_enabled", name=wish.playbook)
    for name, key in (("", "off"), (wish.playbook, "playbook_off")):
        switch = now.switches.get(name)
        if switch is not None and not switch.on:
            yield _no(key, name=wish.playbook, who=switch.who, at=switch.at, reason=switch.reason)


def _of_times(wish: Wish, now: Situation) -> Iterator[Refusal]:
    if now.blackout:
        yield _no("blackout", reason=now.blackout)
    if any(one.covers(wish.occasion.id, now.now) for one in now.maintenance):
        yield _no("maintenance")


# --- how often


def _of_limits(wish: Wish, now: Situation) -> Iterator[Refusal]:
    limits, mine = wish.terms.limits, [one for one in now.past if one.playbook == wish.playbook]
    counted = [one for one in mine if now.now - _at(one) < limits.within]
    if len(counted) >= limits.in_total:
        yield _no("quota_total", count=len(counted), limit=limits.in_total, within=limits.within)
    for here in wish.places:
        there = [one for one in mine if here in one.places]
        if (wish.playbook, here) in now.breakers:
            yield _no("breaker_open", name=wish.playbook, target=here)
        if there and now.now - _at(there[0]) < limits.cooldown:
            left = limits.cooldown - (now.now - _at(there[0]))
            yield _no("cooldown", target=here, left=left, id=there[0].id)
        quota = [one for one in there if one in counted]
        if len(quota) >= limits.per_host:
            yield _no(
                "quota_host",
                target=here,
                count=len(quota),
                limit=limits.per_host,
                within=limits.within,
            )


def breaks(wish: Wish, now: Situation) -> tuple[str, ...]:
    """The places where the breaker opens: the same mending is needed once more than is healthy."""
    limits = wish.terms.limits
    mine = [
        one
        for one in now.past
        if one.playbook == wish.playbook and now.now - _at(one) < limits.breaker_within
    ]
    return tuple(
        here
        for here in wish.places
        if (wish.playbook, here) not in now.breakers
        and sum(here in one.places for one in mine) >= limits.breaker_after
    )


def _at(one: Summary) -> datetime:
    return one.started_at or one.opened_at


# The words of metrics, where they are fewer than the reasons.
_WORDS = {
    "not_allowed": "inventory",
    "unresolved": "busy",
    "hosts_at_once": "blast_radius",
    "one_at_a_time": "blast_radius",
    "not_enabled": "disabled",
    "playbook_not_enabled": "disabled",
    "off": "disabled",
    "playbook_off": "disabled",
    "quota_total": "rate_limit",
    "quota_host": "rate_limit",
    "breaker_open": "breaker",
}
WORDS = (
    "blackout",
    "blast_radius",
    "breaker",
    "busy",
    "cooldown",
    "disabled",
    "duplicate",
    "inventory",
    "maintenance",
    "plan",
    "rate_limit",
    "unapproved",
)


def _no(key: str, *, passes: bool = True, **fields: object) -> Refusal:
    return Refusal(
        _WORDS.get(key, key), Finding(Severity.NOTE, f"guard.{key}", fields), passes=passes
    )
