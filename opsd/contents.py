"""What a dumped member holds, whatever program dumped it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from opsd.model import Sequence, Table


class Contents(Protocol):
    """What every manifest of a dumped member tells: where from, and each table."""

    @property
    def database(self) -> str:
        """Its name, for people."""
        ...

    @property
    def tables(self) -> tuple[Table, ...]:
        """Each with its rows and the digest of its content."""
        ...


@dataclass(frozen=True, slots=True)
class ArtefactFile:
    """A file of a dump, or one that a site's command wrote."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CommandManifest:
    """What a site's command said of the source while it took it, and the files that it wrote.

    `at` is when it was begun: nothing in them is older. `restore` and `verify` are the commands
    that the configuration had, for whoever has the repository alone.
    """

    database: str
    at: datetime
    tables: tuple[Table, ...]
    files: tuple[ArtefactFile, ...]
    restore: tuple[str, ...]
    verify: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class MariadbManifest:
    """What a MariaDB server said of a database, all in the snapshot that was dumped.

    `server` is the server's own identity, `log_file` and `log_offset` the place in its binary log
    where the snapshot stands (empty where it keeps none). Sequences: as for PostgreSQL.
    """

    database: str
    server_version: int
    server: str
    charset: str
    at: datetime
    bytes: int
    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    objects: tuple[str, ...]
    log_file: str
    log_offset: int
    files: tuple[ArtefactFile, ...]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)
