"""The audit chain: lines that are only added, each holding the one before it by its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from opsd import record
from opsd.keeping import BEGINNING, Head, Line, digest
from opsd.store import schema
from opsd.store.book import Book
from opsd.store.place import Place

OPSD = "opsd"  # who did it, where no person did


class Audit(Book):
    """The history, opened so that what people and opsd decide is told in the chain."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, schema.metadata, schema.VERSION)

    def tell(self, at: datetime, kind: str, who: str, body: Mapping[str, object]) -> None:
        """Add a line of its own."""
        with self._writing() as connection:
            add_line(connection, at, kind, who, body)

    def lines(self) -> tuple[Line, ...]:
        """The whole chain as it lies there, believed or not."""
        rows = self._rows(select(schema.audit).order_by(schema.audit.c.number))
        return tuple(_line(row) for row in rows)

    def head(self) -> Head:
        """Where the chain ends now."""
        rows = self._rows(select(schema.audit).order_by(schema.audit.c.number.desc()).limit(1))
        return Head(rows[0].number, rows[0].digest) if rows else Head(0, BEGINNING)

    def digests(self) -> frozenset[str]:
        """What holds each line of the chain, and its beginning."""
        return frozenset((BEGINNING, *(line.digest for line in self.lines())))

    def last_told(self, kind: str) -> Line | None:
        """The newest line of a kind."""
        return next((line for line in reversed(self.lines()) if line.kind == kind), None)

    def add_verified(self, at: datetime, number: int) -> None:
        """Record that the chain was whole, this long."""
        self._add(schema.audit_verified, at=at, number=number)

    def last_verified(self) -> datetime | None:
        """When the chain was last found whole."""
        found: datetime | None = self._rows(select(func.max(schema.audit_verified.c.at)))[0][0]
        return found


def add_line(
    connection: Connection, at: datetime, kind: str, who: str, body: Mapping[str, object]
) -> None:
    """Add a line in a transaction that writes what it tells of: both, or neither."""
    table = schema.audit
    rows = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).all()
    previous = Head(rows[0].number, rows[0].digest) if rows else Head(0, BEGINNING)
    number = previous.number + 1
    told = {"number": number, "at": at.isoformat(), "kind": kind, "who": who, "body": dict(body)}
    text = record.to_json(told)
    connection.execute(
        table.insert().values(
            number=number,
            text=text,
            previous=previous.digest,
            digest=digest(previous.digest, text),
        )
    )


def _line(row: Row[Any]) -> Line:
    """A line whose text says nothing is told with empty fields, for verification to find."""
    try:
        told = json.loads(row.text)
        at = datetime.fromisoformat(told["at"])
        kind, who, body = str(told["kind"]), str(told["who"]), dict(told["body"])
        number = int(told["number"])
    except (ValueError, KeyError, TypeError):
        at, kind, who, body, number = datetime.fromtimestamp(0, UTC), "", "", {}, 0
    return Line(row.number, row.text, row.previous, row.digest, at, kind, who, body, number)
