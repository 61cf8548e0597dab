"""What commands about the answering of incidents have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

from opsd import app, assembly
from opsd.cli.desk import Desk
from opsd.drivers import system
from opsd.errors import UsageError
from opsd.keeping import Word
from opsd.tasks.respond.hands import Reach
from opsd.tasks.respond.means import Means


@contextmanager
def means(desk: Desk) -> Iterator[Means]:
    """Everything that answers incidents; closed at the end."""
    with (
        desk.kit() as kit,
        closing(assembly.responses(kit.config)) as responses,
        closing(Reach(kit.config, kit.clock)) as reach,
    ):
        yield app.means(kit, responses, reach)


def word(desk: Desk, at: datetime, *, needed: bool = True) -> Word:
    """Who says it, and why. Nobody can speak for somebody else here.

    Raises `UsageError` where a reason is needed and there is none.
    """
    reason: str = desk.arguments.reason or ""
    if needed and not reason:
        raise UsageError("usage.needs", name=desk.arguments.command, other="--reason")
    return Word(at, system.person(), reason)
