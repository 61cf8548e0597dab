"""How often what is stored is read again."""

from __future__ import annotations

from datetime import timedelta

from opsd.config.options import Options
from opsd.config.units import PositiveBytes, PositiveDuration


class Coverage(Options):
    """Every stored object is read and hashed again within a span, a part of them each night."""

    within: PositiveDuration = timedelta(days=30)
    """Every object is read again within this time. What a run wrote is read right after it."""

    time: PositiveDuration = timedelta(hours=1)
    """How long one night may read; the next night goes on where it ended."""

    rate: PositiveBytes | None = None
    """Bytes a second that are read at most. None: as fast as the storage gives them."""
