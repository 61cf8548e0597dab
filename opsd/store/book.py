"""A SQLite file with tables: adding rows, reading them, and saying so when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Select, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from opsd.errors import StorageFailed
from opsd.model import CheckId

# Not to be listed, but to be crossed: the server of a proof has its own account and directory.
_CROSSABLE = 0o711
_BUSY_MILLISECONDS = 15_000


class Book:
    """Tables in one SQLite file. Raises `StorageFailed` when it cannot be read or written.

    `synchronous` is SQLite's: FULL where a row that was added must survive the loss of power.
    """

    def __init__(
        self, path: Path, metadata: MetaData, version: int, *, synchronous: str = "FULL"
    ) -> None:
        self.path = path
        self._version = version
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            path.parent.chmod(_CROSSABLE)
        self._engine = _engine(path, synchronous)
        with self._failing():
            metadata.create_all(self._engine)
            self._check_version()
        path.chmod(0o600)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _add(self, table: Any, **values: object) -> None:  # noqa: ANN401  (a FromClause of any kind)
        with self._writing() as connection:
            connection.execute(table.insert().values(**values))

    def _rows(self, chosen: Select[Any]) -> list[Any]:
        with self._failing(), self._engine.connect() as connection:
            return list(connection.execute(chosen))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction, the only writing one: all of it is written, or nothing."""
        with self._failing(), self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def _check_version(self) -> None:
        with self._engine.begin() as connection:
            found = connection.execute(text("PRAGMA user_version")).scalar_one()
            if found > self._version:
                raise StorageFailed("store.newer", path=self.path, version=str(found))
            if found < self._version:
                connection.execute(text(f"PRAGMA user_version = {self._version}"))

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StorageFailed("store.failed", path=self.path, detail=str(error)) from error


def _engine(path: Path, synchronous: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401  (sqlite3's own)
        for setting in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MILLISECONDS}",
        ):
            connection.execute(f"PRAGMA {setting}")

    return engine


def columns_of(one: CheckId) -> dict[str, str]:
    """What a check is known by, in the columns of every table that is about checks."""
    return {"host": one.host, "check": one.check, "subject": one.subject}
