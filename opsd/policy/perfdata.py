"""What monitoring plugins print: a line for people, and figures behind a bar.

The form is that of the Monitoring Plugins Development Guidelines: `'label'=value[unit];[warning];
[critical];[least];[most]`, a range being `[@][begin:][end]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

_FIGURE = re.compile(
    r"(?:'(?P<quoted>(?:[^'=]|'')+)'|(?P<plain>[^\s'=]+))="
    r"(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?P<unit>[a-zA-Z%]*)"
    r"(?P<rest>(?:;[^\s;]*)*)(?=\s|$)"
)
_RANGE = re.compile(r"(?P<inside>@?)(?:(?P<begin>~|[-+.\deE]+)?:)?(?P<end>[-+.\deE]+)?")
_BASE: Final = {
    "": 1.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "ns": 1e-9,
    "%": 0.01,
    "c": 1.0,
    "b": 1.0,
    "kb": 1024.0,
    "mb": 1024.0**2,
    "gb": 1024.0**3,
    "tb": 1024.0**4,
    "pb": 1024.0**5,
    "kib": 1024.0,
    "mib": 1024.0**2,
    "gib": 1024.0**3,
    "tib": 1024.0**4,
}


@dataclass(frozen=True, slots=True)
class Range:
    """A range of good figures; with `inside`, of bad ones."""

    begin: float
    end: float
    inside: bool = False

    def alerts(self, value: float) -> bool:
        """Whether a figure is one to worry about."""
        return (self.begin <= value <= self.end) is self.inside


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, in base units: seconds, bytes, parts of one."""

    label: str
    value: float
    unit: str
    warning: Range | None
    critical: Range | None


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that a plugin printed."""

    text: str
    more: str
    figures: tuple[Figure, ...]


def read(output: str) -> Said:
    """The first line, what follows it, and the figures of both."""
    first, _, rest = output.strip().partition("\n")
    text, _, figures = first.partition("|")
    more, _, further = rest.partition("|")
    return Said(text.strip(), more.strip(), tuple(_figures(f"{figures} {further}")))


def _figures(text: str) -> Iterator[Figure]:
    for found in _FIGURE.finditer(text):
        factor = _BASE.get(found["unit"].lower())
        if factor is None:
            continue
        _, warning, critical = f"{found['rest']};;;".split(";")[:3]
        label = (found["quoted"] or found["plain"]).replace("''", "'")
        yield Figure(
            label,
            float(found["value"]) * factor,
            found["unit"],
            _range(warning, factor),
            _range(critical, factor),
        )


def _range(text: str, factor: float) -> Range | None:
    """A range in base units; nothing for an empty or a wrong one."""
    found = _RANGE.fullmatch(text)
    if not text or not found or (found["begin"] is None and found["end"] is None):
        return None
    try:
        begin = -inf if found["begin"] == "~" else float(found["begin"] or 0) * factor
        end = float(found["end"]) * factor if found["end"] else inf
    except ValueError:
        return None
    return Range(begin, end, bool(found["inside"]))
