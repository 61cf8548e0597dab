"""The tables of a recovered server, read to the last row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from opsd.drivers import cluster, pgtools
from opsd.drivers.postgres import Database, TableShape
from opsd.tasks.wal.log import Log


def read(log: Log, server: cluster.Cluster) -> dict[str, tuple[int, str]]:
    """Read every row of every table that is logged: its rows and their digest, by its name."""
    database = Database(server.connection(log.database_name))
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
