"""How many messages a daemon has written into its log, by level."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_LEVELS = ("info", "warning", "error", "critical")


class Tally(logging.Handler):
    """Counts what others write; it writes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a message."""
        self._counts[record.levelname.lower()] += 1

    @property
    def counts(self) -> Mapping[str, int]:
        """Messages of each level since it was begun."""
        return {level: self._counts[level] for level in _LEVELS}

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count all messages of this process meanwhile."""
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)
