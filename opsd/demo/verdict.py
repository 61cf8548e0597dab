"""Judges what came back: what was acknowledged must be there, a table must be as it was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from opsd.demo.clerk import Visit
from opsd.errors import ToolFailed

_NAMED = 20  # of what is missing


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds: how many rows, and one digest of all of them."""

    rows: int
    digest: str


def insist_on_visits(acknowledged: Collection[Visit], present: Collection[Visit]) -> None:
    """Raise `ToolFailed` where an acknowledged visit is not there, or is another one.

    More may be there: of the last commit the server could not tell any more.
    """
    if not acknowledged:
        raise ToolFailed("demo.none_acknowledged")
    missing = sorted(set(acknowledged) - set(present))
    if missing:
        listed = ", ".join(str(visit.number) for visit in missing[:_NAMED])
        raise ToolFailed(
            "demo.commits_lost",
            missing=len(missing),
            acknowledged=len(acknowledged),
            detail=listed + (", …" if len(missing) > _NAMED else ""),
        )


def insist_on_table(table: str, before: Content, after: Content) -> None:
    """Raise `ToolFailed` where the table is not what it was before it was dropped."""
    if before.rows == 0 or before != after:
        raise ToolFailed("demo.table_differs", table=table, before=before.rows, after=after.rows)
