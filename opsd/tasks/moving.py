"""Bytes on their way: told to whoever watches, no faster than allowed, ended when that is asked."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

from opsd.clock import Stopwatch
from opsd.errors import TimedOut
from opsd.tasks.kit import Kit

_MOST_WAITED = 0.5  # seconds until it is asked again whether to go on
_CREDIT = 1  # seconds


@dataclass(slots=True)
class Moving:
    """So many bytes in all, as far as that is known, and how long it may take; for many threads."""

    kit: Kit
    total: int
    limit: timedelta = timedelta.max
    _watch: Stopwatch = field(default_factory=Stopwatch)
    _done: int = 0
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, size: int) -> None:
        """So many more were moved. Raises `TimedOut` and `Cancelled` when it is not to go on."""
        self.kit.go_on()
        if self._watch.elapsed() > self.limit:
            raise TimedOut("run.out_of_time", limit=self.limit)
        with self._one_at_a_time:
            self._done += size
            self.kit.watcher.advance(self._done, max(self.total, self._done))


@dataclass(slots=True)
class Pace:
    """Bytes a second that may be moved; what is not used is lost. None: no limit."""

    kit: Kit
    most: int | None = None
    _watch: Stopwatch = field(default_factory=Stopwatch)
    _free_at: float = 0
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def spent(self, size: int) -> None:
        """So many were moved: returns when the next may be. Raises `Cancelled`."""
        if self.most is None:
            return
        with self._one_at_a_time:
            begin = max(self._free_at, self._now - _CREDIT)
            self._free_at = due = begin + size / self.most
        while (left := due - self._now) > 0:
            self.kit.go_on()
            time.sleep(min(left, _MOST_WAITED))

    @property
    def _now(self) -> float:
        return self._watch.elapsed().total_seconds()
