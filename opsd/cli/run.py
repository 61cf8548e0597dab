"""`opsd run`: stay, and work by schedule. What it does is the daemon's."""

from __future__ import annotations

from opsd import daemon
from opsd.catalogue import Language
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser


def add(parser: Parser) -> None:
    """Nothing of its own."""
    del parser


def run(desk: Desk) -> Answer:
    """Until a signal ends it. Its language is the configuration's unless one is asked for."""
    asked = desk.arguments.language
    daemon.run(desk.config_path, Language(asked) if asked else None)
    return Answer(ExitCode.DONE, "", {"ended": True})
