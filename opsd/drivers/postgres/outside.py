"""A database as somebody sees it who looks in from outside: what a probe asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from opsd.drivers.postgres import Database, given, impersonal
from opsd.drivers.postgres.bounded import cut
from opsd.errors import DatabaseFailed

_PROBE_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout={milliseconds}"
_REPLICATION = """
    SELECT pg_is_in_recovery(),
           EXISTS (SELECT FROM pg_stat_wal_receiver),
           (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'),
           extract(epoch FROM CASE
               WHEN NOT pg_is_in_recovery()
                   THEN (SELECT max(replay_lag) FROM pg_stat_replication)
               WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
                    AND EXISTS (SELECT FROM pg_stat_wal_receiver)
                   THEN interval '0'
               ELSE clock_timestamp()
                    - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())
           END)::float8
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who looks in from outside: logs in, asks, and never changes anything.

    `address` is where the server's name was found to be; empty for a local socket.
    """

    database: Database
    address: str
    left: Callable[[], float]

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        """A connection that is cut when the time is up. Raises `DatabaseFailed`."""
        keywords: dict[str, Any] = {"hostaddr": self.address} if self.address else {}
        if self.database.passfile:
            keywords["passfile"] = str(self.database.passfile)
        seconds = self.left()
        with _told():
            opened = psycopg.connect(
                self.database.connection,
                autocommit=True,
                connect_timeout=max(2, int(seconds)),  # libpq waits no less
                options=_PROBE_OPTIONS.format(milliseconds=max(1, int(seconds * 1000))),
                application_name="opsd",
                client_encoding="UTF8",
                **keywords,
            )
        cutting = threading.Timer(max(self.left(), 0), cut, (opened,))
        cutting.daemon = True
        cutting.start()
        try:
            yield Visit(opened)
        finally:
            cutting.cancel()
            opened.close()


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit."""

    raw: psycopg.Connection[tuple[Any, ...]]

    @property
    def version(self) -> str:
        """What the server calls itself."""
        return f"PostgreSQL {self.raw.info.parameter_status('server_version') or ''}".strip()

    def sample(self, query: str) -> bool:
        """Whether `query` (from the configuration) returns a row."""
        with _told(), self.raw.transaction():
            return self.raw.execute(given(query)).fetchone() is not None

    def replication(self) -> tuple[bool, bool, int, float | None]:
        """Whether it is a standby, whether it receives, how many it feeds, seconds behind."""
        with _told():
            standby, receiving, standbys, lag = self.raw.execute(_REPLICATION).fetchall()[0]
        return standby, receiving, standbys, lag


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseFailed("database.refused", detail=impersonal(error)) from error
