"""What a server says about its log and those who receive it, and what is changed there.

All of it over one ordinary connection; the log itself comes through pg_receivewal (drivers.pgwal).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from opsd.drivers.postgres import Database, impersonal
from opsd.drivers.postgres.asked import OWN, REPLAY, RIGHTS, ROLE, SEEN
from opsd.drivers.postgres.place import Place, place_of
from opsd.errors import DatabaseFailed, OpsdError
from opsd.wal import HEARTBEAT, Segment, position

_CONNECT_SECONDS = 3
_STATEMENT_MILLISECONDS = 5000
_OPTIONS = f"-c lock_timeout=2s -c TimeZone=UTC -c statement_timeout={_STATEMENT_MILLISECONDS}"
_NEVER_WAIT = "SET synchronous_commit = local"
_SETTINGS = (
    "wal_level",
    "max_wal_senders",
    "max_replication_slots",
    "max_slot_wal_keep_size",
    "synchronous_standby_names",
    "fsync",
    "full_page_writes",
    "wal_sender_timeout",
    "summarize_wal",
    "data_checksums",
)


@dataclass(frozen=True, slots=True)
class Sender:
    """One who receives the log now: how far it has it safely, and whether commits wait for it.

    `sent` is how far it was sent. A role without `pg_monitor` is told nothing but the name.
    """

    application: str
    state: str | None
    sync: str | None
    flushed: int | None
    sent: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """What the server keeps for a receiver, be it there or not."""

    name: str
    active: bool
    retained: int | None
    status: str  # reserved, extended, unreserved, lost


@dataclass(frozen=True, slots=True)
class Weak:
    """A setting by which commits are less safe than they should be.

    `where` is the database or the role that has it of its own; empty: the whole server.
    """

    setting: str
    value: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """What the server says about its log. `at` is its own clock, `flushed` the end of its log.

    `commit` is what clients commit with where no role or database says otherwise; where it cannot
    be seen, `hidden` says why. Slots keep at most `slot_limit`; None: as much as they need.
    """

    at: datetime
    system: str
    version: int
    segment_bytes: int
    recovering: bool
    timeline: int
    flushed: int
    names: str
    waiting: int
    senders: tuple[Sender, ...]
    slots: tuple[Slot, ...]
    commit: str
    weak: tuple[Weak, ...] = ()
    hidden: str = ""
    slot_limit: int | None = None

    def sender(self, application: str) -> Sender | None:
        """The receiver of this name, where it streams, or may: we are not told."""
        found = self.connected(application)
        return found if found is not None and found.state in {"streaming", None} else None

    def live(self, applications: Sequence[str]) -> tuple[Sender, ...]:
        """Those of these receivers that stream."""
        return tuple(one for one in map(self.sender, applications) if one is not None)

    def connected(self, application: str) -> Sender | None:
        """The receiver of this name, also where it has not caught up yet."""
        found = [one for one in self.senders if one.application == application]
        return min(found, key=lambda one: one.state != "streaming", default=None)

    def reached(self, application: str, slot: str) -> int | None:
        """How far a receiver has the log at least, be it there or not; None: not known."""
        sender, kept = self.connected(application), self.slot(slot)
        if sender is not None and sender.flushed is not None:
            return sender.flushed
        return None if kept is None or kept.retained is None else self.flushed - kept.retained

    def slot(self, name: str) -> Slot | None:
        """The slot of this name."""
        return next((one for one in self.slots if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Role:
    """What a role may do."""

    replication: bool
    superuser: bool
    more: tuple[str, ...]  # rights that receiving the log does not need


@dataclass(frozen=True, slots=True)
class Ground:
    """What setting up needs to know."""

    seen: ServerSeen
    settings: dict[str, str]
    role: Role | None
    superuser: bool
    user: str
    monitor: bool
    may_fall_back: bool
    tablespaces: dict[str, str]
    first: str  # the role that initdb made


@dataclass(frozen=True, slots=True)
class Replay:
    """How far a recovery is: the newest commit and position, and whether it goes on."""

    recovering: bool
    paused: bool
    at: datetime | None
    position: int | None


@dataclass(frozen=True, slots=True)
class Server:
    """An open connection to a server whose log is received."""

    raw: psycopg.Connection[tuple[Any, ...]]
    own: bool  # whether our role or database has its own commit: we do not see the server's
    place: Place | None = None

    def seen(self, ask: Callable[[], str]) -> ServerSeen:
        """Everything about the log, now. `ask` gives the server's commit where we do not see it."""
        with _told():
            row = self.raw.execute(SEEN).fetchall()[0]
        at, system, version, size, recovering, walfile, flushed, names, waiting, *more = row
        commit, limit, *lists = more
        senders, slots, weak = (found or [] for found in lists)
        hidden = ""
        if self.own:
            commit, hidden = _answer(ask)
        if commit not in {"on", ""}:
            weak.insert(0, {"setting": "synchronous_commit", "value": commit, "place": ""})
        segment = Segment.of(walfile, size) if walfile else None
        return ServerSeen(
            at=at,
            system=system,
            version=version,
            segment_bytes=size,
            recovering=recovering,
            timeline=segment.timeline if segment else 0,
            flushed=position(flushed),
            names=names,
            waiting=waiting,
            senders=tuple(
                Sender(
                    s["application"],
                    s["state"],
                    s["sync"],
                    _position(s["flushed"]),
                    _position(s["sent"]),
                )
                for s in senders
            ),
            slots=tuple(Slot(s["name"], s["active"], s["retained"], s["status"]) for s in slots),
            commit=commit,
            weak=tuple(Weak(w["setting"], w["value"], w["place"]) for w in weak),
            hidden=hidden,
            slot_limit=limit,
        )

    @property
    def summarizes(self) -> bool:
        """Whether it keeps what a copy of only what changed needs."""
        with _told():
            found = self.raw.execute("SELECT current_setting('summarize_wal', true)").fetchall()
        return bool(found[0][0] == "on")

    def beat(self) -> int:
        """Write a sign of life into the log, with the time; the position behind all before it."""
        with _told():
            # Not as far as it is flushed: who commits without waiting for that is told at once.
            behind = self.raw.execute(
                "SELECT pg_current_wal_insert_lsn()::text,"
                " pg_logical_emit_message(true, %s, clock_timestamp()::text)",
                (HEARTBEAT,),
            ).fetchall()[0][0]
        return position(behind)

    def ground(self, role: str, ask: Callable[[], str]) -> Ground:
        """What is set now, and who may do what. `ask` as in `seen`."""
        with _told():
            settings = dict(
                self.raw.execute(
                    "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (list(_SETTINGS),)
                ).fetchall()
            )
            user, superuser, monitor, may_set, may_reload, first = self.raw.execute(
                RIGHTS
            ).fetchall()[0]
            places = self.raw.execute(
                "SELECT oid::text, pg_tablespace_location(oid) FROM pg_tablespace"
                " WHERE pg_tablespace_location(oid) <> ''"
            ).fetchall()
            found = self.raw.execute(ROLE, (role,)).fetchall()
        return Ground(
            seen=self.seen(ask),
            settings=settings,
            role=Role(found[0][0], found[0][1], tuple(found[0][2])) if found else None,
            superuser=superuser,
            user=user,
            monitor=monitor,
            may_fall_back=may_set and may_reload,
            tablespaces=dict(places),
            first=first,
        )

    @property
    def bytes(self) -> int:
        """How large the cluster is, its log excepted."""
        with _told():
            query = "SELECT sum(pg_tablespace_size(oid))::bigint FROM pg_tablespace"
            return int(self.raw.execute(query).fetchall()[0][0])

    def file_of(self, table: str) -> str | None:
        """The file of a table, as a commit in the log names it; None where there is no table."""
        with _told():
            found = self.raw.execute(
                "SELECT pg_relation_filepath(to_regclass(%s))", (table,)
            ).fetchall()[0][0]
        return None if found is None else str(found)

    def change(self, statement: str) -> None:
        """Run a statement that a plan showed. Raises `DatabaseFailed`."""
        with _told():
            self.raw.execute(sql.SQL(statement.replace("{", "{{").replace("}", "}}")))

    def wait_for(self, names: str) -> None:
        """Set who commits wait for, at once and for good."""
        with _told():
            self.raw.execute(
                sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(
                    sql.Literal(names)
                )
            )
            self.raw.execute("SELECT pg_reload_conf()")

    def replay(self) -> Replay:
        """How far the recovery of this server is, or was when it ended."""
        with _told():
            recovering, paused, at, behind = self.raw.execute(REPLAY).fetchall()[0]
        return Replay(recovering, paused, at, _position(behind))

    @property
    def broken(self) -> bool:
        """Whether the connection is of no use any more."""
        return self.raw.closed or self.raw.broken

    def close(self) -> None:
        """Leave."""
        self.raw.close()


def reach(database: Database) -> Server:
    """A connection for whoever watches the log; the caller closes it. Raises `DatabaseFailed`."""
    passfile: dict[str, Any] = {"passfile": str(database.passfile)} if database.passfile else {}
    with _told("database.unreachable"):
        opened = psycopg.connect(
            database.connection,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            options=_OPTIONS,
            application_name="opsd",
            client_encoding="UTF8",
            tcp_user_timeout=_STATEMENT_MILLISECONDS,
            prepare_threshold=None,
            **passfile,
        )
        own = opened.execute(OWN).fetchall()[0][0]
        # Nothing here may wait for a receiver: who watches them must see when they are gone.
        opened.execute(_NEVER_WAIT)
        return Server(opened, own, place_of(opened))


@contextmanager
def visiting(database: Database) -> Iterator[Server]:
    """The same for a short look."""
    server = reach(database)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _told(key: str = "database.refused") -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseFailed(key, detail=impersonal(error)) from error


def _answer(ask: Callable[[], str]) -> tuple[str, str]:
    """The answer, or why there is none."""
    try:
        return ask(), ""
    except OpsdError as error:
        return "", str(error)


def _position(text: str | None) -> int | None:
    return None if text is None else position(text)
