"""`opsd incident resume`: go on behind a response that was cut off, by a person's word."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.answering import means, word
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.playbook import carried_out
from opsd.cli.words import Parser
from opsd.errors import UsageError
from opsd.tasks.respond import asking
from opsd.tasks.respond.recovering import settle


def add(parser: Parser) -> None:
    """What became of the steps of which nobody knows."""
    language = parser.language
    for option in ("was-done", "again"):
        parser.add_argument(
            f"--{option}",
            action="append",
            default=[],
            metavar=say(language, "help.metavar.step"),
            help=say(language, f"help.resume.{option}"),
        )
    parser.add_argument(
        "--reason", metavar=say(language, "help.metavar.text"), help=say(language, "help.reason")
    )


def resume(desk: Desk) -> Answer:
    """Do what is left, or ask what became of what nobody knows."""
    asked = desk.arguments
    if not asked.code:
        raise UsageError("usage.needs", name="incident resume", other="ID")
    with means(desk) as held:
        settle(held)
        spoken = word(desk, held.now)
        made = asking.resume(held, asked.code, spoken, asked.was_done, asked.again)
        if made is None:
            said = desk.voice.say("resume.nothing_left", name=asked.code)
            return Answer(ExitCode.DONE, said, {"response": None})
        return carried_out(desk, held, made)
