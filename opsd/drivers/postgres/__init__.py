"""PostgreSQL: facts and manifests by SQL. The only door to psycopg; programs are in pgtools."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from opsd.drivers.postgres.bounded import bounded
from opsd.drivers.process import Stop
from opsd.errors import DatabaseFailed
from opsd.manifest import Named
from opsd.model import Sequence

# What decides how a value looks as text; a digest means the same only under the same settings.
TEXT_SETTINGS: Mapping[str, str] = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "synchronize_seqscans": "off",
    "row_security": "off",
}
# Behind somebody's exclusive lock an open snapshot holds vacuum back: better to fail.
_LOCK_WAIT = "10min"
OPTIONS = " ".join(
    f"-c {name}={value}" for name, value in {**TEXT_SETTINGS, "lock_timeout": _LOCK_WAIT}.items()
)
_CONNECT_SECONDS = 10
_BATCH = 5000
_PIECE = 1 << 20  # of a large object: all of it would be one allocation here and two of the server
_UNCODED = 3  # columns of a query for files without a code: path, size, sha256
_QUOTED = re.compile(r'".*"|\'.*\'', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Database:
    """How to reach a database: a libpq connection string without a password, and a passfile."""

    connection: str
    passfile: Path | None = None

    @property
    def env(self) -> dict[str, str]:
        """What PostgreSQL's own programs need in their environment."""
        passfile = {"PGPASSFILE": str(self.passfile)} if self.passfile else {}
        return {
            "PGOPTIONS": OPTIONS,
            "PGTZ": "UTC",
            "PGCONNECT_TIMEOUT": str(_CONNECT_SECONDS),
            **passfile,
        }

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection, closed at the end. Raises `DatabaseFailed`."""
        passfile: dict[str, Any] = {"passfile": str(self.passfile)} if self.passfile else {}
        try:
            with psycopg.connect(
                self.connection,
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                options=OPTIONS,
                application_name="opsd",
                client_encoding="UTF8",  # else text of an SQL_ASCII database would come as bytes
                **passfile,
            ) as opened:
                yield Connection(opened)
        except psycopg.OperationalError as error:
            raise DatabaseFailed("database.unreachable", detail=str(error)) from error
        except psycopg.Error as error:
            raise DatabaseFailed("database.refused", detail=impersonal(error)) from error


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the server says about itself and the database; `clock` is its wall clock.

    `directory` is where its data lies on this machine; None when elsewhere, or not ours to know.
    """

    database: str
    version: int
    system_identifier: str
    encoding: str
    bytes: int
    clock: datetime
    roles: tuple[str, ...]
    extensions: tuple[str, ...]
    superuser: bool
    directory: str | None

    @property
    def major(self) -> int:
        """15 of 150018."""
        return self.version // 10000


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table's identity and the columns that a dump carries."""

    oid: int
    schema: str
    name: str
    columns: tuple[str, ...]
    of_extension: bool
    unlogged: bool

    @property
    def copy(self) -> str:
        """The COPY that gives the rows as a dump has them."""
        columns = ", ".join(quoted(column) for column in self.columns)
        listed = f" ({columns})" if columns else ""  # no list is what pg_dump gives such a table
        return f"COPY {quoted(self.schema)}.{quoted(self.name)}{listed} TO STDOUT"


@dataclass(frozen=True, slots=True)
class Exported:
    """A snapshot by its name for others: its moment, what it sees, the end of the log before it.

    A standby has no log of its own: the last two are None there.
    """

    name: str
    at: datetime
    sees: str | None
    position: str | None


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection to one database."""

    raw: psycopg.Connection[tuple[Any, ...]]

    def facts(self) -> ServerFacts:
        """What the server is."""
        row = self._row(
            """SELECT current_database(), current_setting('server_version_num')::int,
                      (SELECT system_identifier::text FROM pg_control_system()),
                      pg_encoding_to_char(d.encoding), pg_database_size(d.oid), clock_timestamp(),
                      (SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles
                        WHERE rolname !~ '^pg_'),
                      (SELECT array_agg(extname || ' ' || extversion ORDER BY extname)
                         FROM pg_extension),
                      current_setting('is_superuser') = 'on',
                      CASE WHEN inet_server_addr() IS NULL
                                AND pg_has_role('pg_read_all_settings', 'USAGE')
                           THEN current_setting('data_directory') END
                 FROM pg_database d WHERE d.datname = current_database()"""
        )
        name, version, identifier, encoding, size, clock, roles, extensions, *more = row
        return ServerFacts(
            database=name,
            version=version,
            system_identifier=identifier,
            encoding=encoding,
            bytes=size,
            clock=clock,
            roles=tuple(roles),
            extensions=tuple(extensions),
            superuser=more[0],
            directory=more[1],
        )

    def properties(self) -> dict[str, str]:
        """What belongs to the database itself and to nothing in it."""
        rows = self.raw.execute(
            """WITH this AS (SELECT * FROM pg_database WHERE datname = current_database())
               SELECT 'owner', pg_get_userbyid(datdba)::text FROM this
               UNION ALL SELECT 'comment', shobj_description(oid, 'pg_database') FROM this
               UNION ALL SELECT 'connection limit', datconnlimit::text FROM this
               UNION ALL
               SELECT 'grants of ' || CASE grantee WHEN 0 THEN 'public'
                                      ELSE pg_get_userbyid(grantee)::text END,
                      string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END,
                                 ' ' ORDER BY privilege_type)
                 FROM this, aclexplode(coalesce(datacl, acldefault('d', datdba))) GROUP BY grantee
               UNION ALL
               SELECT 'setting ' || CASE setrole WHEN 0 THEN ''
                                    ELSE pg_get_userbyid(setrole)::text || ' ' END
                      || split_part(line, '=', 1), substr(line, strpos(line, '=') + 1)
                 FROM this JOIN pg_db_role_setting ON setdatabase = oid,
                      unnest(setconfig) AS line"""
        )
        return {name: value for name, value in rows if value is not None}

    @contextmanager
    def exported_snapshot(self) -> Iterator[Exported]:
        """Hold one snapshot of the database, for others too."""
        (position,) = self._row(
            "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn()::text END"
        )
        self.raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        name, at, sees = self._row(
            "SELECT pg_export_snapshot(), transaction_timestamp(), pg_current_snapshot()::text"
        )
        try:
            yield Exported(name, at, sees if position else None, position)
        finally:
            if not self.raw.broken:
                self.raw.execute("ROLLBACK")

    def databases(self) -> tuple[str, ...]:
        """All databases of the server that somebody can connect to, without templates."""
        rows = self.raw.execute(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"
        )
        return tuple(name for (name,) in rows)

    def tables(self) -> tuple[TableShape, ...]:
        """All ordinary tables with data of their own, partitions included."""
        rows = self.raw.execute(
            """SELECT c.oid::bigint, n.nspname, c.relname,
                      ARRAY(SELECT a.attname::text FROM pg_attribute a
                             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                               AND a.attgenerated = '' ORDER BY a.attnum),
                      EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                                 AND d.objid = c.oid AND d.deptype = 'e'),
                      c.relpersistence = 'u'
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
                  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                ORDER BY 2, 3"""
        )
        return tuple(TableShape(o, s, n, tuple(columns), *more) for o, s, n, columns, *more in rows)

    def count(self, table: TableShape) -> int:
        """How many rows the table has in this connection's snapshot."""
        query = sql.SQL("SELECT count(*) FROM ONLY {}").format(
            sql.Identifier(table.schema, table.name)
        )
        return int(self.raw.execute(query).fetchall()[0][0])

    def forbidden(self) -> tuple[str, ...]:
        """Tables and sequences that this role may not read, so that a dump of all would fail."""
        rows = self.raw.execute(
            """SELECT format('%I.%I', n.nspname, c.relname)
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'S') AND c.relpersistence <> 't'
                  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND CASE c.relkind
                             WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
                             ELSE has_table_privilege(c.oid, 'SELECT') END)
                ORDER BY 1"""
        )
        return tuple(name for (name,) in rows)

    def sequences(self) -> dict[tuple[str, str], int]:
        """The last value of each sequence; 0 where none was drawn yet."""
        rows = self.raw.execute(
            "SELECT schemaname, sequencename, coalesce(last_value, 0) FROM pg_sequences"
        )
        return {(schema, name): value for schema, name, value in rows}

    def large_objects(self, limit: timedelta, stop: Stop) -> Iterator[tuple[int, str]]:
        """Each large object with its SHA-256, in the order of their numbers; ends as a query."""
        with bounded(self.raw, "lo_get", limit, stop):
            rows = self.raw.execute("SELECT oid FROM pg_largeobject_metadata ORDER BY oid")
            for (oid,) in rows.fetchall():
                hashed = hashlib.sha256()
                for piece in self._pieces(oid):
                    hashed.update(piece)
                yield oid, hashed.hexdigest()

    def _pieces(self, oid: int) -> Iterator[bytes]:
        offset, size = 0, _PIECE
        while size == _PIECE:
            asked = self.raw.execute(
                "SELECT lo_get(%s, %s, %s)", (oid, offset, _PIECE), binary=True
            )
            (piece,) = asked.fetchall()[0]
            yield piece
            size = len(piece)
            offset += size

    def violations(self, query: str, limit: timedelta, stop: Stop) -> int:
        """How many rows `query` (from the configuration) returns.

        Raises `TimedOut` after `limit`, and `Cancelled` when it shall stop.
        """
        counted = sql.SQL("SELECT count(*) FROM ({}) AS violation").format(given(query))
        with bounded(self.raw, query, limit, stop):
            return int(self.raw.execute(counted).fetchall()[0][0])

    def named_files(self, query: str, limit: timedelta, stop: Stop) -> Generator[Named, None, None]:
        """Each file that `query` names, in byte order of the paths; a fourth column is its code.

        Raises as `violations` does. Whoever does not take all of them closes it.
        """
        asked = given(query)
        columns = self.raw.execute(sql.SQL("SELECT * FROM ({}) AS named LIMIT 0").format(asked))
        coded = len(columns.description or ()) > _UNCODED
        wrapped = sql.SQL(
            "SELECT convert_to(path::text, CASE getdatabaseencoding() WHEN 'SQL_ASCII'"
            " THEN 'SQL_ASCII' ELSE 'UTF8' END), size::bigint, lower(sha256::text), {}"
            " FROM ({}) AS named(path, size, sha256{}) ORDER BY 1"
        ).format(
            sql.SQL("code::text" if coded else "''"), asked, sql.SQL(", code" if coded else "")
        )
        with (
            bounded(self.raw, query, limit, stop),
            self.raw.transaction(),
            self.raw.cursor(name="named_files") as cursor,
        ):
            cursor.itersize = _BATCH
            cursor.execute(wrapped)
            for path, size, digest, code in cursor:
                yield Named(bytes(path), size, (digest or "").strip(), code or "")

    def cancel(self) -> None:
        """End what the connection is doing; whoever waits for it gets `DatabaseFailed`."""
        self.raw.cancel_safe()

    def is_empty(self) -> bool:
        """Whether the database has no tables of its own."""
        return not self.tables()

    def drop_one_row(self, table: TableShape) -> None:
        """Damage a throwaway database on purpose; a comparison must see it."""
        name = sql.Identifier(table.schema, table.name)
        with self.raw.transaction():
            self.raw.execute("SET LOCAL session_replication_role = replica")
            self.raw.execute(
                sql.SQL(
                    "DELETE FROM ONLY {} WHERE ctid = (SELECT ctid FROM ONLY {} LIMIT 1)"
                ).format(name, name)
            )

    def _row(self, query: LiteralString) -> tuple[Any, ...]:
        return self.raw.execute(query).fetchall()[0]


def as_sequences(
    before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]
) -> tuple[Sequence, ...]:
    """The span in which the dumped value of each sequence lies; one dropped meanwhile has none."""
    return tuple(
        Sequence(*key, first=before[key], last=after[key]) for key in sorted(before.keys() & after)
    )


def impersonal(error: psycopg.Error) -> str:
    """What the server said, without what it quotes of rows.

    Details quote rows; the sentences of the classes 22 and 23 (data, constraints) quote values.
    """
    said = error.diag.message_primary or str(error)
    if (error.sqlstate or "").startswith(("22", "23")):
        said = f"{error.sqlstate}: {_QUOTED.sub('…', said)}"
    return said


def given(query: str) -> sql.SQL:
    """A query of the configuration, which its administrator wrote and answers for."""
    escaped = query.strip().rstrip(";").replace("{", "{{").replace("}", "}}")
    return sql.SQL(escaped)


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'
