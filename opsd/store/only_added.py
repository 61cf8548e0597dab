"""Triggers that keep rows: what was added can be neither changed nor removed by the way."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, Table, event

_WORD: Final = "the history is append-only"
_SQLITE: Final = (
    "CREATE TRIGGER {name}_no_{verb} BEFORE {verb} ON %(fullname)s "
    "BEGIN SELECT RAISE(ABORT, '{word}'); END"
)
_POSTGRESQL: Final = (
    "CREATE OR REPLACE FUNCTION only_added() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '{word}' USING ERRCODE = 'integrity_constraint_violation'; END $$; "
    "CREATE TRIGGER {name}_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON %(fullname)s "
    "EXECUTE FUNCTION only_added()"
)


def only_added(table: Table) -> None:
    """Have the rows of a table kept, from the moment in which it is made."""
    for verb in ("update", "delete"):
        _after(table, "sqlite", _SQLITE.format(name=table.name, verb=verb, word=_WORD))
    _after(table, "postgresql", _POSTGRESQL.format(name=table.name, word=_WORD))


def _after(table: Table, dialect: str, statement: str) -> None:
    made = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    event.listen(table, "after_create", made.execute_if(dialect=dialect))
