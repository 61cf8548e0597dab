"""Retention said in another way, to compare the planner with: by counting what is newer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, tzinfo

from opsd.keeping import Hold
from opsd.policy.retention import Rules
from opsd.policy.standing import Standing


def stays(
    points: Sequence[Standing], holds: Collection[Hold], now: datetime, zone: tzinfo, rules: Rules
) -> frozenset[str]:
    """The ids of the points that stay, each judged by itself against all others.

    All of one repository. A point stays for a period when nothing whole is newer in the same
    period, and fewer periods than the rule counts have anything whole after it.
    """
    whole = [p for p in points if p.point.complete and p.failed is None and p.point.at <= now]

    def newer(one: Standing, among: Sequence[Standing]) -> list[Standing]:
        mine = (one.point.at, one.point.id)
        return [other for other in among if (other.point.at, other.point.id) > mine]

    def of_period(one: Standing, period: Callable[[datetime], object], count: int) -> bool:
        def label(point: Standing) -> object:
            return period(point.point.at.astimezone(zone))

        later = {label(other) for other in newer(one, whole)}
        return one in whole and label(one) not in later and len(later) < count

    def dear(one: Standing) -> bool:
        proved = [p for p in points if p.proved_at is not None]
        return (
            any(hold.released_at is None and hold.point in {"", one.point.id} for hold in holds)
            or (one in proved and not newer(one, proved))
            or (
                one in proved and one in whole and not newer(one, [p for p in proved if p in whole])
            )
            or (one in whole and len(newer(one, whole)) < rules.min_points)
            or now - one.point.at < rules.min_age
            or not whole
            or (one not in whole and not newer(one, whole))
            or of_period(one, lambda at: at.date(), rules.daily)
            or of_period(
                one, lambda at: (at.isocalendar().year, at.isocalendar().week), rules.weekly
            )
            or of_period(one, lambda at: f"{at:%Y-%m}", rules.monthly)
            or of_period(one, lambda at: f"{at:%Y}", rules.yearly)
        )

    return frozenset(one.point.id for one in points if dear(one))
