"""Numbers, sizes, durations and moments as Vietnamese and English write them."""

from __future__ import annotations

from datetime import datetime, timedelta

from opsd.catalogue.language import Language

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024
_SPANS = {Language.VI: ("ngày", "giờ", "phút", "giây"), Language.EN: ("d", "h", "min", "s")}
_HOURS_AT_MOST = 48  # from there on, days


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
    """`2 giờ 05 phút` or `2 h 05 min`: the two largest units; tenths of a second below a minute."""
    if span < timedelta():
        return f"-{duration(language, -span)}"
    tenths = round(span.total_seconds(), 1)
    if tenths < 60:
        return f"{number(language, tenths)} {_SPANS[language][-1]}"
    minutes, seconds = divmod(round(tenths), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24) if hours >= _HOURS_AT_MOST else (0, hours)
    for place, (large, small) in enumerate(((days, hours), (hours, minutes), (minutes, seconds))):
        if large:
            one, two = _SPANS[language][place : place + 2]
            return f"{large} {one} {small:02d} {two}" if small else f"{large} {one}"
    raise AssertionError(span)  # a minute at least


def moment(language: Language, at: datetime) -> str:
    """A moment to the second with its zone, in the zone it carries."""
    zone = at.strftime("%z")
    zone = f"{zone[:3]}:{zone[3:]}"
    form = "%d/%m/%Y %H:%M:%S" if language is Language.VI else "%Y-%m-%d %H:%M:%S"
    return f"{at.strftime(form)} {zone}"
