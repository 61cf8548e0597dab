"""What is kept, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.catalogue import Size
from opsd.config.options import Options
from opsd.config.units import PositiveBytes, PositiveDuration

Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]
AtLeastOne = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class Retention(Options):
    """Which recovery points stay. Without this group nothing is ever dropped.

    The last proved point, points under a legal hold and points younger than `min_age` stay
    whatever the counts say.
    """

    min_age: PositiveDuration
    """Points younger than this all stay."""

    min_points: AtLeastOne = 3
    """So many of the newest whole points stay, however old they are."""

    daily: Count = 0
    """For so many days that have a whole point, the newest of the day stays."""

    weekly: Count = 0
    """For so many weeks (from Monday) that have a whole point, the newest of the week stays."""

    monthly: Count = 0
    """For so many months that have a whole point, the newest of the month stays."""

    yearly: Count = 0
    """For so many years that have a whole point, the newest of the year stays."""

    prune_time: PositiveDuration = timedelta(hours=1)
    """How long one night may give space back; the next night goes on."""

    prune_repack: PositiveBytes = Size(50 << 30)
    """Bytes of half-empty packs that one night writes anew, so that their space comes back."""
