"""`opsd oncall`: who is on duty now, who comes next, and when nobody is."""

from __future__ import annotations

from datetime import timedelta

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.arguments import span_of
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.policy import duty
from opsd.report import people

_AHEAD = timedelta(days=28)


def add(parser: Parser) -> None:
    """How far ahead."""
    parser.add_argument(
        "--for",
        dest="span",
        metavar=say(parser.language, "help.metavar.span"),
        help=say(parser.language, "help.oncall.for"),
    )


def run(desk: Desk) -> Answer:
    """The rota from now on; holes are told apart."""
    config = desk.config
    if config.oncall is None:
        return Answer(ExitCode.DONE, say(desk.language, "oncall.none"), {"oncall": None})
    at = now()
    ahead = span_of(desk.arguments.span) if desk.arguments.span else _AHEAD
    found = duty.spans(config.oncall.rota, at, at + ahead, config.zone)
    return Answer(
        ExitCode.DONE,
        people.rota(desk.voice, config.oncall, found),
        people.plain_rota(found),
    )
