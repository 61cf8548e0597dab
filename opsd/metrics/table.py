"""Every metric there is, in the order of the page, and the page as it is filled.

The text is made here and not by prometheus_client, which takes half a second for what two hundred
hosts have to say (docs/adr/0010-metrics-page.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from opsd.metrics.answer_families import OF_ANSWERS
from opsd.metrics.families import OF_THE_HISTORY, Family
from opsd.metrics.host_families import OF_HOSTS
from opsd.metrics.people_families import OF_PEOPLE
from opsd.metrics.probe_families import OF_PROBES
from opsd.metrics.wal_families import OF_LOGS
from opsd.metrics.watch_families import OF_THE_WATCH

FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family
    for family in (
        *OF_THE_HISTORY,
        *OF_THE_WATCH,
        *OF_ANSWERS,
        *OF_HOSTS,
        *OF_PROBES,
        *OF_PEOPLE,
        *OF_LOGS,
    )
}

_Series = tuple[str, tuple[str, ...]]
_IN_LABELS: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Beginnings:
    """The names and labels of series as text, remembered from scrape to scrape."""

    def __init__(self) -> None:
        self._known: dict[_Series, str] = {}

    def of(self, series: _Series) -> str:
        """What the line of a series begins with."""
        return self._known.get(series) or self._learn(series)

    def _learn(self, series: _Series) -> str:
        name, values = series
        family = FAMILIES[name]
        if len(values) != len(family.labels):
            raise ValueError(f"{name} has the labels {family.labels}")
        pairs = sorted(zip(family.labels, values, strict=True))
        inside = ",".join(f'{label}="{value.translate(_IN_LABELS)}"' for label, value in pairs)
        beginning = f"{name}{{{inside}}} " if inside else f"{name} "
        self._known[series] = beginning
        return beginning

    def forget(self, used: int) -> None:
        """Begin anew when most of what is known was not used by a scrape of so many samples."""
        if len(self._known) > 2 * used:
            self._known = {}


class Page:
    """The samples of one scrape."""

    def __init__(self, beginnings: Beginnings | None = None) -> None:
        self._beginnings = beginnings or Beginnings()
        self._lines: dict[str, list[str]] = {}

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add a sample; `labels` are the values of the family's labels, in their order."""
        line = f"{self._beginnings.of((name, labels))}{_number(value)}\n"
        lines = self._lines.get(name)
        if lines is None:
            self._lines[name] = [line]
        else:
            lines.append(line)

    def text(self) -> str:
        """The families that have samples, in the order of the table, as Prometheus reads them."""
        parts: list[str] = []
        for name, family in FAMILIES.items():
            if lines := self._lines.get(name):
                parts.append(family.heading)
                parts += lines
        self._beginnings.forget(sum(map(len, self._lines.values())))
        return "".join(parts)


def _number(value: float) -> str:
    number = float(value)
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
