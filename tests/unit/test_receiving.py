"""What a receiver said when it ended, for people."""

from __future__ import annotations

import pytest

from opsd.tasks.wal.receiving import reason

AHEAD = (
    'pg_receivewal: error: could not send replication command "START_REPLICATION": ERROR:'
    "  requested starting point 0/5000000 is ahead of the WAL flush position of this server"
    " 0/2013A20"
)
CLOSED = "pg_receivewal: error: could not connect: server closed the connection unexpectedly"
GONE = "pg_receivewal: error: disconnected"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"{AHEAD}\n\n{GONE}", AHEAD),
        (f"{GONE}\n{AHEAD}\n{GONE}\n", AHEAD),
        (GONE, GONE),
        (f"{CLOSED}\n\tThis probably means the server terminated\n\tbefore it.\n", CLOSED),
        ("", ""),
    ],
)
def test_the_reason_is_told_and_not_that_it_ended(said: str, told: str) -> None:
    assert reason(said) == told
