"""Where a server's data lies, as the server itself says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

_ASKED = """
    SELECT current_setting('data_directory'), (SELECT system_identifier::text
                                                 FROM pg_control_system()),
           inet_server_addr() IS NULL,
           coalesce(inet_server_addr() <<= ANY('{127.0.0.0/8,::1}'::inet[]), false)
     WHERE pg_has_role('pg_read_all_settings', 'USAGE')
"""


@dataclass(frozen=True, slots=True)
class Place:
    """The data directory of a server, how it answers, and the names under which it was reached."""

    directory: Path
    system: str
    by_socket: bool
    by_loopback: bool
    names: frozenset[str]

    @property
    def log(self) -> Path:
        """The directory of its log, which may be a link."""
        return self.directory / "pg_wal"


def place_of(opened: psycopg.Connection[tuple[Any, ...]]) -> Place | None:
    """Where the data lies; None where that is not ours to know."""
    found = opened.execute(_ASKED).fetchone()
    if found is None:
        return None
    directory, system, by_socket, by_loopback = found
    names = frozenset((opened.info.host, opened.info.hostaddr))
    return Place(Path(directory), system, by_socket, by_loopback, names)
