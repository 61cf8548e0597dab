"""Alerts as they came from Alertmanager, each once, and the incidents that they opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Integer,
    Row,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
)

from opsd import record
from opsd.model import CheckId, Finding, Severity
from opsd.people import ALERT, Alert, AlertStatus, Fate, Received
from opsd.store import schema
from opsd.store.book import columns_of
from opsd.store.cases import Cases, following, new_code
from opsd.store.only_added import only_added
from opsd.store.schema import Moment, metadata

_AT_ONCE = 500  # values of one question: SQLite takes 32,766
# A heartbeat that comes more often is not written down each time.
_OFTEN = timedelta(seconds=30)

alert = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("fingerprint", String, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("status", String, nullable=False),
    Column("received_at", Moment, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("annotations", JSON, nullable=False),
    Column("truncated", Integer, nullable=False),
    Column("incident", String, nullable=False, index=True),
    Column("fate", String, nullable=False),
    UniqueConstraint("fingerprint", "starts_at", "status"),
)

heard = Table(
    "heard",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
)

only_added(alert)
only_added(heard)

Key = tuple[str, datetime, AlertStatus]


@dataclass(frozen=True, slots=True)
class Sorting:
    """How alerts are sorted: what each is about, whose check is behind it, whether it opens."""

    subject: Callable[[Alert], CheckId]
    own: Callable[[Alert], CheckId | None]
    opens: Callable[[Alert], bool]


class Way(Enum):
    """What is done with alerts that are shown to the history."""

    TAKE = auto()  # they are recorded, and what follows from them
    ASK = auto()  # nothing is recorded: it is what would follow
    AGAIN = auto()  # likewise, as if none of them had been here before


class Alerts(Cases):
    """The file of the history, opened for alerts."""

    def take(
        self, alerts: Sequence[Alert], at: datetime, sorting: Sorting, way: Way = Way.TAKE
    ) -> tuple[Received, ...]:
        """Record alerts and what follows from them: all of it, or nothing."""
        with self._writing() as connection:
            known = {} if way is Way.AGAIN else _known(connection, {a.fingerprint for a in alerts})
            intake = _Intake(connection, at, sorting, known)
            found = tuple(intake.receive(alerts))
            if way is Way.TAKE:
                intake.write()
        return found

    def hear(self, at: datetime) -> None:
        """Record that the heartbeat of the way of alerts arrived."""
        last = self.last_heard()
        if last is None or not timedelta() <= at - last < _OFTEN:
            self._add(heard, at=at)

    def last_heard(self) -> datetime | None:
        """When the heartbeat last arrived."""
        found: datetime | None = self._rows(select(func.max(heard.c.at)))[0][0]
        return found

    def alerts(self, since: datetime) -> Sequence[Received]:
        """What arrived since a moment, oldest first."""
        chosen = select(alert).where(alert.c.received_at >= since).order_by(alert.c.id)
        return tuple(_received(row) for row in self._rows(chosen))

    def alerts_of(self, incident: str) -> Sequence[tuple[datetime, Received]]:
        """What arrived of an incident, oldest first."""
        chosen = select(alert).where(alert.c.incident == incident).order_by(alert.c.id)
        return tuple((row.received_at, _received(row)) for row in self._rows(chosen))


class _Intake:
    """The alerts of one message on their way into the history, within one transaction.

    An incident that alerts opened goes on while any of them burns.
    """

    def __init__(
        self, connection: Connection, at: datetime, sorting: Sorting, known: dict[Key, str]
    ) -> None:
        self._connection = connection
        self._at = at
        self._sorting = sorting
        self._code = new_code(connection, at)
        self._open, self._burning = _open_incidents(connection)
        self._known = known
        self._rows: list[dict[str, object]] = []
        self._opened: list[dict[str, object]] = []
        self._closed: list[dict[str, object]] = []

    def receive(self, alerts: Sequence[Alert]) -> Iterator[Received]:
        """What becomes of each."""
        for one in alerts:
            if one.key in self._known:
                yield Received(one, Fate.KNOWN, self._known[one.key])
                continue
            found = self._end(one) if one.status is AlertStatus.RESOLVED else self._begin(one)
            self._known[one.key] = found.incident
            self._rows.append(_columns(found, self._at))
            yield found

    def write(self) -> None:
        """Record it."""
        for table, rows in (
            (schema.incident, self._opened),
            (alert, self._rows),
            (schema.incident_end, self._closed),
        ):
            if rows:
                self._connection.execute(table.insert(), rows)

    def _begin(self, one: Alert) -> Received:
        behind, subject = self._sorting.own(one), self._sorting.subject(one)
        over = (one.fingerprint, one.starts_at, AlertStatus.RESOLVED) in self._known
        incident = (behind and self._open.get(behind)) or self._open.get(subject) or ""
        if incident and not over:
            self._burn(one, incident)
            return Received(one, Fate.JOINED, incident)
        if over or not self._sorting.opens(one):
            return Received(one, Fate.KEPT)
        code, self._code = self._code, following(self._code)
        self._open[subject] = code
        self._burning[code] = set()
        self._burn(one, code)
        self._opened.append(_incident(one, subject, code, self._at))
        return Received(one, Fate.OPENED, code)

    def _burn(self, one: Alert, incident: str) -> None:
        if incident in self._burning:
            self._burning[incident].add((one.fingerprint, one.starts_at))

    def _end(self, one: Alert) -> Received:
        incident = self._known.get((one.fingerprint, one.starts_at, AlertStatus.FIRING), "")
        burning = self._burning.get(incident, set())
        fire = (one.fingerprint, one.starts_at)
        if burning != {fire}:
            burning.discard(fire)
            return Received(one, Fate.KEPT, incident)
        del self._burning[incident]
        self._open = {about: code for about, code in self._open.items() if code != incident}
        self._closed.append({"code": incident, "closed_at": self._at})
        return Received(one, Fate.CLOSED, incident)


def _known(connection: Connection, fingerprints: Collection[str]) -> dict[Key, str]:
    """The alerts of these fingerprints that are here, with their incidents."""
    wanted, found = sorted(fingerprints), {}
    columns = (alert.c.fingerprint, alert.c.starts_at, alert.c.status, alert.c.incident)
    for begin in range(0, len(wanted), _AT_ONCE):
        some = wanted[begin : begin + _AT_ONCE]
        for row in connection.execute(select(*columns).where(alert.c.fingerprint.in_(some))):
            found[row.fingerprint, row.starts_at, AlertStatus(row.status)] = row.incident
    return found


def _open_incidents(
    connection: Connection,
) -> tuple[dict[CheckId, str], dict[str, set[tuple[str, datetime]]]]:
    """The open incidents by what they are about; of those that alerts opened, what burns."""
    table, end = schema.incident, schema.incident_end
    still = select(table).outerjoin(end).where(end.c.closed_at.is_(None))
    about: dict[CheckId, str] = {}
    burning: dict[str, set[tuple[str, datetime]]] = {}
    for row in connection.execute(still):
        about[CheckId(row.host, row.check, row.subject)] = row.code
        if row.check == ALERT:
            burning[row.code] = set()
    columns = (alert.c.incident, alert.c.fingerprint, alert.c.starts_at, alert.c.status)
    alerted = still.where(table.c.check == ALERT).with_only_columns(table.c.code)
    for row in connection.execute(
        select(*columns).where(alert.c.incident.in_(alerted)).order_by(alert.c.status)
    ):
        fires, fire = burning[row.incident], (row.fingerprint, row.starts_at)
        # "firing" comes before "resolved": what was resolved is taken away again
        fires.discard(fire) if row.status == AlertStatus.RESOLVED else fires.add(fire)
    return about, burning


def _incident(one: Alert, subject: CheckId, code: str, at: datetime) -> dict[str, object]:
    """An incident that an alert opens; its labels go along as data."""
    fields: dict[str, object] = {**one.labels, "alertname": one.name}
    if one.truncated:
        fields["truncated_alerts"] = one.truncated
    detail = one.annotations.get("description") or one.annotations.get("summary") or ""
    return {
        "code": code,
        "began": min(one.starts_at, at),
        "opened_at": at,
        "cause": AlertStatus.FIRING.value,
        "said": record.plain_finding(Finding(Severity.FAULT, "alert.firing", fields, detail)),
        **columns_of(subject),
    }


def _columns(received: Received, at: datetime) -> dict[str, object]:
    one = received.alert
    return {
        "fingerprint": one.fingerprint,
        "starts_at": one.starts_at,
        "status": one.status.value,
        "received_at": at,
        "name": one.name,
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "truncated": one.truncated,
        "incident": received.incident,
        "fate": received.fate.value,
    }


def _received(row: Row[Any]) -> Received:
    found = Alert(
        fingerprint=row.fingerprint,
        status=AlertStatus(row.status),
        starts_at=row.starts_at,
        labels=row.labels,
        annotations=row.annotations,
        truncated=row.truncated,
    )
    return Received(found, Fate(row.fate), row.incident)
