"""A clerk at the counter: one visit after another, and outside the server what was acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple, TextIO

from opsd.demo import words
from opsd.demo.psql import ask
from opsd.drivers.postgres import Connection, Database
from opsd.errors import OpsdError

TABLE = "CREATE TABLE visit (number bigint PRIMARY KEY, officer text, purpose text)"
_ENTER = "INSERT INTO visit (number, officer, purpose) VALUES (%s, %s, %s)"
_ENTERED = "SELECT number, officer, purpose FROM visit ORDER BY number"
_JOIN_SECONDS = 10.0


class Visit(NamedTuple):
    """Somebody came to the counter."""

    number: int
    officer: str
    purpose: str


class Clerk:
    """Commits visits one after another, each as soon as the one before was acknowledged.

    In `notes`, outside the server, stands each that was acknowledged, and no other.
    """

    def __init__(self, connection: str, notes: Path) -> None:
        self._database = Database(connection)
        self._notes = notes
        self._failure: OpsdError | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="clerk", daemon=True)

    @property
    def working(self) -> bool:
        """Whether the server still answers, and nobody ended the day."""
        return self._thread.is_alive()

    @property
    def acknowledged(self) -> list[Visit]:
        """What the server said is committed."""
        return _visits(line.split("\t") for line in self._notes.read_text("utf-8").splitlines())

    def begin(self) -> None:
        """Open the counter."""
        self._notes.write_text("")
        self._thread.start()

    def end(self) -> None:
        """Close it, or find that the server is gone."""
        self._over.set()
        self._thread.join(_JOIN_SECONDS)

    def insist(self) -> None:
        """Raise what ended the work, where something did."""
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            with self._database.connect() as server, self._notes.open("a", encoding="utf-8") as to:
                self._enter(server, to)
        except OpsdError as error:
            self._failure = error

    def _enter(self, server: Connection, notes: TextIO) -> None:
        for number in count(1):
            if self._over.is_set():
                return
            visit = _visit(number)
            server.raw.execute(_ENTER, visit)
            notes.write("\t".join(map(str, visit)) + "\n")
            notes.flush()


@contextmanager
def at_work(connection: str, notes: Path) -> Iterator[Clerk]:
    """A clerk who works meanwhile."""
    clerk = Clerk(connection, notes)
    clerk.begin()
    try:
        yield clerk
    finally:
        clerk.end()


def visits(connection: str) -> list[Visit]:
    """All visits that a database has."""
    return _visits(ask(connection, _ENTERED))


def _visits(rows: Iterable[Sequence[str]]) -> list[Visit]:
    return [Visit(int(number), officer, purpose) for number, officer, purpose in rows]


def _visit(number: int) -> Visit:
    """An invented one."""
    officer = words.OFFICERS[number % len(words.OFFICERS)]
    return Visit(number, officer, words.PROCEDURES[number % len(words.PROCEDURES)])
