"""The page that Prometheus fetches."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from opsd.metrics.collector import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Exposition:
    """opsd's own metrics, and those of its process."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    def page(self) -> bytes:
        """The page as it is now. Raises `StorageFailed` when the history cannot be read."""
        return self._collector.page().text().encode() + generate_latest(self._process)
