"""Short looks into a server's log, over the protocol by which it is received."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq.abc import PGconn, PGresult

from opsd.clock import Stopwatch
from opsd.drivers.postgres.protocol import Denied, GoOn, answers, further, wait
from opsd.errors import DatabaseFailed
from opsd.wal import position, way_in, written

_CONNECT_SECONDS = 5
_PATIENCE_SECONDS = 10
_DATA = struct.Struct("!cqqq")  # in front of a piece of the log: kind, begin, end, time
_GONE = b"58P01"  # undefined_file (PostgreSQL's appendix A): the segment was removed already


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
        except Denied as error:
            if error.code == _GONE:
                return None
            raise
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
    """What the server answers to a command."""
    found, *_ = answers(server, command, _patience())
    return found


def _pieces(server: PGconn) -> Iterator[bytes]:
    """The log as it comes, for as long as we have patience."""
    go_on = _patience()
    while True:
        size, content = server.get_copy_data(1)
        if size < 0:
            for _ in further(server, go_on):
                pass
            return
        if size == 0:
            wait(server, go_on)
        elif bytes(content[:1]) == b"w":
            go_on = _patience()
            yield bytes(content[_DATA.size :])


def _patience() -> GoOn:
    """What ends a wait that began now, when it has been long enough."""
    watch = Stopwatch()

    def go_on() -> None:
        if watch.elapsed().total_seconds() > _PATIENCE_SECONDS:
            raise DatabaseFailed("database.unreachable", detail=f"{_PATIENCE_SECONDS} s")

    return go_on
