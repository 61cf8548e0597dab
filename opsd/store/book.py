"""Tables at a place: adding rows, reading them, and saying so when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData, Select, inspect
from sqlalchemy.exc import SQLAlchemyError

from opsd.errors import StorageFailed
from opsd.model import CheckId
from opsd.store.place import Place, ground


class Book:
    """Tables at one place. Raises `StorageFailed` when they cannot be read or written.

    `synchronous` is SQLite's: FULL where a row that was added must survive the loss of power.
    """

    def __init__(
        self, place: Place, metadata: MetaData, version: int, *, synchronous: str = "FULL"
    ) -> None:
        self.place = place
        self._version = version
        self._ground = ground(place, synchronous)
        self._engine = self._ground.engine()
        try:
            self._open(metadata)
        except StorageFailed:
            self._engine.dispose()
            raise

    def _open(self, metadata: MetaData) -> None:
        if self._complete(metadata):
            return
        with self._writing() as connection:
            metadata.create_all(connection)
            self._ground.mark(connection, self._version)
        self._ground.made()

    def close(self) -> None:
        """Let go of the place."""
        self._engine.dispose()

    def try_writing(self) -> None:
        """See whether anything can be written, and change nothing. Raises `StorageFailed`."""
        with self._writing() as connection:
            self._ground.touch(connection)

    def _add(self, table: Any, **values: object) -> None:  # noqa: ANN401  (a FromClause of any kind)
        with self._writing() as connection:
            connection.execute(table.insert().values(**values))

    def _rows(self, chosen: Select[Any]) -> list[Any]:
        with self._failing(), self._engine.connect() as connection:
            return list(connection.execute(chosen))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction, the only writing one: all of it is written, or nothing."""
        with self._failing(), self._ground.line(), self._engine.begin() as connection:
            self._ground.alone(connection)
            yield connection

    def _complete(self, metadata: MetaData) -> bool:
        """Whether every table is there, in our form: then nothing is written to open them."""
        with self._failing(), self._engine.connect() as connection:
            found = self._ground.version(connection)
            if found > self._version:
                raise StorageFailed("store.newer", path=self.place, version=str(found))
            there = set(inspect(connection).get_table_names())
        return found == self._version and there.issuperset(metadata.tables)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StorageFailed("store.failed", path=self.place, detail=str(error)) from error


def columns_of(one: CheckId) -> dict[str, str]:
    """What a check is known by, in the columns of every table that is about checks."""
    return {"host": one.host, "check": one.check, "subject": one.subject}
