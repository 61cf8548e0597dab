"""Which signs of life of runs were given, so that none is given twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Integer, String, Table, UniqueConstraint, select

from opsd.store.book import Book
from opsd.store.only_added import only_added
from opsd.store.schema import Moment, metadata

ping = Table(
    "ping",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("heartbeat", String, nullable=False),
    Column("run", String, nullable=False),
    Column("phase", String, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("heartbeat", "run", "phase"),
)

only_added(ping)


class Pings(Book):
    """The file of the history, opened for signs of life."""

    def pinged(self, heartbeat: str, run: str) -> frozenset[str]:
        """What of a run was told."""
        wanted = (ping.c.heartbeat == heartbeat, ping.c.run == run)
        return frozenset(row.phase for row in self._rows(select(ping.c.phase).where(*wanted)))

    def add_ping(self, heartbeat: str, run: str, phase: str, at: datetime) -> None:
        """Record that it was."""
        self._add(ping, heartbeat=heartbeat, run=run, phase=phase, at=at)
