"""The tables of a recovered server, read to the last row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from opsd.drivers import cluster, pgtools
from opsd.drivers.postgres import Database, TableShape
from opsd.tasks.wal.log import Log

Tables = dict[str, tuple[int, str]]  # the rows of each, and their digest


def read_all(log: Log, server: cluster.Cluster) -> dict[str, Tables]:
    """Read every database of the server."""
    with Database(server.connection("template1")).connect() as connection:
        names = connection.databases()
    return {name: read(log, server, name) for name in names}


def read(log: Log, server: cluster.Cluster, name: str) -> Tables:
    """Read every row of every table of a database that is logged."""
    database = Database(server.connection(name))
    reading = programs(log, server, database)
    with database.connect() as connection:
        # Unlogged ones have no file before the server is one of its own, and no rows then.
        shapes = [shape for shape in connection.tables() if not shape.unlogged]
        encoding = connection.facts().encoding

    def digest(shape: TableShape) -> tuple[int, str]:
        return reading.copied_digest(database.connection, encoding, shape.copy)

    with ThreadPoolExecutor(log.member.jobs) as pool:
        return {
            f"{shape.schema}.{shape.name}": found
            for shape, found in zip(shapes, pool.map(digest, shapes), strict=True)
        }


def programs(log: Log, server: cluster.Cluster, database: Database) -> pgtools.Programs:
    """What reads the tables of a recovered server."""
    return pgtools.Programs(
        cluster.binaries(server.major),
        database.env,
        log.kit.backup_set(log.backup_set).prove.timeout,
        log.kit.stop,
    )
