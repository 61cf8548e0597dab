"""The record of incidents: what people said of them, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Integer, Row, String, Table, func, select

from opsd.people import Entry, EntryKind
from opsd.store import schema
from opsd.store.alerts import Alerts
from opsd.store.audit import add_line
from opsd.store.only_added import only_added
from opsd.store.schema import Moment, metadata

incident_entry = Table(
    "incident_entry",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident", ForeignKey("incident.code"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("who", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", JSON, nullable=False),
)

only_added(incident_entry)


class Entries(Alerts):
    """The file of the history, opened for the record of incidents."""

    def add_entry(
        self, incident: str, at: datetime, who: str, kind: EntryKind, body: Mapping[str, str]
    ) -> None:
        """Add a line, and tell so in the audit chain; one of `close` ends the incident."""
        with self._writing() as connection:
            connection.execute(
                incident_entry.insert().values(
                    incident=incident, at=at, who=who, kind=kind.value, body=dict(body)
                )
            )
            add_line(connection, at, f"incident_{kind.value}", who, {"code": incident, **body})
        if kind is EntryKind.CLOSE:
            self.close_incident(incident, at)

    def entries(self, incident: str | None = None) -> Sequence[Entry]:
        """What people said of an incident, or of all, oldest first."""
        chosen = select(incident_entry).order_by(incident_entry.c.id)
        if incident is not None:
            chosen = chosen.where(incident_entry.c.incident == incident)
        return tuple(_entry(row) for row in self._rows(chosen))

    def owned(self) -> Mapping[str, datetime]:
        """The open incidents that somebody took on, with the first time that one did."""
        table, end = incident_entry, schema.incident_end
        chosen = (
            select(table.c.incident, func.min(table.c.at))
            .outerjoin(end, end.c.code == table.c.incident)
            .where(table.c.kind == EntryKind.ACK.value, end.c.closed_at.is_(None))
            .group_by(table.c.incident)
        )
        return {row[0]: row[1] for row in self._rows(chosen)}


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.id, row.incident, row.at, row.who, EntryKind(row.kind), row.body)
