"""Signs of life: the daemon gives one again and again, each backup at its start and at its end."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from opsd.config.heartbeats import Heartbeat
from opsd.drivers.notify import post
from opsd.drivers.notify.post import Place
from opsd.model import Closing, Run, Task
from opsd.store import Notices, Store


@dataclass(slots=True)
class Pulse:
    """One heartbeat: when it last arrived, and how often it did not."""

    name: str
    arrived_at: datetime | None = None
    failures: int = 0
    _tried_at: datetime | None = field(default=None)

    def beat(
        self, options: Heartbeat, history: tuple[Store, Notices], clock: Callable[[], datetime]
    ) -> None:
        """Give the sign that is due, if one is.

        Raises `ChannelFailed` when nobody took it: it is given again a moment later; and
        `ConfigError` or `OSError` when its address cannot be read.
        """
        now = clock()
        pause = options.timeout if options.backup_set else options.every
        if self.failures and self._tried_at is not None and now - self._tried_at < pause:
            return
        try:
            self._give(options, history, now)
        except Exception:
            self._tried_at = now
            self.failures += 1
            raise

    def _give(self, options: Heartbeat, history: tuple[Store, Notices], now: datetime) -> None:
        store, notices = history
        if options.backup_set is None:
            if self.arrived_at is None or not now - self.arrived_at < options.every:
                post.ping(_place(options, ""))
                self.arrived_at = now
            return
        newest = store.last_run(Task.BACKUP, options.backup_set)
        for run, phase, said in _phases(*newest) if newest else ():
            if phase not in notices.pinged(self.name, run.id):
                rid = uuid.uuid5(uuid.NAMESPACE_URL, run.id)
                post.ping(_place(options, f"{phase}?rid={rid}"), said)
                notices.add_ping(self.name, run.id, phase, now)
                self.arrived_at = now


def _phases(run: Run, closing: Closing | None) -> Iterator[tuple[Run, str, str]]:
    """What there is to tell of a run."""
    yield run, "/start", run.id
    if closing is not None:
        good = closing.outcome.good
        yield run, "" if good else "/fail", f"{run.id} {closing.outcome.value} {closing.reason}"


def _place(options: Heartbeat, suffix: str) -> Place:
    url = options.url.path().read_text(encoding="utf-8").strip().rstrip("/")
    return Place(url + suffix, options.timeout.total_seconds(), ca_file=options.ca_file)
