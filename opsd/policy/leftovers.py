"""What a run left in a repository that died before it closed its recovery point: may it go?

Its snapshots are data without a record. While nothing whole is newer they may be the newest data
there is; afterwards they are of no use, and nothing else would ever remove them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsd.policy.retention import Rules, whole
from opsd.policy.standing import Standing

# Of a run that the history does not know nobody can say whether it is over.
_LONGEST_RUN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Leftover:
    """The snapshots of a run without a record. `over`: the history knows that it ended.

    `ours` says that this machine made it.
    """

    run: str
    at: datetime
    snapshots: tuple[str, ...]
    over: bool
    ours: bool


def going(
    found: Sequence[Leftover], standings: Sequence[Standing], now: datetime, rules: Rules
) -> tuple[Leftover, ...]:
    """What may go: of a run that is over, of some age, with something whole that is newer."""
    newest = max((s.point.at for s in standings if whole(s) and s.point.at <= now), default=None)
    if newest is None:
        return ()
    return tuple(one for one in found if one.at < newest and _dead(one, now, rules.min_age))


def _dead(one: Leftover, now: datetime, min_age: timedelta) -> bool:
    age = now - one.at
    return age >= min_age and (one.over or (one.ours and age >= _LONGEST_RUN))
