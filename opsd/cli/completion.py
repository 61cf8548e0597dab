"""`opsd completion`: what makes a shell finish words."""

from __future__ import annotations

import shtab

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser

SHELLS = ("bash", "zsh", "tcsh")


def add(parser: Parser) -> None:
    """Which shell."""
    parser.add_argument("shell", choices=SHELLS, help=say(parser.language, "help.completion.shell"))


def run(desk: Desk) -> Answer:
    """The completion script of the whole command line."""
    shell = desk.arguments.shell
    script = shtab.complete(desk.parser, shell)
    return Answer(ExitCode.DONE, script.rstrip("\n"), {"shell": shell, "script": script})
