"""The page that Prometheus fetches."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from opsd.metrics.collector import Collector


class Exposition:
    """A registry of our own with opsd's metrics and those of its process."""

    def __init__(self, collector: Collector) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """The page and its content type, in the format that is accepted."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
