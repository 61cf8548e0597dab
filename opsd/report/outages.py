"""Outages month by month: how long, why, and what is left of the error budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from opsd.policy.objective import Account, Budget, Burn, Outage
from opsd.report import layout
from opsd.report.voice import Voice

_PLACES = 3


@dataclass(frozen=True, slots=True)
class Service:
    """One service in one month. Budget and burning are those of now."""

    name: str
    title: str
    objective: Decimal
    account: Account
    budget: Budget
    burns: Sequence[Burn]


def shown(voice: Voice, month: str, services: Sequence[Service]) -> str:
    """The page."""
    if not services:
        return voice.say("outages.none")
    since, until = services[0].account.since, services[0].account.until
    title = voice.say("outages.title", month=month, since=since, until=until)
    return "\n\n".join((title, *("\n".join(_service(voice, one)) for one in services)))


def body(services: Sequence[Service]) -> list[dict[str, object]]:
    """The same for programs: spans in seconds, moments in UTC."""
    return [_plain(one) for one in services]


def percent(voice: Voice, share: float) -> str:
    """A share with three places, never rounded up to all of it."""
    hundred = min(round(share * 100, _PLACES), 100 if share == 1 else 99.999)
    whole, _, rest = f"{hundred:.{_PLACES}f}".partition(".")
    return f"{whole}{voice.number(0.5)[1]}{rest} %"


def _service(voice: Voice, one: Service) -> Iterator[str]:
    account = one.account
    yield f"{one.name} ({one.title})" if one.title else one.name
    objective = percent(voice, float(one.objective))
    share = account.availability
    said = (
        voice.say("outages.unknown_share", objective=objective)
        if share is None
        else voice.say("outages.share", share=percent(voice, share), objective=objective)
    )
    budget = one.budget
    left = voice.say(
        "outages.budget_left", spent=budget.spent, allowed=budget.allowed, left=budget.left
    )
    yield layout.fields(
        (
            (voice.say("outages.available"), said),
            (voice.say("outages.unplanned"), voice.duration(account.unplanned)),
            (voice.say("outages.planned"), voice.duration(account.planned)),
            (voice.say("outages.unclear"), voice.duration(account.unknown)),
            (voice.say("outages.blind"), voice.duration(account.blind)),
            (voice.say("outages.budget"), left),
        ),
        "  ",
    )
    for burn in one.burns:
        if burn.burning:
            rate = round(burn.long_rate, 1)
            yield "  " + voice.say("outages.burning", rate=rate, window=burn.long)
    yield from (layout.hang("  - ", _outage(voice, outage)) for outage in account.outages)


def _outage(voice: Voice, outage: Outage) -> str:
    said = voice.say(
        "outages.outage",
        began=outage.began,
        ended=outage.ended,
        span=outage.span,
        cause=list(outage.causes),
    )
    if outage.planned:
        said += "; " + voice.say("outages.part_planned", planned=outage.planned)
    return said


def _plain(one: Service) -> dict[str, object]:
    account = one.account
    return {
        "probe": one.name,
        "objective": float(one.objective),
        "availability": account.availability,
        "seconds": {
            "up": account.up.total_seconds(),
            "unplanned": account.unplanned.total_seconds(),
            "planned": account.planned.total_seconds(),
            "unknown": account.unknown.total_seconds(),
            "blind": account.blind.total_seconds(),
        },
        "budget": {
            "allowed_seconds": one.budget.allowed.total_seconds(),
            "spent_seconds": one.budget.spent.total_seconds(),
        },
        "burning": [
            {
                "window_seconds": burn.long.total_seconds(),
                "rate": burn.long_rate,
                "factor": float(burn.factor),
            }
            for burn in one.burns
            if burn.burning
        ],
        "outages": [
            {
                "began": outage.began.isoformat(),
                "ended": outage.ended.isoformat(),
                "seconds": outage.span.total_seconds(),
                "planned_seconds": outage.planned.total_seconds(),
                "causes": list(outage.causes),
            }
            for outage in account.outages
        ],
    }
