"""What the exit code of a site's command means, and what it told (docs/command-members.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from opsd.errors import CommandFailed, OpsdError, Refused, ToolFailed
from opsd.model import Table

PRODUCE, RESTORE, VERIFY = "produce", "restore", "verify"

# What sysexits.h has for these; from 126 on it was not started, or a signal ended it.
_MEANT = {69: "command.unavailable", 73: "command.in_the_way", 77: "command.not_let_in"}
_NOT_ITSELF = 126
BAD = "command.bad"
_QUOTED_LINES = 5


@dataclass(frozen=True, slots=True)
class Told:
    """What a command says that it saw."""

    source: str
    tables: tuple[Table, ...]


def judge_exit(member: str, verb: str, exit_code: int, complaint: str) -> OpsdError | None:
    """What a command's end stands for; nothing when it did what it is for.

    That `restore` or `verify` could not be tried says nothing of the data; any other failure does.
    """
    if exit_code == 0:
        return None
    key = _MEANT.get(exit_code, BAD)
    if not 0 <= exit_code < _NOT_ITSELF:
        key = "command.broken"
    quoted = "\n".join(complaint.splitlines()[-_QUOTED_LINES:])
    said: dict[str, str] = {
        "member": member,
        "verb": verb,
        "exit_code": str(exit_code),
        "detail": quoted,
    }
    if verb == PRODUCE:
        return CommandFailed(key, reason="source", **said)
    if key == BAD:
        return CommandFailed(key, reason="integrity", **said)
    return Refused(key, **said) if key == "command.in_the_way" else ToolFailed(key, **said)


def over(member: str, verb: str, key: str, **fields: Any) -> OpsdError:  # noqa: ANN401  (values)
    """A limit that was passed: `produce` has taken nothing, the others have shown nothing."""
    if verb == PRODUCE:
        return CommandFailed(key, reason="limit", member=member, verb=verb, **fields)
    return ToolFailed(key, member=member, verb=verb, **fields)


def read(content: bytes) -> Told:
    """What a command wrote into its manifest. Raises `ValueError` with what is wrong with it."""
    found = json.loads(content)
    match found:
        case {"source": str(source), "tables": list(tables)} if source and len(found) == 2:
            read_ = tuple(_table(number, table) for number, table in enumerate(tables))
        case _:
            raise ValueError("wanted is one object with `source` (a text) and `tables` (a list)")
    names = [table.name for table in read_]
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice in `tables`")
    return Told(source, read_)


def _table(number: int, found: Any) -> Table:  # noqa: ANN401  (whatever JSON holds)
    match found:
        case {"name": str(name), "rows": int(rows), "digest": str(digest)} if (
            name and digest and rows >= 0 and not isinstance(rows, bool) and len(found) == 3
        ):
            return Table("", name, (), rows, digest)
        case _:
            raise ValueError(
                f"tables[{number}]: wanted are `name`, `rows` (0 or more) and `digest`, no more"
            )
