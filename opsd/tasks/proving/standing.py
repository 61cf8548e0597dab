"""A dumped member as it stands restored in a throwaway place, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

from opsd.manifest import Named
from opsd.model import MemberKind, MemberSnapshot
from opsd.tasks.proving import command, database, mariadb
from opsd.tasks.proving.bench import Bench


class Standing(Protocol):
    """What a proof asks of it, in this order."""

    def compare(self) -> None:
        """Hold it against its manifest and the invariants; findings go to the journal."""
        ...

    def finish(self) -> None:
        """Damage something of it: is that seen? Nothing is asked of it afterwards."""
        ...


@runtime_checkable
class Answering(Standing, Protocol):
    """One that answers SQL besides."""

    @property
    def at(self) -> datetime:
        """The moment that its data is from."""
        ...

    def named_files(self, query: str) -> AbstractContextManager[Iterator[Named]]:
        """The files that `query` names, in the byte order of their paths."""
        ...


def restored(bench: Bench, member: MemberSnapshot) -> AbstractContextManager[Standing]:
    """The member as restored, in a place that ends with the block."""
    match member.kind:
        case MemberKind.COMMAND:
            return command.restored(bench, member)
        case MemberKind.MARIADB:
            return mariadb.restored(bench, member)
        case _:
            return database.restored(bench, member)
