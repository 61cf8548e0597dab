"""The table of commands, and the parser that knows them all."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import shtab

from opsd.catalogue import Language, say
from opsd.cli import (
    approve,
    audit,
    automation,
    backup,
    check,
    checks,
    completion,
    config,
    doctor,
    exit_codes,
    explain,
    hold,
    host,
    incident,
    maintenance,
    oncall,
    outages,
    playbook,
    points,
    probe,
    prove,
    recover,
    replay,
    restore,
    retention,
    run,
    status,
    store,
    version,
    wal,
)
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.words import Parser


@dataclass(frozen=True, slots=True)
class Command:
    """A verb: the arguments it takes, and what it does. Its help is `help.<name>`.

    One `for_monitors` ends with Nagios' codes, whatever happens.
    """

    name: str
    add: Callable[[Parser], None]
    run: Callable[[Desk], Answer]
    for_monitors: bool = False


COMMANDS: tuple[Command, ...] = (
    Command("run", run.add, run.run),
    Command("backup", backup.add, backup.run),
    Command("prove", prove.add, prove.run),
    Command("points", points.add, points.run),
    Command("restore", restore.add, restore.run),
    Command("recover", recover.add, recover.run),
    Command("retention", retention.add, retention.run),
    Command("hold", hold.add, hold.run),
    Command("wal", wal.add, wal.run),
    Command("audit", audit.add, audit.run),
    Command("status", status.add, status.run),
    Command("check", check.add, check.run, for_monitors=True),
    Command("checks", checks.add, checks.run),
    Command("probe", probe.add, probe.run, for_monitors=True),
    Command("outages", outages.add, outages.run),
    Command("maintenance", maintenance.add, maintenance.run),
    Command("incident", incident.add, incident.run),
    Command("oncall", oncall.add, oncall.run),
    Command("replay", replay.add, replay.run),
    Command("playbook", playbook.add, playbook.run),
    Command("approve", approve.add, approve.run),
    Command("automation", automation.add, automation.run),
    Command("explain", explain.add, explain.run),
    Command("host", host.add, host.run),
    Command("config", config.add, config.run),
    Command("store", store.add, store.run),
    Command("doctor", doctor.add, doctor.run),
    Command("version", version.add, version.run),
    Command("completion", completion.add, completion.run),
)


def named(name: str) -> Command:
    """The command of this name."""
    return next(command for command in COMMANDS if command.name == name)


def build(language: Language) -> Parser:
    """The parser of the whole command line, in one language."""
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
        command.add(child)
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
