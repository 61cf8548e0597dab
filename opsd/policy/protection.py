"""How many receivers commits wait for: what is agreed, what is there, and what is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Standing:
    """How commits are protected now."""

    wanted: int  # for how many receivers they should wait
    waits_for: int | None  # for how many they do; None: for something else
    live: int
    short_for: timedelta  # how long there have been fewer than they wait for
    fallen: bool  # we made them wait for fewer, and said so
    close: int  # receivers that have what the server had a few seconds ago
    closed: bool  # as many as wanted have all that was written before commits waited for them again


def change(standing: Standing, patience: timedelta | None) -> int | None:
    """For how many receivers commits shall wait from now on; None: nothing changes.

    For fewer only as it was agreed, and never in silence; for more again once these are close:
    with steady commits none ever has everything.
    """
    now = standing.waits_for
    if now is None:
        return None
    more = min(standing.close, standing.wanted)
    if standing.fallen and more > now:
        return more
    if standing.live < now and patience is not None and standing.short_for >= patience:
        return standing.live
    return None


def is_whole_again(standing: Standing) -> bool:
    """Whether from here on nothing is at risk any more of what was committed with less."""
    return standing.fallen and standing.waits_for == standing.wanted and standing.closed


def names(applications: Sequence[str], count: int) -> str:
    """What `synchronous_standby_names` is when commits wait for any so many of the receivers."""
    return f"ANY {count} ({', '.join(applications)})" if count else ""


def waits_for(told: str, applications: Sequence[str], wanted: int) -> int | None:
    """For how many, up to the wanted, it says that commits wait; None where it says other things.

    More than wanted is what somebody else set.
    """
    known = {names(applications, count): count for count in range(wanted + 1)}
    return known.get(told)


def safe_with(flushed: Sequence[int], count: int) -> int | None:
    """Up to which position so many receivers have the log; None where there are fewer."""
    found = sorted(flushed, reverse=True)[:count]
    return found[-1] if len(found) == count else None
