"""What is asked of a MariaDB server, and what its programs answer: texts, pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Types whose values may be long: hashed by themselves, so that no row outgrows a packet.
_LONG = frozenset(
    {
        *("tinytext", "text", "mediumtext", "longtext", "json"),
        *("tinyblob", "blob", "mediumblob", "longblob"),
        *("geometry", "point", "linestring", "polygon", "multipoint"),
        *("multilinestring", "multipolygon", "geometrycollection"),
    }
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MEANT = {b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}
_CODE = re.compile(r"\b(?:ERROR|error:?) (\d{4})\b")
_INSERT = re.compile(rb"INSERT INTO `((?:[^`]|``)+)` (?:\(`[^\n]*`\) )?VALUES")
_POSITION = re.compile(rb"-- CHANGE MASTER TO MASTER_LOG_FILE='([^']+)', MASTER_LOG_POS=(\d+);")
_CREATED = re.compile(rb"CREATE TABLE `((?:[^`]|``)+)` ")

TEXT_SETTINGS = (
    "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',"
    " max_statement_time = 0, wait_timeout = 86400;"
)
SHAPES = """
    SELECT t.table_name, IFNULL(t.engine, ''), IFNULL(c.column_name, ''), IFNULL(c.data_type, '')
    FROM information_schema.tables AS t LEFT JOIN information_schema.columns AS c
        ON c.table_schema = t.table_schema AND c.table_name = t.table_name
        AND c.is_generated = 'NEVER'
    WHERE t.table_schema = DATABASE() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
    ORDER BY t.table_name, c.ordinal_position;
"""
OBJECTS = """
    SELECT CONCAT('view ', table_name) FROM information_schema.views
        WHERE table_schema = DATABASE()
    UNION ALL SELECT CONCAT(LOWER(routine_type), ' ', routine_name)
        FROM information_schema.routines WHERE routine_schema = DATABASE()
    UNION ALL SELECT CONCAT('trigger ', trigger_name) FROM information_schema.triggers
        WHERE trigger_schema = DATABASE()
    UNION ALL SELECT CONCAT('event ', event_name) FROM information_schema.events
        WHERE event_schema = DATABASE()
    ORDER BY 1;
"""
SEQUENCES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'SEQUENCE' ORDER BY 1;
"""
FACTS = """
    SELECT DATABASE(), VERSION(), @@server_uid, @@log_bin, UTC_TIMESTAMP(6),
        @@character_set_database,
        (SELECT IFNULL(SUM(data_length), 0) FROM information_schema.tables
            WHERE table_schema = DATABASE());
"""


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table of the living database: its columns with their types, generated ones left out."""

    name: str
    engine: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a server's binary log."""

    file: str
    offset: int


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever is in it."""
    return f"`{name.replace('`', '``')}`"


def literal(text: str) -> str:
    """A text as SQL takes it, under the settings that we ask in."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def answers(output: bytes) -> Iterator[tuple[str, ...]]:
    """The rows of an answer in batch form."""
    for line in output.splitlines():
        fields = (_ESCAPED.sub(lambda m: _MEANT.get(m[1], m[1]), f) for f in line.split(b"\t"))
        yield tuple(field.decode("utf-8", "surrogateescape") for field in fields)


def shapes(rows: Iterator[tuple[str, ...]]) -> tuple[TableShape, ...]:
    """The tables that `SHAPES` tells of."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for table, engine, column, kind in rows:
        columns = found.setdefault((table, engine), [])
        if column:
            columns.append((column, kind))
    return tuple(TableShape(*table, tuple(columns)) for table, columns in found.items())


def digest_query(shape: TableShape) -> str:
    """Rows of a table, and two sums over the SHA-256 of each: in whatever order they come.

    A row is the text of its columns, each with its length; of long ones their own SHA-256.
    """
    texts = ", ".join(_text(*column) for column in shape.columns) or "''"
    return (
        f"SELECT {literal(shape.name)}, COUNT(*), COUNT(h), {_sum(1)}, {_sum(17)}"
        f" FROM (SELECT SHA2(CONCAT({texts}), 256) AS h FROM {quoted(shape.name)}) AS hashed;"
    )


def sequences(names: list[str]) -> str:
    """The next value of each that is not cached."""
    return "".join(
        f"SELECT {literal(name)}, next_not_cached_value FROM {quoted(name)};" for name in names
    )


def counting(query: str) -> str:
    """How many rows a query of the configuration returns."""
    return f"WITH asked AS ({_given(query)}) SELECT COUNT(*) FROM asked;"


def naming(query: str) -> str:
    """The files that a query of the configuration names."""
    return (
        f"WITH named (path, size, sha256) AS ({_given(query)})"
        " SELECT HEX(CONVERT(path USING utf8mb4)), IFNULL(size, ''), IFNULL(LOWER(sha256), '')"
        " FROM named ORDER BY 1;"
    )


def losing_a_row(table: str) -> str:
    """One row less, whatever depends on it."""
    return f"SET foreign_key_checks = 0; DELETE FROM {quoted(table)} LIMIT 1;"


def _given(query: str) -> str:
    return query.strip().rstrip(";")


def _sum(at: int) -> str:
    return f"IFNULL(SUM(CAST(CONV(SUBSTR(h, {at}, 16), 16, 10) AS UNSIGNED)), 0)"


def _text(name: str, kind: str) -> str:
    column = quoted(name)
    if kind in _LONG:
        return f"IFNULL(SHA2({column}, 256), '-')"
    value = f"CAST({column} AS BINARY)"
    return f"IFNULL(CONCAT(LENGTH({value}), ':', {value}), '-')"


def digest(rows: int, first: str, second: str) -> str:
    """The digest of a table, of what `digest_query` answers."""
    return f"{rows}-{int(first):x}-{int(second):x}"


def version_number(text: str) -> int:
    """10.11.19-MariaDB as 101119; 0 where it is none."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return int(found[1]) * 10000 + int(found[2]) * 100 + int(found[3]) if found else 0


def error_code(complaint: str) -> int:
    """The number of the error in what a program complained of; 0 where there is none."""
    found = _CODE.search(complaint)
    return int(found[1]) if found else 0


class DumpReader:
    """Reads a dump while it is written: its tables and their rows, its position, its end."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.position: Position | None = None
        self.begun = False  # its snapshot was taken by then
        self.complete = False
        self._table: str | None = None

    def line(self, line: bytes) -> None:
        """One line of it."""
        if self._table is not None and line.startswith(b"("):
            self.rows[self._table] += 1
            if line.endswith(b";\n"):
                self._table = None
        elif found := _INSERT.match(line):
            self._table = _name(found[1])
            self.rows.setdefault(self._table, 0)
        elif found := _CREATED.match(line):
            self.begun = True
            self.rows.setdefault(_name(found[1]), 0)
        elif found := _POSITION.match(line):
            self.begun = True
            self.position = Position(found[1].decode(), int(found[2]))
        elif line.startswith(b"-- Dump completed"):
            self.complete = True


def _name(found: bytes) -> str:
    return found.replace(b"``", b"`").decode("utf-8", "surrogateescape")
