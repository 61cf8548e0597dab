"""Who does what: nodes, and the slots that they claim.

Whether a node lives is judged by the clock of the store alone, so that no two clocks are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Select, literal_column, select

from opsd.store import schema
from opsd.store.book import Book
from opsd.store.place import Place, Server


class End(StrEnum):
    """How an attempt at a piece of work ended. One without an end goes on, or was cut short."""

    DONE = "done"  # it came to its end, be it a bad one
    LOST = "lost"  # nothing of it could be recorded: it does not count
    GIVEN_UP = "given_up"  # cut short too often
    PASSED = "passed"  # the next slot came first


_OVER = (End.DONE.value, End.GIVEN_UP.value, End.PASSED.value)


@dataclass(frozen=True, slots=True)
class Node:
    """One life of a daemon; `home` is its state directory, `name` the host's."""

    id: str
    name: str
    home: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A node's word that it does a piece of work."""

    work: str
    attempt: int
    node: str
    before: Node | None = None  # whose attempt was cut short


class Fenced(Exception):
    """The node was given up by the others: nothing it says counts any more."""


class Claims(Book):
    """The store, opened to share out work. All that changes is changed by one at a time."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, schema.metadata, schema.VERSION)
        self._now: ColumnElement[float] = literal_column(
            "extract(epoch FROM clock_timestamp())::float8"
            if isinstance(place, Server)
            else "(julianday('now') - 2440587.5) * 86400.0",
            Float,
        )

    # --- nodes

    def enter(self, node: Node, limit: timedelta | None) -> Node | None:
        """Begin a life. Earlier ones at the same home are over: only one can be there.

        Without a limit no other node can be there at all. With one, a node of the same name that
        lives elsewhere is given instead, and nothing is entered.
        """
        table = schema.node
        with self._writing() as connection:
            over = table.c.home == node.home if limit else table.c.id.is_not(None)
            connection.execute(table.update().where(over, table.c.gone == 0).values(gone=1))
            if limit:
                self._give_up_silent(connection, limit)
            same = select(table).where(table.c.name == node.name, table.c.gone == 0)
            if rival := connection.execute(same).first():
                return _node(rival)
            values = {"id": node.id, "name": node.name, "home": node.home, "gone": 0}
            connection.execute(table.insert().values(**values, began=self._now, heard=self._now))
        return None

    def beat(self, node: str, limit: timedelta) -> bool:
        """Tell that a node lives, and give up those that were silent for longer than the limit.

        Gives whether it is the one that is there longest. Raises `Fenced`.
        """
        table = schema.node
        with self._writing() as connection:
            _insist_alive(connection, node)
            heard = table.update().where(table.c.id == node).values(heard=self._now)
            connection.execute(heard)
            self._give_up_silent(connection, limit)
            here = select(table.c.id).where(table.c.gone == 0)
            oldest = connection.execute(here.order_by(table.c.began, table.c.id)).first()
        return oldest is not None and oldest.id == node

    def leave(self, node: str) -> None:
        """End a life in order: what it did not end may be taken over at once."""
        table = schema.node
        with self._writing() as connection:
            connection.execute(table.update().where(table.c.id == node).values(gone=1))

    # --- work

    def take(self, work: str, node: str, at: datetime, tries: int) -> Claim | End | None:
        """Claim a piece of work, or go on with it where a node that is gone left off.

        Nothing when it is over already or somebody living does it; its end when it was cut short
        so often that it is given up now. Raises `Fenced`.
        """
        with self._writing() as connection:
            _insist_alive(connection, node)
            if _over(connection, work):
                return None
            last = connection.execute(_attempts(work).limit(1)).first()
            if last is not None and last.end is None and not last.gone and last.node != node:
                return None
            attempt = last.attempt + 1 if last is not None else 1
            if last is not None and _counted(connection, work) >= tries:
                _end(connection, work, last.attempt, at, End.GIVEN_UP)
                return End.GIVEN_UP
            connection.execute(
                schema.claim.insert().values(work=work, attempt=attempt, node=node, at=at)
            )
        cut_short = last is not None and last.end is None
        before = Node(last.node, last.name, last.home) if last is not None and cut_short else None
        return Claim(work, attempt, node, before)

    def end(self, claim: Claim, at: datetime, end: End) -> None:
        """Record how an attempt ended. Raises `Fenced`."""
        with self._writing() as connection:
            _insist_alive(connection, claim.node)
            _end(connection, claim.work, claim.attempt, at, end)

    def pass_over(
        self, prefix: str, work: str, at: datetime, node: str, busy: frozenset[str]
    ) -> tuple[str, ...]:
        """End what was cut short of earlier slots, whose work begins alike; gives what it was.

        What another living node does is not ended, nor what `node` itself is busy with.
        """
        alike = schema.claim.c.work.startswith(prefix, autoescape=True)
        nobodys = (schema.node.c.gone == 1) | (schema.claim.c.node == node)
        with self._writing() as connection:
            found = connection.execute(_left(alike & nobodys))
            left = [row for row in found if row.work < work and row.work not in busy]
            for row in left:
                _end(connection, row.work, row.attempt, at, End.PASSED)
        return tuple(row.work for row in left)

    def over(self, work: str) -> bool:
        """Whether nothing is left to do of it."""
        with self._failing(), self._engine.connect() as connection:
            return _over(connection, work)

    def left(self) -> tuple[str, ...]:
        """The work that nodes which are gone did not bring to its end, oldest first."""
        return tuple(row.work for row in self._rows(_left(schema.node.c.gone == 1)))

    def attempts(self, work: str) -> tuple[tuple[int, str, End | None], ...]:
        """Every attempt at a piece of work, oldest first: its number, its node, how it ended."""
        rows = self._rows(_attempts(work))
        return tuple(
            (row.attempt, row.node, End(row.end) if row.end else None) for row in reversed(rows)
        )

    # --- inside

    def _give_up_silent(self, connection: Connection, limit: timedelta) -> None:
        table = schema.node
        silent = table.c.heard < self._now - limit.total_seconds()
        connection.execute(table.update().where(table.c.gone == 0, silent).values(gone=1))


def _attempts(work: str) -> Select[Any]:
    """Every attempt at a piece of work, newest first, with its node and its end."""
    claim, end, node = schema.claim, schema.claim_end, schema.node
    same = (end.c.work == claim.c.work) & (end.c.attempt == claim.c.attempt)
    return (
        select(claim.c.attempt, claim.c.node, node.c.name, node.c.home, node.c.gone, end.c.end)
        .join(node)
        .outerjoin(end, same)
        .where(claim.c.work == work)
        .order_by(claim.c.attempt.desc())
    )


def _left(where: ColumnElement[bool]) -> Select[Any]:
    """The newest attempt of each piece of work that is not over."""
    claim, end, newer = schema.claim, schema.claim_end, schema.claim.alias()
    over = select(end.c.work).where(end.c.work == claim.c.work, end.c.end.in_(_OVER)).exists()
    overtaken = (
        select(newer.c.work)
        .where(newer.c.work == claim.c.work, newer.c.attempt > claim.c.attempt)
        .exists()
    )
    return (
        select(claim.c.work, claim.c.attempt)
        .join(schema.node)
        .where(where, ~over, ~overtaken)
        .order_by(claim.c.at, claim.c.work)
    )


def _over(connection: Connection, work: str) -> bool:
    end = schema.claim_end
    chosen = select(end.c.work).where(end.c.work == work, end.c.end.in_(_OVER)).limit(1)
    return connection.execute(chosen).first() is not None


def _counted(connection: Connection, work: str) -> int:
    """How many attempts were cut short: one that was lost does not count."""
    rows = connection.execute(_attempts(work)).all()
    return sum(1 for row in rows if row.end is None)


def _end(connection: Connection, work: str, attempt: int, at: datetime, end: End) -> None:
    connection.execute(
        schema.claim_end.insert().values(work=work, attempt=attempt, at=at, end=end.value)
    )


def _insist_alive(connection: Connection, node: str) -> None:
    chosen = select(schema.node.c.gone).where(schema.node.c.id == node)
    if connection.execute(chosen).scalar() != 0:
        raise Fenced(node)


def _node(row: Any) -> Node:  # noqa: ANN401  (a row with these columns)
    return Node(row.id, row.name, row.home)
