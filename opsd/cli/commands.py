"""The table of commands, and the parser that knows them all."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import shtab

from opsd.catalogue import Language, say
from opsd.cli import exit_codes
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.words import Parser


class Verb(Protocol):
    """What the file of a command holds: the arguments it takes, and what it does."""

    def add(self, parser: Parser) -> None:
        """Add the arguments."""
        ...

    def run(self, desk: Desk) -> Answer:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """A verb of the command line: the file of its name, and the help `help.<name>`.

    One `for_monitors` ends with Nagios' codes, whatever happens.
    """

    name: str
    for_monitors: bool = False

    @property
    def verb(self) -> Verb:
        """Its file, loaded when it is asked for: all of them take twice as long as most of them."""
        return cast("Verb", importlib.import_module(f"opsd.cli.{self.name}"))


COMMANDS: tuple[Command, ...] = (
    Command("run"),
    Command("backup"),
    Command("prove"),
    Command("points"),
    Command("restore"),
    Command("recover"),
    Command("retention"),
    Command("repository"),
    Command("hold"),
    Command("wal"),
    Command("audit"),
    Command("status"),
    Command("check", for_monitors=True),
    Command("checks"),
    Command("probe", for_monitors=True),
    Command("outages"),
    Command("maintenance"),
    Command("incident"),
    Command("oncall"),
    Command("replay"),
    Command("playbook"),
    Command("approve"),
    Command("automation"),
    Command("explain"),
    Command("host"),
    Command("config"),
    Command("store"),
    Command("doctor"),
    Command("version"),
    Command("completion"),
)
_NEEDS_ALL = "completion"


def named(name: str) -> Command:
    """The command of this name."""
    return next(command for command in COMMANDS if command.name == name)


def asked_for(arguments: Sequence[str]) -> tuple[Command, ...]:
    """The commands that a command line can mean: each of them stands in it by its whole name."""
    if _NEEDS_ALL in arguments:
        return COMMANDS
    return tuple(command for command in COMMANDS if command.name in arguments)


def build(language: Language, known: Sequence[Command] = COMMANDS) -> Parser:
    """The parser of the whole command line, in one language; `known` take arguments."""
    parser = Parser(
        language,
        prog="opsd",
        description=say(language, "help.opsd"),
        epilog=f"{_codes(language)}\n\n{say(language, 'help.more')}",
    )
    parser.set_defaults(json=False, quiet=False, debug=False, language=None, config=None)
    commands = parser.add_subparsers(
        title=say(language, "help.commands"),
        dest="command",
        required=True,
        metavar=say(language, "help.metavar.command"),
    )
    for command in COMMANDS:
        what = say(language, f"help.{command.name}")
        child = commands.add_parser(
            command.name,
            language=language,
            help=what,
            description=_sentence(what),
            epilog=_codes(language, for_monitors=command.for_monitors),
        )
        if command in known:
            command.verb.add(child)
        _add_common(child)
    _add_common(parser)
    return parser


def _add_common(parser: Parser) -> None:
    """Options that every command takes. They may stand before the verb too."""
    language = parser.language
    group = parser.add_argument_group(say(language, "help.common"))
    for option, key in (("--json", "json"), ("--quiet", "quiet"), ("--debug", "debug")):
        group.add_argument(
            option,
            action="store_true",
            default=argparse.SUPPRESS,
            help=say(language, f"help.{key}"),
        )
    group.add_argument(
        "--language",
        choices=[one.value for one in Language],
        default=argparse.SUPPRESS,
        help=say(language, "help.language"),
    )
    file = group.add_argument(
        "--config",
        metavar=say(language, "help.metavar.file"),
        default=argparse.SUPPRESS,
        help=say(language, "help.config_file"),
    )
    file.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab reads it


def _codes(language: Language, *, for_monitors: bool = False) -> str:
    table = exit_codes.statuses if for_monitors else exit_codes.table
    return f"{say(language, 'help.exit_codes')}:\n{table(language)}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
