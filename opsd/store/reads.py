"""When each object of each repository was last read and hashed: a file that may be lost.

Unlike the history it is overwritten: a repository has a million objects, and each is read again
and again. What each turn read in sum stands in the history. When the file is lost, nothing counts
as read any more, and the next nights read everything again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from opsd.keeping import Covered, Object
from opsd.store.book import Book

VERSION = 1
metadata = MetaData()

# Times are seconds since 1970. `since` is the last read; of what was never read, a moment before
# it can have been written.
_object = Table(
    "object",
    metadata,
    Column("repository", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("since", Float, nullable=False),
    Column("read", Integer, nullable=False),
    Column("sound", Integer, nullable=False),
    Column("listed", Integer, nullable=False),
    Index("object_by_turn", "repository", "sound", "read", "since"),
    sqlite_with_rowid=False,
)
_listing = Table(
    "listing",
    metadata,
    Column("repository", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("at", Float, nullable=False),
)
_AT_ONCE = 5000
_LEAP = 60.0  # seconds; clocks are put right by less all the time
_NAMED_AT_ONCE = 500  # a statement has its limits

Item = TypeVar("Item")


class Reads(Book):
    """The objects of all repositories with their last reads."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, metadata, VERSION, synchronous="NORMAL")

    def listed(self, repository: str) -> datetime | None:
        """When the objects of a repository were last listed."""
        chosen = select(_listing.c.at).where(_listing.c.repository == repository)
        rows = self._rows(chosen)
        return _moment(rows[0].at) if rows else None

    def list(
        self, repository: str, found: Iterable[tuple[str, str, int]], at: datetime, new: datetime
    ) -> None:
        """Take a listing (kind, name, size): what is not in it is forgotten.

        What was not known counts from `new` on as unread, and so does what was read after `at`: a
        clock has leapt since.
        """
        with self._writing() as connection:
            chosen = select(_listing.c.number).where(_listing.c.repository == repository)
            number = (connection.execute(chosen).scalar() or 0) + 1
            for some in _by(_AT_ONCE, found):
                adding = insert(_object).on_conflict_do_update(
                    index_elements=["repository", "name"], set_={"listed": number}
                )
                connection.execute(adding, [_unread(repository, o, number, new) for o in some])
            connection.execute(
                _object.delete().where(
                    _object.c.repository == repository, _object.c.listed != number
                )
            )
            connection.execute(
                _object.update()
                .where(_object.c.repository == repository, _object.c.since > at.timestamp() + _LEAP)
                .values(since=new.timestamp(), read=0)
            )
            told = {"number": number, "at": at.timestamp()}
            connection.execute(
                insert(_listing)
                .values(repository=repository, **told)
                .on_conflict_do_update(index_elements=["repository"], set_=told)
            )

    def next(self, repository: str, before: datetime, most: int) -> Sequence[Object]:
        """What to read next, of what was not read after `before`: the damaged, the new, the old."""
        chosen = (
            select(_object)
            .where(_object.c.repository == repository)
            .where((_object.c.since <= before.timestamp()) | (_object.c.read == 0))
            .order_by(_object.c.sound, _object.c.read, _object.c.since, _object.c.name)
        )
        return tuple(_told(row) for row in self._rows(chosen.limit(most)))

    def mark(self, repository: str, names: Iterable[str], at: datetime, *, sound: bool) -> None:
        """Note that objects were read, and whether they were what their names say."""
        values = {"since": at.timestamp(), "read": 1, "sound": int(sound)}
        with self._writing() as connection:
            for some in _by(_NAMED_AT_ONCE, names):
                connection.execute(
                    _object.update()
                    .where(_object.c.repository == repository, _object.c.name.in_(some))
                    .values(**values)
                )

    def forget(self, repository: str, name: str) -> None:
        """Note that an object is gone."""
        with self._writing() as connection:
            connection.execute(
                _object.delete().where(_object.c.repository == repository, _object.c.name == name)
            )

    def damaged(self, repository: str) -> Sequence[Object]:
        """What was not what its name says when it was last read."""
        chosen = select(_object).where(_object.c.repository == repository, _object.c.sound == 0)
        return tuple(_told(row) for row in self._rows(chosen.order_by(_object.c.name)))

    def covered(self, repository: str) -> Covered:
        """How much there is, and since when all of it was read."""
        table = _object
        sums: tuple[ColumnElement[Any], ...] = (
            func.count(),
            func.sum(cast(table.c.kind == "data", Integer)),
            func.sum(table.c.size),
            func.sum(1 - table.c.read),
            func.sum(1 - table.c.sound),
            func.min(table.c.since),
        )
        chosen: Select[Any] = select(*sums).where(table.c.repository == repository)
        objects, packs, size, unread, damaged, oldest = self._rows(chosen)[0]
        since = None if oldest is None else _moment(oldest)
        return Covered(objects, packs or 0, size or 0, unread or 0, damaged or 0, since)


def _unread(
    repository: str, found: tuple[str, str, int], number: int, new: datetime
) -> Mapping[str, Any]:
    kind, name, size = found
    return {
        "repository": repository,
        "name": name,
        "kind": kind,
        "size": size,
        "since": new.timestamp(),
        "read": 0,
        "sound": 1,
        "listed": number,
    }


def _by(count: int, items: Iterable[Item]) -> Iterator[list[Item]]:
    left = iter(items)
    while some := list(islice(left, count)):
        yield some


def _told(row: Any) -> Object:  # noqa: ANN401  (SQLAlchemy's row)
    return Object(row.kind, row.name, row.size, _moment(row.since), bool(row.read), bool(row.sound))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
