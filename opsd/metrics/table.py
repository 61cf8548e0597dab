"""Every metric there is, in the order of the page, and the page as it is filled.

The text is made here and not by prometheus_client, which takes half a second for what two hundred
hosts have to say (docs/adr/0010-metrics-page.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

Labels = tuple[str, ...]
Tell = Callable[[float, Labels], None]
_IN_LABELS: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
# What is no number, as Python writes it and as Prometheus does.
_ODD: Final = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}


class Series(dict[Labels, tuple[str, float | None, str]]):
    """Of each series of a family what its line begins with, and the last value with its line."""

    def __init__(self, family: Family) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, values: Labels) -> tuple[str, float | None, str]:
        name, labels = self._family.name, self._family.labels
        if len(values) != len(labels):
            raise ValueError(f"{name} has the labels {labels}")
        pairs = sorted(zip(labels, values, strict=True))
        inside = ",".join(f'{label}="{value.translate(_IN_LABELS)}"' for label, value in pairs)
        beginning = f"{name}{{{inside}}} " if inside else f"{name} "
        found = self[values] = (beginning, None, "")
        return found


class Remembered:
    """The series of all families, kept from scrape to scrape."""

    def __init__(self) -> None:
        self._families = _nothing()

    def of(self, name: str) -> Series:
        """Those of one family."""
        return self._families[name]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self._families.values()))

    def forget(self, used: int) -> None:
        """Begin anew when most of what is known was not used by a scrape of so many samples."""
        if self.count > 2 * used:
            self._families = _nothing()


def _nothing() -> Mapping[str, Series]:
    return {name: Series(family) for name, family in FAMILIES.items()}


class Page:
    """The samples of one scrape."""

    def __init__(self, remembered: Remembered | None = None) -> None:
        self._remembered = remembered or Remembered()
        self._lines: dict[str, list[str]] = {}

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add a sample; `labels` are the values of the family's labels, in their order."""
        self.teller(name)(value, labels)

    def teller(self, name: str) -> Tell:
        """What adds samples of one family: for whoever has thousands of them."""
        series = self._remembered.of(name)
        append = self._lines.setdefault(name, []).append
        last: float | None = None
        number = ""

        def tell(value: float, labels: Labels) -> None:
            nonlocal last, number
            beginning, before, line = series[labels]
            if value != before:
                if value != last:  # neighbours are often alike
                    last, number = value, _number(value)
                line = f"{beginning}{number}\n"
                series[labels] = (beginning, value, line)
            append(line)

        return tell

    def text(self) -> str:
        """The families that have samples, in the order of the table, as Prometheus reads them."""
        parts: list[str] = []
        for name, family in FAMILIES.items():
            if lines := self._lines.get(name):
                parts.append(family.heading)
                parts += lines
        self._remembered.forget(sum(map(len, self._lines.values())))
        return "".join(parts)


def _number(value: float) -> str:
    text = repr(float(value))
    return text if text[-1] <= "9" else _ODD[text]
