"""Exposures: times in which commits were deliberately left unprotected; told in the audit chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from opsd.store import schema
from opsd.store.audit import OPSD, add_line
from opsd.store.keeping import Keeping
from opsd.wal import Exposure, position, written


class Exposures(Keeping):
    """When durability was weakened, as it had been agreed, and when that ended."""

    def expose(self, exposure: Exposure) -> None:
        """Record that commits wait for nobody from now on; before that is done."""
        told = {
            "id": exposure.id,
            "backup_set": exposure.backup_set,
            "member": exposure.member,
            "begin": written(exposure.begin),
        }
        with self._writing() as connection:
            connection.execute(schema.exposure.insert().values(**told, began=exposure.began))
            add_line(connection, exposure.began, "exposure", OPSD, told)

    def protect(self, exposure_id: str, at: datetime, end: int) -> None:
        """Record that they are protected again, and everything before is received."""
        told = {"id": exposure_id, "end": written(end)}
        with self._writing() as connection:
            connection.execute(schema.exposure_end.insert().values(**told, ended=at))
            add_line(connection, at, "exposure_end", OPSD, told)

    def exposures(self, backup_set: str) -> Sequence[Exposure]:
        """All exposures of a set, oldest first; one without an end goes on."""
        table, end = schema.exposure, schema.exposure_end
        chosen = (
            select(table, end.c.ended, end.c.end)
            .outerjoin(end)
            .where(table.c.backup_set == backup_set)
            .order_by(table.c.began, table.c.id)
        )
        return tuple(_exposure(row) for row in self._rows(chosen))


def _exposure(row: Row[Any]) -> Exposure:
    return Exposure(
        id=row.id,
        backup_set=row.backup_set,
        member=row.member,
        began=row.began,
        begin=position(row.begin),
        ended=row.ended,
        end=position(row.end) if row.end else None,
    )
