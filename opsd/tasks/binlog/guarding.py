"""Looks at the log of a MariaDB server again and again: who has how much of it, since when.

Who has the log up to where the server had written it has every commit until that moment; so how
old the data of each place is follows from the places that were asked before. Where the server does
not answer it is not known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsd.binlog import Spot
from opsd.catalogue import Size
from opsd.drivers.mariadb import binlog
from opsd.drivers.mariadb.binlog import Logged
from opsd.errors import OpsdError
from opsd.model import CheckResult, Measurement, Status
from opsd.tasks.binlog.shipping import Shipped
from opsd.tasks.binlog.stream import Stream, received, size_of
from opsd.tasks.wal.receiving import Reception
from opsd.tasks.wal.recoverable import Forecaster
from opsd.tasks.wal.telling import expected, until

RECEIVER = "here"
_REMEMBERED = 7200  # looks
_BEHIND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment."""

    at: datetime
    logged: Logged | None
    error: str
    reception: Reception
    held: datetime | None  # until when the receiver has every commit
    shipped: Mapping[str, tuple[Shipped, datetime | None]]
    # How long a recovery to now would take from each repository.
    forecasts: Mapping[str, timedelta | None] = field(default_factory=dict)


@dataclass(slots=True)
class Guard:
    """Asks the server where it is, and remembers what it said."""

    stream: Stream
    server: str = ""
    _seen: Logged | None = None
    _error: str = ""
    _forecaster: Forecaster | None = None
    _ends: deque[tuple[datetime, Spot]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def turn(self, reception: Reception, shipped: Mapping[str, Shipped]) -> Look:
        """Look once."""
        at, self._seen, self._error = self.stream.kit.clock(), None, ""
        try:
            self._seen = binlog.logged(self.stream.database)
            self.server = self._seen.server
            self._ends.append((at, self._seen.end))
        except OpsdError as failed:
            self._error = str(failed)
        return self.told(reception, shipped)

    def told(self, reception: Reception, shipped: Mapping[str, Shipped]) -> Look:
        """What is known now, the server as it was seen last."""
        return Look(
            self.stream.kit.clock(),
            self._seen,
            self._error,
            reception,
            self._held(_reach(self.stream)),
            {name: (one, self._held(one.recoverable)) for name, one in shipped.items()},
            {name: self._forecast(name, one) for name, one in shipped.items()},
        )

    def _forecast(self, repository: str, shipped: Shipped) -> timedelta | None:
        """Nothing where it is not known that all of the log is there."""
        if shipped.error or shipped.gap or shipped.recoverable is None:
            return None
        if self._forecaster is None:
            self._forecaster = Forecaster(self.stream.kit, self.stream.backup_set, self.stream.name)
        return self._forecaster.forecast(repository, lambda base: _behind(base["spot"], shipped))

    def _held(self, reach: Spot | None) -> datetime | None:
        """Since when whoever reaches so far may lack something."""
        if reach is None:
            return None
        return max((at for at, end in self._ends if end <= reach), default=None)


def _behind(spot: str, shipped: Shipped) -> int | None:
    """How much log lies behind a place; of the file of that place all of it is fetched."""
    at = Spot.of(spot)
    if at is None or at.file not in shipped.sizes:
        return None
    return sum(size for file, size in shipped.sizes.items() if file >= at.file)


def _reach(stream: Stream) -> Spot | None:
    """How far the receiver has the log. The newest file is what it writes."""
    newest = max(received(stream.directory), default=None)
    return Spot(newest, size_of(stream.directory / newest.name)) if newest else None


def results(stream: Stream, look: Look) -> Iterator[CheckResult]:
    """One result for the receiver, one for each repository."""
    yield _of_receiver(stream, look)
    for name, (shipped, held) in look.shipped.items():
        yield _of_repository(stream, look, name, shipped, held)


def _of_receiver(stream: Stream, look: Look) -> CheckResult:
    reception = look.reception
    labels = {"backup_set": stream.backup_set, "member": stream.name, "receiver": RECEIVER}
    figures = [
        Measurement("opsd_wal_receiver_up", float(reception.running), labels),
        Measurement("opsd_wal_receiver_restarts_total", reception.restarts, labels),
        Measurement("opsd_wal_receiver_free_bytes", reception.free, labels),
        *until("opsd_wal_receiver_held_timestamp_seconds", look.held, labels),
    ]
    status, cause = Status.OK, ""
    if reception.free < stream.binlog.min_free:
        status, cause = Status.CRITICAL, "disk"
    elif look.logged is None:
        status, cause = Status.UNKNOWN, "unreachable"
    elif not reception.running:
        status, cause = Status.CRITICAL, "not_received"
    elif look.held is None:
        status, cause = Status.UNKNOWN, "not_known"
    elif look.at - look.held > _BEHIND:
        status, cause = Status.WARNING, "late"
    fields = {"free": Size(reception.free), "at": look.held or "-"}
    said = {"unreachable": look.error, "not_received": reception.said}.get(cause, "")
    key = f"binlog.{cause}" if cause else "binlog.receives"
    subject = f"{stream.subject}/{RECEIVER}"
    return CheckResult(status, key, fields, said, cause, subject, tuple(figures))


def _of_repository(
    stream: Stream, look: Look, name: str, shipped: Shipped, held: datetime | None
) -> CheckResult:
    labels = {"backup_set": stream.backup_set, "member": stream.name, "repository": name}
    figures = [
        *until("opsd_wal_repository_held_timestamp_seconds", held, labels),
        Measurement("opsd_wal_repository_gaps", float(shipped.gap is not None), labels),
        *expected(look.forecasts.get(name), labels),
    ]
    fields: dict[str, object] = {"repository": name, "at": held or "-"}
    detail, status, cause = "", Status.OK, ""
    if shipped.gap is not None:
        status, cause = Status.CRITICAL, "gap"
        fields["file"] = shipped.gap.name
    elif shipped.refused:
        status, cause, detail = Status.CRITICAL, "refused", "\n".join(shipped.refused[:3])
    elif shipped.error:
        status, cause, detail = Status.WARNING, "not_shipped", shipped.error
    elif held is None:
        status, cause = Status.UNKNOWN, "not_known" if shipped.based else "no_base"
    elif look.at - held > max(_BEHIND, 4 * stream.binlog.ship_every):
        status, cause = Status.WARNING, "late"
    key = f"binlog.{cause}" if cause else "binlog.kept"
    subject = f"{stream.subject}@{name}"
    return CheckResult(status, key, fields, detail, cause, subject, tuple(figures))
