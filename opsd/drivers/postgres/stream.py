"""Short looks into a server's log, over the protocol by which it is received."""

from __future__ import annotations

import selectors
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from opsd.clock import Stopwatch
from opsd.errors import DatabaseFailed
from opsd.wal import position, way_in, written

_CONNECT_SECONDS = 5
_PATIENCE_SECONDS = 10
_DATA = struct.Struct("!cqqq")  # in front of a piece of the log: kind, begin, end, time
_GONE = b"58P01"  # undefined_file (PostgreSQL's appendix A): the segment was removed already
_GOOD = {ExecStatus.TUPLES_OK, ExecStatus.COPY_BOTH}


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Where a server is: its system, its timeline, the end of its log, and the way to there.

    `way` tells of each timeline where it was left. A standby may be behind whom it follows.
    """

    system: str
    timeline: int
    flushed: int
    standby: bool
    way: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Source:
    """How the log is reached: a connection string without a password, and a passfile."""

    connection: str
    passfile: Path | None = None

    def standpoint(self) -> Standpoint:
        """Where the server is. Raises `DatabaseFailed`."""
        with self.opened() as opened:
            server = opened.pgconn
            system, number, flushed, *_ = _rows(server, "IDENTIFY_SYSTEM")[0]
            timeline, history = int(number), ""
            if timeline > 1:  # the first has none
                history = _rows(server, f"TIMELINE_HISTORY {timeline}")[0][1]
            standby = _rows(server, "SHOW in_hot_standby")[0][0] == "on"
        way = way_in(timeline, history)
        return Standpoint(system, timeline, position(flushed), standby, way)

    def read(self, timeline: int, begin: int, size: int) -> bytes | None:
        """So many bytes of the log from a position on, which the server must have written.

        None where the server has them no more. Raises `DatabaseFailed`.
        """
        found = bytearray()
        at = written(begin)
        try:
            with self.opened() as opened:
                server = opened.pgconn
                _result(server, f"START_REPLICATION PHYSICAL {at} TIMELINE {timeline}")
                for piece in _pieces(server):
                    found += piece
                    if len(found) >= size:
                        return bytes(found[:size])
        except _Gone:
            return None
        raise DatabaseFailed("database.refused", detail=f"{at}: {len(found)} bytes")

    @contextmanager
    def opened(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection that knows the replication protocol. Raises `DatabaseFailed`."""
        passfile: dict[str, Any] = {"passfile": str(self.passfile)} if self.passfile else {}
        try:
            opened = psycopg.connect(
                f"{self.connection} replication=true",
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                **passfile,
            )
            with closing(opened):
                yield opened
        except psycopg.Error as error:
            raise DatabaseFailed("database.unreachable", detail=str(error)) from error


def _rows(server: PGconn, command: str) -> list[list[str]]:
    found = _result(server, command)
    return [
        [(found.get_value(row, column) or b"").decode() for column in range(found.nfields)]
        for row in range(found.ntuples)
    ]


def _result(server: PGconn, command: str) -> PGresult:
    """What the server answers to a command; a simple query, all that its protocol knows."""
    server.send_query(command.encode())
    watch = Stopwatch()
    while server.flush():
        _wait(server, watch, selectors.EVENT_WRITE)
    while server.is_busy():
        _wait(server, watch)
    found = server.get_result()
    if found is None or found.status not in _GOOD:
        raise _refusal(found)
    if found.status == ExecStatus.TUPLES_OK:
        while server.get_result() is not None:
            pass
    return found


def _pieces(server: PGconn) -> Iterator[bytes]:
    """The log as it comes, for as long as we have patience."""
    watch = Stopwatch()
    while True:
        size, content = server.get_copy_data(1)
        if size < 0:
            ended = server.get_result()
            if ended is not None and ended.status not in _GOOD:
                raise _refusal(ended)
            return
        if size == 0:
            _wait(server, watch)
        elif bytes(content[:1]) == b"w":
            watch = Stopwatch()
            yield bytes(content[_DATA.size :])


class _Gone(DatabaseFailed):
    """The server keeps that part of its log no more."""


def _refusal(result: PGresult | None) -> DatabaseFailed:
    said = result.error_message.decode(errors="replace").strip() if result else ""
    gone = result is not None and result.error_field(DiagnosticField.SQLSTATE) == _GONE
    return (_Gone if gone else DatabaseFailed)("database.refused", detail=said)


def _wait(server: PGconn, watch: Stopwatch, what: int = selectors.EVENT_READ) -> None:
    left = _PATIENCE_SECONDS - watch.elapsed().total_seconds()
    with selectors.DefaultSelector() as selector:
        selector.register(server.socket, what)
        if left <= 0 or not selector.select(left):
            raise DatabaseFailed("database.unreachable", detail=f"{_PATIENCE_SECONDS} s")
    if what == selectors.EVENT_READ:
        server.consume_input()
