"""Every metric there is, in the order of the page, and the page as it is filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from opsd.metrics.families import OF_THE_HISTORY, Family
from opsd.metrics.watch_families import OF_THE_WATCH

FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family for family in (*OF_THE_HISTORY, *OF_THE_WATCH)
}


class Page:
    """The families of one scrape as they are filled."""

    def __init__(self) -> None:
        self._filled: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add a sample; `labels` are the values of the family's labels, in their order."""
        family = FAMILIES[name]
        if len(labels) != len(family.labels):
            raise ValueError(f"{name} has the labels {family.labels}")
        self._filled.setdefault(name, family.empty()).add_metric(labels, value)

    def families(self) -> list[Metric]:
        """The families that have samples, in the order of the table."""
        return [self._filled[name] for name in FAMILIES if name in self._filled]
