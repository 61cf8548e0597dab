"""Durations and sizes as people write them: `90s`, `1d12h`, `500MiB`, `2GB`.

A bare letter counts in steps of 1024, as restic, systemd and GNU programs read it: `200k` is
200 KiB. `kB`, `MB`, `GB` are steps of 1000.
"""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Final

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from opsd.catalogue import Size
from opsd.config.wrong import wrong

LONGEST: Final = timedelta(days=3650)
LARGEST: Final = 1 << 62

DURATION_PATTERN: Final = r"^(?=\d)(\d{1,9}w)? ?(\d{1,9}d)? ?(\d{1,9}h)? ?(\d{1,9}m)? ?(\d{1,9}s)?$"
SIZE_PATTERN: Final = (
    r"^(0|\d{1,19}(\.\d{1,9})? ?([Bb]|[KkMmGgTtPp]|[KkMmGgTtPp][Bb]|[KkMmGgTtPp][Ii][Bb]))$"
)

_SECONDS = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_POWERS = "kmgtp"
_SIZE = re.compile(r"(?P<number>[\d.]+) ?(?P<unit>[a-z]*)")


def read_duration(text: object) -> timedelta:
    """`1d12h` as a span of time."""
    if not isinstance(text, str) or not re.fullmatch(DURATION_PATTERN, text, re.ASCII):
        raise wrong("duration", found=text)
    counts = {part[-1]: int(part[:-1]) for part in re.findall(r"\d+[a-z]", text)}
    seconds = sum(counts.get(unit, 0) * length for unit, length in _SECONDS)
    if seconds > LONGEST.total_seconds():
        raise wrong("duration", found=text)
    return timedelta(seconds=seconds)


def write_duration(span: timedelta) -> str:
    """The text that `read_duration` reads as `span`, whole seconds."""
    rest, parts = int(span.total_seconds()), []
    for unit, length in _SECONDS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def read_size(text: object) -> Size:
    """`1.5GiB` as a number of bytes."""
    text = "0" if text == 0 and not isinstance(text, bool) else text
    if not isinstance(text, str) or not re.fullmatch(SIZE_PATTERN, text, re.ASCII):
        raise wrong("size", found=text)
    match = _SIZE.fullmatch(text.lower())
    assert match is not None  # noqa: S101  (SIZE_PATTERN is narrower)
    count = Fraction(match["number"]) * _factor(match["unit"])
    if count.denominator != 1 or count > LARGEST:
        raise wrong("size", found=text)
    return Size(count)


def write_size(count: int) -> str:
    """The text that `read_size` reads as `count`: the largest unit that divides it."""
    power = 0
    while count and power < len(_POWERS) and count % 1024 == 0:
        count, power = count // 1024, power + 1
    return f"{count}{_POWERS[power - 1].upper()}iB" if power else f"{count}B"


def _factor(unit: str) -> int:
    if unit in ("", "b"):
        return 1
    step = 1000 if unit[1:] == "b" else 1024
    return int(step ** (1 + _POWERS.index(unit[0])))


def _some_time(text: object) -> timedelta:
    span = read_duration(text)
    if not span:
        raise wrong("zero", found=text)
    return span


def _some_bytes(text: object) -> Size:
    count = read_size(text)
    if not count:
        raise wrong("zero", found=text)
    return count


_duration_schema = WithJsonSchema(
    {"type": "string", "pattern": DURATION_PATTERN, "examples": ["90s", "10m", "4h", "1d12h"]}
)
_size_schema = WithJsonSchema(
    {
        "anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"const": 0}],
        "examples": ["500MiB", "2GiB", "1GB"],
    }
)

Duration = Annotated[
    timedelta, PlainValidator(read_duration), PlainSerializer(write_duration), _duration_schema
]
PositiveDuration = Annotated[
    timedelta, PlainValidator(_some_time), PlainSerializer(write_duration), _duration_schema
]
Bytes = Annotated[Size, PlainValidator(read_size), PlainSerializer(write_size), _size_schema]
PositiveBytes = Annotated[
    Size, PlainValidator(_some_bytes), PlainSerializer(write_size), _size_schema
]
