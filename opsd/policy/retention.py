"""Which recovery points stay, and by which rule; and what stands against dropping any.

Grandfathers, fathers and sons: of each of the last days, weeks, months and years that have a whole
point, the newest whole point stays. Days are those of the configured zone. Only whole points count:
a month of nights that each lacked the database must not push out the last ones that had it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

from opsd.errors import ClockWrong, OpsdError, Refused
from opsd.keeping import Cause, Freeze, Hold
from opsd.model import Outcome, Run
from opsd.policy.freshness import LastRun
from opsd.policy.standing import Standing

# A machine may be off for so long without anybody having to look.
_LEAST_GAP = timedelta(days=7)


class Rule(StrEnum):
    """What keeps a point, the strongest first."""

    NO_RULES = "no_rules"  # nothing is configured: nothing is dropped
    HOLD = "hold"  # a legal hold
    LAST_PROVED = "last_proved"  # the newest proved point of its repository
    MINIMUM = "minimum"  # one of the newest whole points, as many as must be left
    YOUNG = "young"  # younger than the minimum age
    NEWEST_DATA = "newest_data"  # not whole, but nothing whole is newer
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is configured."""

    min_age: timedelta
    min_points: int
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """A point and every rule that keeps it; none: it is dropped."""

    standing: Standing
    rules: tuple[Rule, ...]

    @property
    def kept(self) -> bool:
        """Whether it stays."""
        return bool(self.rules)


_PERIODS: Mapping[Rule, Callable[[datetime], tuple[int, ...]]] = {
    Rule.DAILY: lambda at: (at.year, at.month, at.day),
    Rule.WEEKLY: lambda at: at.isocalendar()[:2],
    Rule.MONTHLY: lambda at: (at.year, at.month),
    Rule.YEARLY: lambda at: (at.year,),
}


def whole(standing: Standing) -> bool:
    """Whether a point is fit to stand for a day: complete, and not found to be bad."""
    return standing.point.complete and standing.failed is None


def plan(
    standings: Sequence[Standing],
    holds: Collection[Hold],
    now: datetime,
    zone: tzinfo,
    rules: Rules | None,
) -> tuple[Fate, ...]:
    """The fate of each point, newest first; each repository is judged by itself."""
    ordered = sorted(standings, key=lambda s: (s.point.at, s.point.id), reverse=True)
    if rules is None:
        return tuple(Fate(standing, (Rule.NO_RULES,)) for standing in ordered)
    chosen: dict[str, set[Rule]] = {}
    for repository in {standing.point.repository for standing in ordered}:
        mine = [s for s in ordered if s.point.repository == repository]
        for point, rule in _kept(mine, now, zone, rules):
            chosen.setdefault(point, set()).add(rule)
    for standing in ordered:
        if any(hold.covers(standing.point.id) for hold in holds):
            chosen.setdefault(standing.point.id, set()).add(Rule.HOLD)
    return tuple(
        Fate(s, tuple(rule for rule in Rule if rule in chosen.get(s.point.id, ()))) for s in ordered
    )


def _kept(
    newest_first: Sequence[Standing], now: datetime, zone: tzinfo, rules: Rules
) -> list[tuple[str, Rule]]:
    """What the rules keep of one repository. What is dated after now stands for no day."""
    kept: list[tuple[str, Rule]] = []
    fit = [s for s in newest_first if whole(s) and s.point.at <= now]
    for known in (newest_first, fit):  # one from the future must not stand in for the last
        proved = [s.point.id for s in known if s.proved_at is not None]
        kept += [(point, Rule.LAST_PROVED) for point in proved[:1]]
    kept += [(s.point.id, Rule.MINIMUM) for s in fit[: rules.min_points]]
    for standing in newest_first:
        if now - standing.point.at < rules.min_age:
            kept.append((standing.point.id, Rule.YOUNG))
        if not fit or (not whole(standing) and standing.point.at >= fit[0].point.at):
            kept.append((standing.point.id, Rule.NEWEST_DATA))
    counts = {
        Rule.DAILY: rules.daily,
        Rule.WEEKLY: rules.weekly,
        Rule.MONTHLY: rules.monthly,
        Rule.YEARLY: rules.yearly,
    }
    for rule, count in counts.items():
        kept += [(point, rule) for point in _newest_of_each(fit, zone, _PERIODS[rule])[:count]]
    return kept


def _newest_of_each(
    fit: Sequence[Standing], zone: tzinfo, period: Callable[[datetime], tuple[int, ...]]
) -> list[str]:
    """The newest point of each period that has one, newest first."""
    found: dict[tuple[int, ...], str] = {}
    for standing in fit:
        found.setdefault(period(standing.point.at.astimezone(zone)), standing.point.id)
    return list(found.values())


# --- what stands against it


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known before anything is dropped.

    `taken` are the moments of every point there ever was, oldest first, with its id; `failed` is
    the proof that failed since retention last looked; `settled` is what a person acknowledged.
    """

    now: datetime
    max_offset: timedelta
    synchronised: bool | None
    sync_required: bool
    rules: Rules
    standings: Sequence[Standing]
    taken: Sequence[tuple[datetime, str]]
    last_proof: LastRun | None = None
    failed: Run | None = None
    open: Sequence[Freeze] = ()
    settled: Collection[tuple[Cause, str]] = ()
    damaged: int = 0  # stored objects that were not what was written when they were last read


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something new that stands against dropping points until a person acknowledges it."""

    cause: Cause
    about: str
    error: OpsdError


@dataclass(frozen=True, slots=True)
class Planned:
    """The fate of each point, and what stands against carrying it out."""

    fates: tuple[Fate, ...]
    freezes: Sequence[Freeze] = ()
    obstacles: Sequence[Obstacle] = ()
    refusal: OpsdError | None = None


def obstacles(facts: Facts) -> tuple[Obstacle, ...]:
    """What freezes retention and is not told of yet."""
    known = {(freeze.cause, freeze.about) for freeze in facts.open} | set(facts.settled)
    found = (*_of_the_clock(facts), *_of_the_points(facts), *_of_the_proof(facts))
    return tuple(one for one in found if (one.cause, one.about) not in known)


def _of_the_clock(facts: Facts) -> list[Obstacle]:
    if not facts.sync_required or facts.synchronised:
        return []
    key = "clock.unknown" if facts.synchronised is None else "clock.unsynchronised"
    return [Obstacle(Cause.CLOCK, "", ClockWrong(key))]


def _of_the_points(facts: Facts) -> list[Obstacle]:
    """Points from the future, and gaps: opsd stood still so long, or a clock leapt."""
    present = facts.now + facts.max_offset
    found = [
        Obstacle(Cause.FUTURE, point, ClockWrong("retention.future", point=point, at=at))
        for at, point in facts.taken
        if at > present
    ]
    limit = max(facts.rules.min_age, _LEAST_GAP)
    past = [one for one in facts.taken if one[0] <= present]
    for (before, point), (after, _) in pairwise((*past, (facts.now, ""))):
        if after - before > limit:
            error = ClockWrong("retention.leap", before=before, after=after, limit=limit)
            found.append(Obstacle(Cause.LEAP, point, error))
    return found


def _of_the_proof(facts: Facts) -> list[Obstacle]:
    if facts.failed is None:
        return []
    error = Refused("retention.proof_failed", run=facts.failed.id, at=facts.failed.opened_at)
    return [Obstacle(Cause.PROOF, facts.failed.id, error)]


def refusal(facts: Facts) -> OpsdError | None:
    """Why nothing may be dropped now, freezes left aside: it passes without a person."""
    if facts.damaged:
        return Refused("retention.damaged", count=facts.damaged)
    if not any(standing.proved_at is not None for standing in facts.standings):
        return Refused("retention.nothing_proved")
    last = facts.last_proof
    if last is not None and not last.outcome.good and last.outcome is not Outcome.FAILED:
        return Refused("retention.proof_unknown", run=last.run.id)
    return None
