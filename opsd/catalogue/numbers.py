"""Numbers, sizes, durations and moments as Vietnamese and English write them."""

from __future__ import annotations

from datetime import datetime, timedelta

from opsd.catalogue.language import Language

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024


def number(language: Language, value: float) -> str:
    """`1.234,5` in Vietnamese, `1,234.5` in English."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,")) if language is Language.VI else text


def size(language: Language, count: int) -> str:
    """A number of bytes in the largest unit that keeps it at 1 or more."""
    value, unit = float(count), 0
    while abs(value) >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{number(language, value if unit else int(value))} {_UNITS[unit]}"


def duration(language: Language, span: timedelta) -> str:
    """`2 giờ 05 phút` or `2 h 05 min`; tenths of a second below a minute."""
    hour, minute, second = ("giờ", "phút", "giây") if language is Language.VI else ("h", "min", "s")
    total = span.total_seconds()
    if abs(total) < 60:
        return f"{number(language, round(total, 1))} {second}"
    minutes, seconds = divmod(round(total), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} {hour} {minutes:02d} {minute}"
        if hours
        else f"{minutes} {minute} {seconds:02d} {second}"
    )


def moment(language: Language, at: datetime) -> str:
    """A moment to the second with its zone, in the zone it carries."""
    zone = at.strftime("%z")
    zone = f"{zone[:3]}:{zone[3:]}"
    form = "%d/%m/%Y %H:%M:%S" if language is Language.VI else "%Y-%m-%d %H:%M:%S"
    return f"{at.strftime(form)} {zone}"
