"""Where a server's data lies on this machine, as the server itself says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

_ASKED = """
    SELECT current_setting('data_directory'), (SELECT system_identifier::text
                                                 FROM pg_control_system()),
           inet_server_addr() IS NULL
     WHERE pg_has_role('pg_read_all_settings', 'USAGE')
       AND coalesce(inet_server_addr() <<= ANY('{127.0.0.0/8,::1}'::inet[]), true)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """The data directory of a server that answers at a socket or a loopback address."""

    directory: Path
    system: str
    by_socket: bool


def place_of(opened: psycopg.Connection[tuple[Any, ...]]) -> Place | None:
    """Where the data lies; None where that is elsewhere, or not ours to know."""
    found = opened.execute(_ASKED).fetchall()
    return Place(Path(found[0][0]), *found[0][1:]) if found else None
