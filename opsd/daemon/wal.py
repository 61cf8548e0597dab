"""The logs of database servers in a running daemon: receivers, guards and shippers, each a thread.

They do not wait for each other: a server that does not answer delays no receiver, and a repository
that does not answer delays no guard.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from opsd.config.schema import Config
from opsd.errors import OpsdError
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit
from opsd.tasks.wal.guard import Guard, Look
from opsd.tasks.wal.log import Log, logs
from opsd.tasks.wal.receiving import Receiver, Reception
from opsd.tasks.wal.shipping import Shipped, Shipper, clear
from opsd.tasks.wal.telling import CHECK, results

log = logging.getLogger(__name__)

_GUARDED_EVERY = timedelta(seconds=1)
_STALE = timedelta(seconds=15)  # what a guard saw that hangs since then says nothing any more


@dataclass(slots=True)
class Warden:
    """Everything that goes on about one log."""

    log: Log
    tell: Callable[[], None]
    over: threading.Event = field(default_factory=threading.Event)
    receivers: dict[str, Receiver] = field(default_factory=dict)
    shippers: dict[str, Shipper] = field(default_factory=dict)
    look: Look | None = None
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Start all of it."""
        found = self.log
        self.receivers = {n: Receiver(found, n, d) for n, d in found.directories.items()}
        self.shippers = {name: Shipper(found, name) for name in found.repositories}
        guard = Guard(found, self._receptions, self._shipped)
        for receiver in self.receivers.values():
            receiver.begin()
        self._every(_GUARDED_EVERY, lambda: self._guard(guard), guard.close)
        for shipper in self.shippers.values():
            self._every(found.wal.ship_every, partial(self._ship, shipper, guard))

    def close(self) -> None:
        """End all of it; what was received by then is shipped once more by the next daemon."""
        self.over.set()
        for receiver in self.receivers.values():
            receiver.close()
        for thread in self._threads:
            thread.join()

    def _guard(self, guard: Guard) -> None:
        self.look = guard.turn()
        self.tell()

    def _ship(self, shipper: Shipper, guard: Guard) -> None:
        seen = guard.seen
        shipper.turn(guard.flushed(), seen.system if seen else "")
        if seen is not None and all(one.shipped.at for one in self.shippers.values()):
            clear(self.log, [one.held for one in self.shippers.values()], seen.segment_bytes)

    def _receptions(self) -> Mapping[str, Reception]:
        return {name: receiver.reception for name, receiver in self.receivers.items()}

    def _shipped(self) -> Mapping[str, Shipped]:
        return {name: shipper.shipped for name, shipper in self.shippers.items()}

    def _every(
        self,
        interval: timedelta,
        work: Callable[[], None],
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """Do something again and again until it is over; what fails is told and tried again."""

        def go() -> None:
            while not self.over.is_set():
                try:
                    work()
                except OpsdError as error:
                    log.error("%s: %s", self.log.subject, error)  # noqa: TRY400
                except Exception:
                    log.exception("%s: opsd itself failed", self.log.subject)
                self.over.wait(interval.total_seconds())
            after()

        thread = threading.Thread(target=go, name=f"wal:{self.log.subject}")
        self._threads.append(thread)
        thread.start()


class Wardens:
    """The wardens of all logs that are configured; one configuration after the other is adopted."""

    def __init__(self, kit: Kit, take: Callable[[Answers], None]) -> None:
        self._kit = kit
        self._take = take
        self._wardens: dict[str, Warden] = {}

    def adopt(self, config: Config) -> None:
        """Guard what this configuration names; what it says of a log unchanged goes on."""
        wanted = {found.subject: found for found in logs(self._kit, config)}
        for subject, warden in list(self._wardens.items()):
            found = wanted.get(subject)
            if found is None or found.member != warden.log.member:
                warden.close()
                del self._wardens[subject]
        for subject, found in wanted.items():
            if subject not in self._wardens:
                self._wardens[subject] = Warden(found, self._tell)
                self._wardens[subject].begin()

    def close(self) -> None:
        """End all of them."""
        for warden in self._wardens.values():
            warden.close()
        self._wardens.clear()

    def _tell(self) -> None:
        """Hand what all wardens saw last to the watch: one answer of one check."""
        now, wardens = self._kit.clock(), list(self._wardens.values())
        looks = [(warden.log, warden.look) for warden in wardens]
        if any(look is None for _, look in looks):
            return  # what was known before this daemon began is not gone: it ages
        told = [
            result
            for found, look in looks
            if look is not None and now - look.at < _STALE
            for result in results(found, look)
        ]
        self._take(Answers("", CHECK, now, tuple(told)))
