"""Holds, freezes and drops: a part of the append-only history, told in the audit chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from opsd import record
from opsd.keeping import Cause, Drop, Freeze, Hold, Word
from opsd.store import schema
from opsd.store.audit import OPSD, Audit, add_line


class Keeping(Audit):
    """What must stay, what went, and what a person has to look at before more goes."""

    # --- legal holds

    def add_hold(self, hold: Hold) -> None:
        """Record that a point, or all of a set, must stay."""
        told = {
            "id": hold.id,
            "backup_set": hold.backup_set,
            "point": hold.point,
            "reason": hold.reason,
        }
        with self._writing() as connection:
            connection.execute(
                schema.hold.insert().values(**told, at=hold.at, who=hold.who),
            )
            add_line(connection, hold.at, "hold", hold.who, told)

    def release_hold(self, hold_id: str, word: Word) -> None:
        """Record that it need not stay any more."""
        with self._writing() as connection:
            connection.execute(
                schema.hold_end.insert().values(
                    id=hold_id, released_at=word.at, who=word.who, reason=word.reason
                )
            )
            told = {"id": hold_id, "reason": word.reason}
            add_line(connection, word.at, "release", word.who, told)

    def holds(self, backup_set: str, *, released: bool = False) -> Sequence[Hold]:
        """The holds of a set, oldest first; those that were released only when asked for."""
        table, end = schema.hold, schema.hold_end
        chosen = (
            select(table, end.c.released_at)
            .outerjoin(end)
            .where(table.c.backup_set == backup_set)
            .order_by(table.c.at, table.c.id)
        )
        if not released:
            chosen = chosen.where(end.c.released_at.is_(None))
        return tuple(_hold(row) for row in self._rows(chosen))

    # --- freezes

    def freeze(self, freeze: Freeze) -> None:
        """Record that nothing of a set is dropped until a person acknowledges it."""
        with self._writing() as connection:
            connection.execute(
                schema.freeze.insert().values(
                    id=freeze.id,
                    backup_set=freeze.backup_set,
                    at=freeze.at,
                    cause=freeze.cause.value,
                    about=freeze.about,
                    said=record.plain_finding(freeze.said),
                )
            )
            told = {
                "id": freeze.id,
                "backup_set": freeze.backup_set,
                "cause": freeze.cause.value,
                "about": freeze.about,
            }
            add_line(connection, freeze.at, "freeze", OPSD, told)

    def thaw(self, freezes: Sequence[Freeze], word: Word) -> None:
        """Record that a person acknowledged what froze retention."""
        with self._writing() as connection:
            for freeze in freezes:
                connection.execute(
                    schema.freeze_end.insert().values(
                        id=freeze.id, ended_at=word.at, who=word.who, reason=word.reason
                    )
                )
                told = {"id": freeze.id, "cause": freeze.cause.value, "reason": word.reason}
                add_line(connection, word.at, "acknowledge", word.who, told)

    def freezes(self, backup_set: str, *, ended: bool = False) -> Sequence[Freeze]:
        """What freezes a set, oldest first; what was acknowledged only when asked for."""
        table, end = schema.freeze, schema.freeze_end
        chosen = (
            select(table, end.c.ended_at)
            .outerjoin(end)
            .where(table.c.backup_set == backup_set)
            .order_by(table.c.at, table.c.id)
        )
        if not ended:
            chosen = chosen.where(end.c.ended_at.is_(None))
        return tuple(_freeze(row) for row in self._rows(chosen))

    # --- drops

    def drop(self, drops: Sequence[Drop]) -> None:
        """Record that points are given up: from now on nobody counts on them. All, or none."""
        with self._writing() as connection:
            for one in drops:
                connection.execute(
                    schema.dropped.insert().values(
                        point=one.point,
                        backup_set=one.backup_set,
                        repository=one.repository,
                        run=one.run,
                        at=one.at,
                        snapshots=list(one.snapshots),
                        record=one.record,
                    )
                )
                told = {
                    "point": one.point,
                    "backup_set": one.backup_set,
                    "repository": one.repository,
                    "run": one.run,
                    "snapshots": list(one.snapshots),
                }
                add_line(connection, one.at, "drop", OPSD, told)

    def dropped_from(self, repository: str, backup_set: str) -> Sequence[Drop]:
        """What was given up of a set in a repository, oldest first."""
        table = schema.dropped
        chosen = select(table).where(
            table.c.repository == repository, table.c.backup_set == backup_set
        )
        return tuple(_drop(row) for row in self._rows(chosen.order_by(table.c.number)))

    def count_dropped(self, backup_set: str) -> int:
        """How many points of a set were ever dropped."""
        table = schema.dropped
        chosen = select(func.count()).where(table.c.backup_set == backup_set)
        return int(self._rows(chosen.select_from(table))[0][0])

    def last_drop(self, repository: str) -> int:
        """The number of the newest drop from a repository; 0 where there was none."""
        chosen = select(func.max(schema.dropped.c.number)).where(
            schema.dropped.c.repository == repository
        )
        return int(self._rows(chosen)[0][0] or 0)

    def pruned_up_to(self, repository: str) -> int:
        """The newest drop whose space a prune gave back."""
        table = schema.evidence
        chosen = (
            select(table.c.body)
            .join(schema.run)
            .where(table.c.kind == "pruned", schema.run.c.repository == repository)
        )
        bodies = [row.body for row in self._rows(chosen.order_by(table.c.id.desc()).limit(50))]
        return max((int(body["up_to"]) for body in bodies if body["finished"]), default=0)

    def taken(self, backup_set: str) -> Sequence[tuple[datetime, str]]:
        """The moment of every point there ever was, oldest first, with its id."""
        table = schema.point
        chosen = select(table.c.at, table.c.id).where(table.c.backup_set == backup_set)
        return tuple((row.at, row.id) for row in self._rows(chosen.order_by(table.c.at)))


def _hold(row: Row[Any]) -> Hold:
    return Hold(row.id, row.backup_set, row.point, row.at, row.reason, row.who, row.released_at)


def _freeze(row: Row[Any]) -> Freeze:
    return Freeze(
        row.id,
        row.backup_set,
        row.at,
        Cause(row.cause),
        row.about,
        record.finding(row.said),
        row.ended_at,
    )


def _drop(row: Row[Any]) -> Drop:
    return Drop(
        row.point,
        row.backup_set,
        row.repository,
        row.run,
        row.at,
        tuple(row.snapshots),
        row.record,
    )
