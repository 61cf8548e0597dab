"""Moments as people type them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from opsd.errors import UsageError

_DAYS = ("%Y-%m-%d", "%d/%m/%Y")
_TIMES = ("%H:%M:%S", "%H:%M")


def read(text: str, zone: tzinfo) -> datetime:
    """`2026-11-23 22:38`, `23/11/2026 22:38:55`, ISO 8601; a day alone means its end.

    Without a zone of its own the moment is in `zone`. Raises `UsageError`.
    """
    for day in _DAYS:
        if found := _parsed(text, day):
            return found.replace(tzinfo=zone) + timedelta(days=1, microseconds=-1)
        for time in _TIMES:
            if found := _parsed(text, f"{day} {time}"):
                # What was taken in that minute or second is meant too.
                span = timedelta(seconds=1 if time.endswith("S") else 60)
                return found.replace(tzinfo=zone) + span - timedelta(microseconds=1)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError("usage.moment", found=text) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), form)  # noqa: DTZ007  (its zone follows)
    except ValueError:
        return None
