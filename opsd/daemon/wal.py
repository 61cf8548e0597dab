"""The logs of database servers in a running daemon: receivers, guards and shippers, each a thread.

They do not wait for each other: a server that does not answer delays no receiver, and a repository
that does not answer delays no guard.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from opsd.clock import Stopwatch
from opsd.config.schema import Config
from opsd.errors import OpsdError
from opsd.model import CheckResult
from opsd.tasks.binlog import guarding
from opsd.tasks.binlog import shipping as binlog
from opsd.tasks.binlog.stream import Stream, streams
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit
from opsd.tasks.wal import resuming
from opsd.tasks.wal.guard import Guard, Look
from opsd.tasks.wal.log import Log, logs
from opsd.tasks.wal.mending import Mender
from opsd.tasks.wal.parting import Parting
from opsd.tasks.wal.receiving import Receiver, Reception
from opsd.tasks.wal.room import Elsewhere
from opsd.tasks.wal.shipping import Shipped, Shipper, clear
from opsd.tasks.wal.telling import CHECK, results

log = logging.getLogger(__name__)

_GUARDED_EVERY = timedelta(seconds=1)
_STALE = timedelta(seconds=15)  # what a guard saw that hangs since then says nothing any more


@dataclass(slots=True)
class Rounds:
    """Work about one log that is done again and again, each kind in a thread of its own.

    Who tells of it does so at once when something has `landed`, besides in each turn.
    """

    subject: str
    over: threading.Event = field(default_factory=threading.Event)
    landed: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def every(
        self,
        interval: timedelta,
        work: Callable[[], None],
        after: Callable[[], None] = lambda: None,
        tell: Callable[[], None] | None = None,
    ) -> None:
        """Do something again and again until it is over; what fails is told and tried again."""

        def go() -> None:
            while not self.over.is_set():
                self._try(work)
                if tell is None:
                    self.over.wait(interval.total_seconds())
                else:
                    self._listen(interval, tell)
            after()

        thread = threading.Thread(target=go, name=f"wal:{self.subject}")
        self._threads.append(thread)
        thread.start()

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OpsdError as error:
            log.error("%s: %s", self.subject, error)  # noqa: TRY400
        except Exception:
            log.exception("%s: opsd itself failed", self.subject)

    def _listen(self, interval: timedelta, tell: Callable[[], None]) -> None:
        """Wait so long, telling of whatever lands meanwhile."""
        waited = Stopwatch()
        while not self.over.is_set() and (left := interval - waited.elapsed()) > timedelta():
            if self.landed.wait(left.total_seconds()):
                self.landed.clear()
                self._try(tell)

    def end(self) -> None:
        """End it, and wait until it has ended."""
        self.over.set()
        self.landed.set()
        for thread in self._threads:
            thread.join()


class Keeper(Protocol):
    """Who keeps the log of one member, of whatever kind."""

    @property
    def terms(self) -> object:
        """All that the configuration says of it."""
        ...

    def begin(self) -> None:
        """Start all that goes on about it."""
        ...

    def close(self) -> None:
        """End all of it."""
        ...

    @property
    def seen_at(self) -> datetime | None:
        """When it was last looked at."""
        ...

    def results(self) -> Iterator[CheckResult]:
        """What was seen then."""
        ...


@dataclass(slots=True)
class Warden:
    """Everything that goes on about one log of PostgreSQL's."""

    log: Log
    tell: Callable[[], None]
    rounds: Rounds
    elsewhere: Elsewhere
    receivers: dict[str, Receiver] = field(default_factory=dict)
    shippers: dict[str, Shipper] = field(default_factory=dict)
    look: Look | None = None

    @property
    def terms(self) -> object:
        """All that the configuration says of it."""
        return _terms(self.log)

    @property
    def seen_at(self) -> datetime | None:
        """When it was last looked at."""
        return self.look.at if self.look else None

    def results(self) -> Iterator[CheckResult]:
        """What was seen then."""
        return results(self.log, self.look) if self.look else iter(())

    def begin(self) -> None:
        """Start all of it."""
        found, parting = self.log, Parting(self.log)
        self.receivers = {
            name: Receiver(
                found,
                name,
                place,
                ended=partial(resuming.ended, found, name, place),
                begins=partial(parting.begin, name, place),
            )
            for name, place in found.directories.items()
        }
        self.shippers = {name: Shipper(found, name, parting) for name in found.repositories}
        guard = Guard(found, self._receptions, self._shipped, self._renew, self.elsewhere)
        for receiver in self.receivers.values():
            receiver.begin()
        self.rounds.every(
            _GUARDED_EVERY,
            lambda: self._say(parting.look(guard.turn())),
            guard.close,
            tell=lambda: self._say(parting.told(guard.told())),
        )
        for shipper in self.shippers.values():
            self.rounds.every(found.wal.ship_every, partial(self._ship, shipper, guard))
            if others := [one for one in self.shippers.values() if one is not shipper]:
                self.rounds.every(found.wal.ship_every, Mender(found, shipper, others).turn)

    def close(self) -> None:
        """End all of it; what was received by then is shipped once more by the next daemon."""
        self.rounds.over.set()
        for receiver in self.receivers.values():
            receiver.close()
        self.rounds.end()

    def _say(self, look: Look) -> None:
        self.look = look
        self.tell()

    def _ship(self, shipper: Shipper, guard: Guard) -> None:
        more = True
        while more and not self.rounds.over.is_set():
            seen = guard.seen
            more = shipper.turn(guard.flushed(), seen.system if seen else "")
            self.rounds.landed.set()
            shipped = [one.shipped for one in self.shippers.values()]
            if seen is not None and all(
                one.at and not one.error and one.system == seen.system for one in shipped
            ):
                held = [one.held for one in self.shippers.values()]
                clear(self.log, held, seen.system, seen.segment_bytes)

    def _renew(self, receiver: str) -> None:
        self.receivers[receiver].renew()

    def _receptions(self) -> Mapping[str, Reception]:
        return {name: receiver.reception for name, receiver in self.receivers.items()}

    def _shipped(self) -> Mapping[str, Shipped]:
        return {name: shipper.shipped for name, shipper in self.shippers.items()}


@dataclass(slots=True)
class BinlogWarden:
    """Everything that goes on about one binary log of MariaDB's."""

    stream: Stream
    tell: Callable[[], None]
    rounds: Rounds
    shippers: dict[str, binlog.Shipper] = field(default_factory=dict)
    look: guarding.Look | None = None

    @property
    def terms(self) -> object:
        """All that the configuration says of it."""
        return _terms(self.stream)

    @property
    def seen_at(self) -> datetime | None:
        """When it was last looked at."""
        return self.look.at if self.look else None

    def results(self) -> Iterator[CheckResult]:
        """What was seen then."""
        return guarding.results(self.stream, self.look) if self.look else iter(())

    def begin(self) -> None:
        """Start all of it."""
        found, guard = self.stream, guarding.Guard(self.stream)
        receiver = Receiver(found, guarding.RECEIVER, found.directory)
        self.shippers = {name: binlog.Shipper(found, name) for name in found.repositories}
        receiver.begin()
        self.rounds.every(
            _GUARDED_EVERY,
            lambda: self._say(guard.turn(receiver.reception, self._shipped())),
            receiver.close,
            tell=lambda: self._say(guard.told(receiver.reception, self._shipped())),
        )
        for shipper in self.shippers.values():
            self.rounds.every(found.binlog.ship_every, partial(self._ship, shipper, guard))

    def close(self) -> None:
        """End all of it."""
        self.rounds.end()

    def _say(self, look: guarding.Look) -> None:
        self.look = look
        self.tell()

    def _shipped(self) -> Mapping[str, binlog.Shipped]:
        return {name: shipper.shipped for name, shipper in self.shippers.items()}

    def _ship(self, shipper: binlog.Shipper, guard: guarding.Guard) -> None:
        if guard.server:
            shipper.turn(guard.server)
            self.rounds.landed.set()
            binlog.clear(self.stream, [one.held for one in self.shippers.values()])


def _terms(log: Log | Stream) -> object:
    """The member as it is configured, and the repositories that keep its log."""
    known = log.kit.config.repositories
    return log.member, {name: known[name] for name in log.repositories}


class Wardens:
    """The wardens of all logs that are configured; one configuration after the other is adopted."""

    def __init__(
        self, kit: Kit, take: Callable[[Answers], None], elsewhere: Elsewhere = lambda _: None
    ) -> None:
        """`elsewhere` knows the room under a server that is not on this machine."""
        self._kit = kit
        self._elsewhere = elsewhere
        self._take = take
        self._wardens: dict[str, Keeper] = {}

    def adopt(self, config: Config) -> None:
        """Guard what this configuration names; what it says of a log unchanged goes on."""
        kit = replace(self._kit, config=config)
        wanted: dict[str, Keeper] = {
            found.subject: Warden(found, self._tell, Rounds(found.subject), self._elsewhere)
            for found in logs(kit)
        }
        for stream in streams(kit):
            wanted[stream.subject] = BinlogWarden(stream, self._tell, Rounds(stream.subject))
        for subject, warden in list(self._wardens.items()):
            found = wanted.get(subject)
            if found is None or found.terms != warden.terms:
                warden.close()
                del self._wardens[subject]
        for subject, warden in wanted.items():
            if subject not in self._wardens:
                self._wardens[subject] = warden
                warden.begin()

    def close(self) -> None:
        """End all of them."""
        for warden in self._wardens.values():
            warden.close()
        self._wardens.clear()

    def _tell(self) -> None:
        """Hand what all wardens saw last to the watch: one answer of one check."""
        now, wardens = self._kit.clock(), list(self._wardens.values())
        looked = [(warden, warden.seen_at) for warden in wardens]
        if any(at is None for _, at in looked):
            return  # what was known before this daemon began is not gone: it ages
        told = [
            result
            for warden, at in looked
            if at is not None and now - at < _STALE
            for result in warden.results()
        ]
        self._take(Answers("", CHECK, now, tuple(told)))
