"""What happened to checks: flips, incidents and maintenance, a part of the append-only history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from opsd import record
from opsd.model import CheckId, Finding, Flip, Incident, Maintenance, Status
from opsd.store import schema
from opsd.store.audit import Audit, add_line
from opsd.store.book import columns_of


class Cases(Audit):
    """The file of the history, opened for flips, incidents and maintenance."""

    def add_flip(self, flip: Flip) -> None:
        """Record that a check's confirmed status changed."""
        self._add(
            schema.flip,
            at=flip.at,
            before=flip.before.word,
            after=flip.after.word,
            cause=flip.cause,
            said=record.plain_finding(flip.said),
            **columns_of(flip.id),
        )

    def open_incident(self, incident: Incident) -> str:
        """Record that an incident began, under the next code of its day; gives the code.

        Others open incidents too: the code is found and used in one transaction.
        """
        with self._writing() as connection:
            code = new_code(connection, incident.opened_at)
            connection.execute(
                schema.incident.insert().values(
                    code=code,
                    began=incident.began,
                    opened_at=incident.opened_at,
                    cause=incident.cause,
                    said=record.plain_finding(incident.said),
                    **columns_of(incident.id),
                )
            )
        return code

    def close_incident(self, code: str, at: datetime) -> None:
        """Record that an incident is over; where a person said so before, that stays."""
        ended = schema.incident_end
        with self._writing() as connection:
            if connection.execute(select(ended).where(ended.c.code == code)).first() is None:
                connection.execute(ended.insert().values(code=code, closed_at=at))

    def blame_incident(self, code: str, side: str, because: Finding, at: datetime) -> None:
        """Record who has to act, once an incident."""
        said = record.plain_finding(because)
        self._add(schema.incident_blame, code=code, at=at, side=side, because=said)

    def start_maintenance(self, window: Maintenance) -> None:
        """Record that faults are expected from now on."""
        with self._writing() as connection:
            connection.execute(
                schema.maintenance.insert().values(
                    id=window.id,
                    began=window.began,
                    ends=window.ends,
                    reason=window.reason,
                    who=window.who,
                    host=window.host,
                    check=window.check,
                )
            )
            told = {
                "id": window.id,
                "ends": window.ends.isoformat(),
                "reason": window.reason,
                "host": window.host,
                "check": window.check,
            }
            add_line(connection, window.began, "maintenance", window.who, told)

    def end_maintenance(self, maintenance_id: str, at: datetime, who: str) -> None:
        """Record that they are expected no more, before the planned end."""
        with self._writing() as connection:
            connection.execute(
                schema.maintenance_end.insert().values(id=maintenance_id, ended_at=at)
            )
            add_line(connection, at, "maintenance_end", who, {"id": maintenance_id})

    # --- reading

    def flips(self, since: datetime, one: CheckId | None = None) -> Sequence[Flip]:
        """The flips since a moment, oldest first; of one check, or of all."""
        table = schema.flip
        chosen = select(table).where(table.c.at >= since).order_by(table.c.at, table.c.id)
        if one is not None:
            chosen = chosen.where(
                table.c.host == one.host,
                table.c.check == one.check,
                table.c.subject == one.subject,
            )
        return tuple(_flip(row) for row in self._rows(chosen))

    def incidents(self, since: datetime | None = None) -> Sequence[Incident]:
        """The incidents that are open, or were since a moment, newest first."""
        closed_at = schema.incident_end.c.closed_at
        still = closed_at.is_(None)
        chosen = _whole().where(still if since is None else still | (closed_at >= since))
        newest = schema.incident.c.opened_at.desc()
        return tuple(_incident(row) for row in self._rows(chosen.order_by(newest)))

    def incident(self, code: str) -> Incident | None:
        """The incident of this code."""
        found = self._rows(_whole().where(schema.incident.c.code == code))
        return _incident(found[0]) if found else None

    def maintenance(self, since: datetime) -> Sequence[Maintenance]:
        """The windows that end after a moment, oldest first."""
        table, end = schema.maintenance, schema.maintenance_end
        chosen = select(table, end.c.ended_at).outerjoin(end).where(table.c.ends > since)
        return tuple(_window(row) for row in self._rows(chosen.order_by(table.c.began)))


def _whole() -> Select[Any]:
    """Incidents, each with its end and with whose fault it is."""
    table, end, blamed = schema.incident, schema.incident_end, schema.incident_blame
    columns = (table, end.c.closed_at, blamed.c.side, blamed.c.because)
    return select(*columns).outerjoin(end).outerjoin(blamed)


def new_code(connection: Connection, at: datetime) -> str:
    """The code of an incident that is opened now: its day, and its number on that day."""
    begin = f"SC-{at:%Y%m%d}-"
    table = schema.incident
    chosen = select(func.count()).where(table.c.code.startswith(begin)).select_from(table)
    return f"{begin}{connection.execute(chosen).scalar_one() + 1:03}"


def following(code: str) -> str:
    """The code after this one."""
    begin, _, number = code.rpartition("-")
    return f"{begin}-{int(number) + 1:03}"


def _id(row: Row[Any]) -> CheckId:
    return CheckId(row.host, row.check, row.subject)


def _flip(row: Row[Any]) -> Flip:
    before, after = Status[row.before.upper()], Status[row.after.upper()]
    return Flip(_id(row), row.at, before, after, row.cause, record.finding(row.said))


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        code=row.code,
        id=_id(row),
        began=row.began,
        opened_at=row.opened_at,
        cause=row.cause,
        said=record.finding(row.said),
        closed_at=row.closed_at,
        side=row.side or "",
        because=record.finding(row.because) if row.side else None,
    )


def _window(row: Row[Any]) -> Maintenance:
    return Maintenance(
        id=row.id,
        began=row.began,
        ends=row.ends,
        reason=row.reason,
        who=row.who,
        host=row.host,
        check=row.check,
        ended_at=row.ended_at,
    )
