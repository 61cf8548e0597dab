"""`opsd store`: the history is not precious; it can be had again from the repositories."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.report import plain, text
from opsd.tasks.rebuild import rebuild

_ACTIONS = ("rebuild",)


def add(parser: Parser) -> None:
    """What to do with it."""
    parser.add_argument("action", choices=_ACTIONS, help=say(parser.language, "help.store.action"))


def run(desk: Desk) -> Answer:
    """Add what the repositories know and the history does not."""
    with desk.kit() as kit:
        found = rebuild(kit)
    counts = {"points": found.points, "proofs": found.proofs}
    said = say(desk.language, "store.rebuilt", **counts)
    return Answer(
        ExitCode.PARTIAL if found.findings else ExitCode.DONE,
        text.joined(said, text.findings(desk.voice, found.findings)),
        {**counts, "findings": plain.findings(desk.voice, found.findings)},
    )
