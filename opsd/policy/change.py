"""What changed between two runs that a person should look at. It never stops a backup."""

from __future__ import annotations

from opsd.contents import Contents
from opsd.model import Finding, MemberSnapshot, Severity

# A table or tree that lost more than this share since the last run is worth a look.
SHRUNK = 0.2
_FEW = 20  # rows or files below which a share says nothing


def judge_tables(before: Contents, now: Contents) -> tuple[Finding, ...]:
    """Tables that were emptied, lost many rows, or are gone."""
    present = {(t.schema, t.name): t for t in now.tables}
    found = []
    for old in before.tables:
        new = present.get((old.schema, old.name))
        if new is None:
            found.append(_change("change.table_gone", table=old.qualified, before=old.rows))
        elif old.rows > 0 and new.rows == 0:
            found.append(_change("change.table_emptied", table=old.qualified, before=old.rows))
        elif _shrunk(old.rows, new.rows):
            found.append(
                _change("change.table_shrunk", table=old.qualified, before=old.rows, now=new.rows)
            )
    return tuple(found)


def judge_tree(before: MemberSnapshot, now: MemberSnapshot) -> tuple[Finding, ...]:
    """A tree that lost many files."""
    if not _shrunk(before.files, now.files):
        return ()
    return (_change("change.tree_shrunk", member=now.member, before=before.files, now=now.files),)


def _shrunk(before: int, now: int) -> bool:
    return before >= _FEW and now < before * (1 - SHRUNK)


def _change(key: str, **fields: object) -> Finding:
    return Finding(Severity.CHANGE, key, fields)
