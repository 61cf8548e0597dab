"""The kinds of members that a program dumps into scratch: each with the same verbs, here by name.

A kind is added by a line in each of these, in `opsd/tasks/proving/standing.py` and in
`opsd/tasks/restore.py`; mypy says where one is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opsd.config.command import CommandMember
from opsd.config.mariadb import MariadbMember
from opsd.config.schema import Dumped, PostgresMember
from opsd.contents import Contents
from opsd.model import MemberKind
from opsd.tasks.kit import Kit
from opsd.tasks.members import command, mariadb, postgres
from opsd.tasks.members.captured import Captured, Work


@dataclass(frozen=True, slots=True)
class Observed:
    """What a source says of itself before it is dumped; what it does not say is None."""

    bytes: int | None = None
    version: int | None = None
    ahead: timedelta | None = None  # our clock minus its
    directory: Path | None = None  # on this machine


def observe(kit: Kit, member: Dumped) -> Observed:
    """Look whether it can be taken, and how much it is. Raises when it cannot."""
    match member:
        case PostgresMember():
            found = postgres.observe(kit, member)
            server, place = found.server, found.server.directory
            return Observed(
                server.bytes, server.version, found.ahead, Path(place) if place else None
            )
        case MariadbMember():
            seen = mariadb.observe(kit, member)
            return Observed(seen.facts.bytes, seen.facts.version, seen.ahead)
        case CommandMember():
            command.observe(member)
            return Observed()


def capture(work: Work, name: str, member: Dumped, fixed: Callable[[], None]) -> Captured:
    """Dump it and put that into a snapshot; `fixed` is called when its moment is fixed."""
    match member:
        case PostgresMember():
            return postgres.capture(work, name, member, fixed)
        case MariadbMember():
            return mariadb.capture(work, name, member, fixed)
        case CommandMember():
            return command.capture(work, name, member, fixed)


def read_manifest(kind: MemberKind, path: Path) -> Contents:
    """What the manifest of a member of `kind` tells. Raises `ValueError` when it cannot be read."""
    match kind:
        case MemberKind.COMMAND:
            return command.read_manifest(path)
        case MemberKind.MARIADB:
            return mariadb.read_manifest(path)
        case _:
            return postgres.read_manifest(path)
