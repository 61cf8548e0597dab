"""The history as Prometheus metrics: the only door to prometheus_client.

Everything is read from the store when Prometheus asks, so that a restart forgets nothing. What
each metric means: docs/metrics.md.
"""

from opsd.metrics.answered import Answered
from opsd.metrics.board import Board, Line
from opsd.metrics.collector import Collector, Sources, Vitals
from opsd.metrics.exposition import CONTENT_TYPE, Exposition
from opsd.metrics.people import Reached, Told
from opsd.metrics.watched import Watched

__all__ = [
    "CONTENT_TYPE",
    "Answered",
    "Board",
    "Collector",
    "Exposition",
    "Line",
    "Reached",
    "Sources",
    "Told",
    "Vitals",
    "Watched",
]
