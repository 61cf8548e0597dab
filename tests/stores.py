"""Places for histories: a file, and databases of a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

from opsd.drivers.cluster import THROWAWAY, Cluster, newest
from opsd.store import Server

_SETTINGS = {**THROWAWAY, "max_connections": "60", "shared_buffers": "32MB"}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Stores:
    """A PostgreSQL server that gives each test a database of its own."""

    cluster: Cluster

    def fresh(self) -> Server:
        """An empty database."""
        name = f"store{next(_numbers)}"
        with closing(psycopg.connect(self.cluster.connection(), autocommit=True)) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        return self.at(name)

    def at(self, database: str) -> Server:
        """The address of a database."""
        where = f"host={self.cluster.directory}&port=5432"
        return Server(f"postgresql://{self.cluster.superuser}@/{database}?{where}")

    @contextmanager
    def asking(self, store: Server) -> Iterator[psycopg.Connection]:
        """A connection beside opsd's own."""
        with closing(psycopg.connect(store.url, autocommit=True)) as connection:
            yield connection


def served(base: Path) -> Iterator[Stores]:
    """A server for as long as somebody needs it."""
    cluster = Cluster(base / "stores", newest(), settings=_SETTINGS, checksums=False)
    cluster.create()
    cluster.start()
    try:
        yield Stores(cluster)
    finally:
        cluster.stop()
