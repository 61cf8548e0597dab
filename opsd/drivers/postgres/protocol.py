"""Commands of the protocol by which a server's log is received, and what it answers.

A simple query is all that it knows. Nothing here waits without asking whether to go on: `go_on` is
called now and then meanwhile, and raises what ends it.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterator

from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from opsd.errors import DatabaseFailed

_TICK = 0.5  # seconds
_COPIES = {ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH}
_GOOD = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, *_COPIES}

GoOn = Callable[[], None]


class Denied(DatabaseFailed):
    """The server said no; `code` is its SQLSTATE (PostgreSQL's appendix A)."""

    def __init__(self, detail: str, code: bytes | None) -> None:
        super().__init__("database.refused", detail=detail)
        self.code = code


def answers(server: PGconn, command: str, go_on: GoOn) -> Iterator[PGresult]:
    """What the server answers to a command, one after the other. Raises `Denied`."""
    server.send_query(command.encode())
    send(server, go_on)
    yield from further(server, go_on)


def further(server: PGconn, go_on: GoOn) -> Iterator[PGresult]:
    """What it answers besides, until there is no more or something is to be copied."""
    while True:
        while server.is_busy():
            wait(server, go_on)
        found = server.get_result()
        if found is None:
            return
        if found.status not in _GOOD:
            said = found.error_message.decode(errors="replace").strip()
            raise Denied(said, found.error_field(DiagnosticField.SQLSTATE))
        yield found
        if found.status in _COPIES:
            return


def send(server: PGconn, go_on: GoOn) -> None:
    """Return when all that is to be sent has been."""
    while server.flush():
        wait(server, go_on, selectors.EVENT_READ | selectors.EVENT_WRITE)


def wait(server: PGconn, go_on: GoOn, what: int = selectors.EVENT_READ) -> None:
    """Return when there is something to read or to write, and now and then besides."""
    with selectors.PollSelector() as selector:
        selector.register(server.socket, what)
        selector.select(_TICK)
    go_on()
    server.consume_input()
