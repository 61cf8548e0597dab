"""Where tables lie: in a SQLite file of this machine, or on a PostgreSQL server for several nodes.

What differs between the two stands here. Both have one writer at a time: what reads a row, thinks
and adds the next one is never overtaken.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text

# Not to be listed, but to be crossed: the server of a proof has its own account and directory.
_CROSSABLE: Final = 0o711
_OURS: Final = 0o600
_BUSY_MILLISECONDS: Final = 15_000
# Who writes to a shared store waits in this line; the number is ours, and nobody else's.
_LINE: Final = 0x6F707364


@dataclass(frozen=True, slots=True)
class Server:
    """A database of a PostgreSQL server that several nodes share."""

    url: str
    passfile: Path | None = None

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"


Place = Path | Server


def make_place(state: Path) -> None:
    """Make the directory where tables lie, whoever comes first; one that is there stays as it is.

    Raises `OSError`.
    """
    with suppress(FileExistsError):
        state.mkdir(parents=True)
        state.chmod(_CROSSABLE)  # whatever the mask is


class Ground(Protocol):
    """What tables stand on."""

    def engine(self) -> Engine:
        """The connections."""
        ...

    def line(self) -> AbstractContextManager[None]:
        """Where the writers of this process wait for each other, before they take a connection."""
        ...

    def alone(self, connection: Connection) -> None:
        """Wait until nobody else writes, and keep the others waiting until the commit."""
        ...

    def version(self, connection: Connection) -> int:
        """The form of what is there; 0 where there is nothing."""
        ...

    def mark(self, connection: Connection, version: int) -> None:
        """Say of which form it is."""
        ...

    def made(self) -> None:
        """The tables are there."""
        ...

    def touch(self, connection: Connection) -> None:
        """Have something written that changes nothing."""
        ...


# One at a time by the path of a file: SQLite only looks now and then whether it is free, so that of
# many threads some would wait for seconds while others pass.
_WRITERS: defaultdict[Path, Lock] = defaultdict(Lock)


@contextmanager
def _in_line(path: Path) -> Iterator[None]:
    """Wait for the others; who waited as long as SQLite would goes on, and is told by it."""
    writers = _WRITERS[path]
    first = writers.acquire(timeout=_BUSY_MILLISECONDS / 1000)
    try:
        yield
    finally:
        if first:
            writers.release()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a log beside the file. SQLite does not wait for who makes it at the same moment."""
    until = monotonic() + _BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(0.01)
        else:
            return


class File:
    """SQLite. `synchronous` is its own word: FULL where a row must survive the loss of power."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self._path = path
        self._synchronous = synchronous

    def engine(self) -> Engine:
        """The connections to the file; its directory is made when it is not there."""
        make_place(self._path.parent)
        self._path.touch(mode=_OURS)  # the files that SQLite puts beside it get the same mode
        engine = create_engine(f"sqlite:///{self._path}")

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401  (sqlite3's own)
            connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
            _write_ahead(connection)
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")

        return engine

    def line(self) -> AbstractContextManager[None]:
        """One line a file."""
        return _in_line(self._path)

    def alone(self, connection: Connection) -> None:
        """Take the file's write lock now, not at the first row."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def version(self, connection: Connection) -> int:
        """The file's own number."""
        return int(connection.execute(text("PRAGMA user_version")).scalar_one())

    def mark(self, connection: Connection, version: int) -> None:
        """Set the file's own number."""
        connection.execute(text(f"PRAGMA user_version = {version}"))

    def made(self) -> None:
        """Nobody else reads it."""
        self._path.chmod(_OURS)

    def touch(self, connection: Connection) -> None:
        """Write the file's own number anew: its page is."""
        self.mark(connection, self.version(connection))


class Shared:
    """PostgreSQL. A server that is silent is given up, so that nobody waits for ever."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def engine(self) -> Engine:
        """The connections; one that the server has closed meanwhile is opened anew."""
        passfile = {"passfile": str(self._server.passfile)} if self._server.passfile else {}
        return create_engine(
            make_url(self._server.url).set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={
                **passfile,
                "application_name": "opsd",
                "connect_timeout": 10,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 15_000,
                "options": f"-c lock_timeout={_BUSY_MILLISECONDS} -c statement_timeout=60000"
                " -c idle_in_transaction_session_timeout=60000 -c synchronous_commit=on",
            },
        )

    def line(self) -> AbstractContextManager[None]:
        """The server has a line of its own, and wakes who is next."""
        return nullcontext()

    def alone(self, connection: Connection) -> None:
        """Wait in the line of those who write."""
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LINE})"))

    def version(self, connection: Connection) -> int:
        """The newest line of a table of its own."""
        if connection.execute(text("SELECT to_regclass('store_form')")).scalar() is None:
            return 0
        return int(connection.execute(text("SELECT max(version) FROM store_form")).scalar() or 0)

    def mark(self, connection: Connection, version: int) -> None:
        """Add a line."""
        connection.execute(text("CREATE TABLE IF NOT EXISTS store_form (version integer NOT NULL)"))
        connection.execute(text("INSERT INTO store_form VALUES (:version)"), {"version": version})

    def made(self) -> None:
        """Who may read it is the server's to say."""

    def touch(self, connection: Connection) -> None:
        """Take a number for the transaction: its commit is written to the log."""
        connection.execute(text("SELECT pg_current_xact_id()"))


def ground(place: Place, synchronous: str) -> Ground:
    """What tables at a place stand on."""
    return Shared(place) if isinstance(place, Server) else File(place, synchronous)
