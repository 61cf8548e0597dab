"""`opsd prove`: restore a point elsewhere and compare it with what was backed up."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli import exit_codes
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.ended import recorded
from opsd.cli.words import Parser
from opsd.model import Task
from opsd.report import plain, text
from opsd.tasks.prove import Result, prove


def add(parser: Parser) -> None:
    """Which set, which point."""
    add_set(parser)
    parser.add_argument(
        "--point",
        metavar=say(parser.language, "help.metavar.point"),
        help=say(parser.language, "help.prove.point"),
    )


def run(desk: Desk) -> Answer:
    """Prove, and show what was compared."""
    name = desk.arguments.set
    with desk.kit() as kit, recorded(kit, Task.PROVE, name):
        return answer(desk, prove(kit, name, desk.arguments.point))


def answer(desk: Desk, result: Result) -> Answer:
    """A proof as an answer."""
    said = (result.closing, result.point, result.level, result.evidence)
    return Answer(
        exit_codes.OF_OUTCOME[result.closing.outcome],
        text.proof(desk.voice, *said),
        {"proof": plain.proof(desk.voice, *said)},
    )
