"""The guard of one member's log: looks at the server and the receivers, once a second.

observe  the server, the receivers of this machine, what the repositories have
judge    opsd.policy.wal: is it protected, what would be lost now, is anything to be done
act      only what was agreed: give protection up after `fall_back_after`, and take it up again;
         start a receiver of this machine anew that lives and takes nothing
record   an exposure before it begins; results for the watch
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsd.clock import Stopwatch
from opsd.drivers.postgres.replication import Sender, Server, ServerSeen, reach
from opsd.errors import OpsdError
from opsd.policy import protection, worth
from opsd.policy.parting import Parted
from opsd.tasks.wal.leaving import Left
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.receiving import Reception
from opsd.tasks.wal.recoverable import Forecaster
from opsd.tasks.wal.room import Elsewhere, Room, room
from opsd.tasks.wal.shipping import Shipped
from opsd.wal import Exposure, position

log = logging.getLogger(__name__)

_REMEMBERED = 4000  # beats: more than an hour
_HUNG = timedelta(seconds=15)  # longer than a connection may take
_CLOSE = 5  # turns that a receiver may be behind when commits are made to wait for it again
_TAKEN_IN = timedelta(seconds=1.5)  # by all processes of a server, what one says is set
_ON_THE_WAY = 16 << 20  # bytes: more than all buffers between a server and a receiver hold


@dataclass(frozen=True, slots=True)
class Look:
    """What the guard saw in one turn. Moments are what is known to be held; None: not known."""

    at: datetime
    seen: ServerSeen | None
    error: str
    receptions: Mapping[str, Reception]
    shipped: Mapping[str, Shipped]
    held_by_receivers: Mapping[str, datetime | None]
    held_by_repositories: Mapping[str, datetime | None]
    exposure: Exposure | None
    short_for: timedelta  # how long there have been fewer receivers than commits wait for
    still: Mapping[str, timedelta]  # since when a receiver has taken nothing of what there is
    # How long a recovery to now would take from each repository.
    forecasts: Mapping[str, timedelta | None] = field(default_factory=dict)
    parted: Mapping[str, Parted] = field(default_factory=dict)  # whose log is not the server's
    # By receivers: what they have that the server left behind; nothing of one that has not begun.
    left: Mapping[str, Left | None] = field(default_factory=dict)
    room: Room | None = None  # under the server's own log


@dataclass(slots=True)
class Pulse:
    """Whether a receiver takes the log: how far it has it, and since when that has not moved."""

    _flushed: int | None = None
    _sent: int = 0  # as far as the stopwatch knows
    _still: Stopwatch = field(default_factory=Stopwatch)

    def feel(self, sender: Sender | None, end: int) -> timedelta:
        """How long it has stood still before the end of the log; nothing, when it has it all.

        One that is sent much takes it, even if it is slow to say that it is safe.
        """
        if sender is not None and self._moved(sender, end):
            self._still, self._sent = Stopwatch(), sender.sent or 0
        self._flushed = sender.flushed if sender is not None else None
        return self._still.elapsed()

    def _moved(self, sender: Sender, end: int) -> bool:
        if sender.state is None:
            return True  # we may not see: nothing is known, and nothing said against it
        if sender.flushed is not None and sender.flushed >= end:
            return True
        taken = (sender.sent or 0) - self._sent
        return sender.flushed != self._flushed or not 0 <= taken < _ON_THE_WAY


@dataclass(slots=True)
class Guard:
    """Guards one log, turn by turn."""

    log: Log
    receptions: Callable[[], Mapping[str, Reception]]
    shipped: Callable[[], Mapping[str, Shipped]]
    renew: Callable[[str], None]
    elsewhere: Elsewhere = lambda _: None
    seen: ServerSeen | None = None
    _error: str = ""
    _forecaster: Forecaster | None = None
    _server: Server | None = None
    _beats: deque[tuple[datetime, int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _short: Stopwatch | None = None
    _whole: Stopwatch | None = None  # since commits wait as they should, while the exposure goes on
    _again: int | None = None  # whoever has this has all that was committed without waiting
    _reached: dict[str, worth.Reach] = field(default_factory=dict)
    _pulses: dict[str, Pulse] = field(default_factory=dict)
    _still: dict[str, timedelta] = field(default_factory=dict)

    def turn(self) -> Look:
        """Look, and do what was agreed. Raises `StorageFailed` when that cannot be recorded."""
        self._error = ""
        try:
            seen = self._observe()
            self._act(seen)
            self._revive()
        except OpsdError as failure:
            self.close()
            self._pulses.clear()
            self._still.clear()
            self.seen, self._error = None, str(failure)
        return self.told()

    def flushed(self) -> dict[str, int]:
        """How far each receiver of this machine told the server that it has the log safely."""
        found, seen = {}, self.seen  # which another thread sets
        for name in self.log.wal.here:
            sender = seen.sender(self.log.wal.application(name)) if seen else None
            if sender is not None and sender.flushed is not None:
                found[name] = sender.flushed
        return found

    def close(self) -> None:
        """Leave the server."""
        if self._server is not None:
            self._server.close()
            self._server = None

    # --- observe

    def _observe(self) -> ServerSeen:
        if self._server is None or self._server.broken:
            self._server = reach(self.log.database)
        if self.seen is not None and not self.seen.recovering:
            before = self.log.kit.clock()
            # Everything that was committed before we asked lies before that position. Who receives
            # has it by now, or in an instant: looked at only then, it is known at once.
            self._beats.append((before, self._server.beat()))
        self.seen = seen = self._server.seen(self.log.commit)
        if len(seen.live(self.log.applications)) >= (self.log.waits_for(seen.names) or 1):
            self._short = None
        elif self._short is None:
            self._short = Stopwatch()
        for name in self.log.wal.receivers:
            sender = seen.connected(self.log.wal.application(name))
            self._still[name] = self._pulses.setdefault(name, Pulse()).feel(sender, seen.flushed)
        return seen

    def _held(self, key: str, end: int | None, *, back: bool = False) -> datetime | None:
        """The newest moment up to which somebody who has the log to `end` has all commits.

        Who says nothing has what it had. With `back` it may become less.
        """
        before = self._reached.get(key)
        if end is not None:
            before = self._reached[key] = worth.reach(self._beats, end, before, back=back)
        return before.at if before else None

    # --- act

    def _act(self, seen: ServerSeen) -> None:
        open_ = self._exposure()
        standing = self._standing(seen, fallen=open_ is not None)
        if self._server is None or seen.recovering:
            return
        count = protection.change(standing, self.log.wal.fall_back_after)
        if count is not None:
            if count < (standing.waits_for or 0):
                self._record_exposure(seen)
                log.error("%s: there are too few receivers", self.log.subject)
            self._server.wait_for(protection.names(self.log.applications, count))
            log.warning("%s: commits wait for %s receivers from now on", self.log.subject, count)
        elif protection.is_whole_again(standing) and open_ is not None and self._again is not None:
            self.log.kit.store.protect(open_.id, self.log.kit.clock(), self._again)
            log.warning("%s: commits are protected again", self.log.subject)

    def _revive(self) -> None:
        """Start anew who lives here and stands still; who does not live is started anyway."""
        receptions = self.receptions()
        for name in self.log.wal.here:
            if self._still[name] > _HUNG and receptions[name].running:
                log.error("%s: %s takes nothing and is started anew", self.log.subject, name)
                self.renew(name)
                self._pulses.pop(name)

    def _standing(self, seen: ServerSeen, *, fallen: bool) -> protection.Standing:
        live, wanted = seen.live(self.log.applications), self.log.wal.wait_for
        waits_for = self.log.waits_for(seen.names)
        flushed = [one.flushed for one in live if one.flushed is not None]
        safe = protection.safe_with(flushed, wanted)
        if not fallen or waits_for != wanted:
            self._whole = self._again = None
        elif self._whole is None:
            self._whole = Stopwatch()
        elif self._again is None and self._whole.elapsed() > _TAKEN_IN:
            self._again = seen.flushed
        before = list(self._beats)[-_CLOSE:-1]  # without the one of this turn
        goal = min((behind for _, behind in before), default=None)
        return protection.Standing(
            wanted=wanted,
            waits_for=waits_for,
            live=len(live),
            short_for=self._short.elapsed() if self._short else timedelta(),
            fallen=fallen,
            close=sum(goal is not None and one >= goal for one in flushed),
            closed=self._again is not None and safe is not None and safe >= self._again,
        )

    def _exposure(self) -> Exposure | None:
        """The exposure that goes on, if one does."""
        found = self.log.kit.store.exposures(self.log.backup_set)
        mine = (one for one in found if one.member == self.log.name and one.ended is None)
        return next(mine, None)

    def _record_exposure(self, seen: ServerSeen) -> None:
        if self._exposure() is None:
            now = self.log.kit.clock()
            self.log.kit.store.expose(
                Exposure(
                    f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
                    self.log.backup_set,
                    self.log.name,
                    now,
                    self._safe(seen),
                )
            )

    def _safe(self, seen: ServerSeen) -> int:
        """Up to where as many receivers as agreed have the log: who waits behind it is let go."""
        wal = self.log.wal
        had = (seen.reached(wal.application(name), wal.slot(name)) for name in wal.receivers)
        known = sorted((at for at in had if at is not None), reverse=True)
        return min([*known[: wal.wait_for], seen.flushed])

    # --- tell

    def told(self) -> Look:
        """What is known now, the server as it was seen last."""
        seen, shipped = self.seen, self.shipped()
        by_receivers = {}
        for name in self.log.wal.receivers:
            sender = seen.sender(self.log.wal.application(name)) if seen else None
            by_receivers[name] = self._held(f"receiver {name}", sender.flushed if sender else None)
        by_repositories = {
            name: self._held(f"repository {name}", one.recoverable if one.at else None, back=True)
            for name, one in shipped.items()
        }
        return Look(
            at=self.log.kit.clock(),
            seen=seen,
            error=self._error,
            receptions=self.receptions(),
            shipped=shipped,
            held_by_receivers=by_receivers,
            held_by_repositories=by_repositories,
            exposure=self._exposure(),
            short_for=self._short.elapsed() if self._short else timedelta(),
            still=dict(self._still),
            forecasts={name: self._forecast(name, one) for name, one in shipped.items()},
            room=self._room(),
        )

    def _room(self) -> Room | None:
        place = self._server.place if self._server else None
        return room(place) or (self.elsewhere(place) if place else None)

    def _forecast(self, repository: str, shipped: Shipped) -> timedelta | None:
        """Nothing where it is not known that all of the log is there."""
        if shipped.error or shipped.gaps or not shipped.recoverable:
            return None
        if self._forecaster is None:
            self._forecaster = Forecaster(self.log.kit, self.log.backup_set, self.log.name)
        return self._forecaster.forecast(
            repository, lambda base: shipped.end - position(base["start"])
        )
