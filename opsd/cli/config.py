"""`opsd config`: find every mistake, give editors the schema, make the line of a user."""

from __future__ import annotations

import json
import secrets
import sys
from datetime import timedelta
from getpass import getpass

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.config import ground, users
from opsd.config.editors import json_schema
from opsd.errors import UsageError
from opsd.policy import duty
from opsd.report import people

_SALT_BYTES = 16
_AHEAD = timedelta(days=28)


def add(parser: Parser) -> None:
    """What to do with it."""
    parser.add_argument(
        "action", choices=tuple(_ACTIONS), help=say(parser.language, "help.config.action")
    )
    parser.add_argument("name", nargs="?", help=say(parser.language, "help.config.name"))


def run(desk: Desk) -> Answer:
    """Do the one thing that is asked."""
    action = desk.arguments.action
    if desk.arguments.name is not None and action != "user":
        raise UsageError("usage.unrecognized", names=desk.arguments.name)
    return _ACTIONS[action](desk)


def _check(desk: Desk) -> Answer:
    """Raises `ConfigMistakes` with everything that is wrong."""
    config = desk.config
    ground.insist(config)
    counts = {"sets": len(config.backup_sets), "repositories": len(config.repositories)}
    text = say(desk.language, "config.fine", file=desk.config_path, **counts)
    holes = _holes(desk)
    body = {"file": str(desk.config_path), "mistakes": [], "gaps": len(holes), **counts}
    return Answer(ExitCode.DONE, "\n".join((text, *holes)), body)


def _holes(desk: Desk) -> list[str]:
    """Where the rota of the coming weeks is not whole: no mistake, but to be known in time."""
    oncall, at = desk.config.oncall, now()
    if oncall is None:
        return []
    found = duty.spans(oncall.rota, at, at + _AHEAD, desk.config.zone)
    return [people.hole(desk.voice, span) for span in duty.gaps(found)]


def _schema(_: Desk) -> Answer:
    schema = json_schema()
    return Answer(ExitCode.DONE, json.dumps(schema, ensure_ascii=False, indent=2), schema)


def _user(desk: Desk) -> Answer:
    """The line of a user; the password is asked, or is the first line of what is piped in."""
    name = desk.arguments.name
    if name is None:
        raise UsageError("usage.needs", name="config user", other="NAME")
    if not users.NAME.fullmatch(name):
        raise UsageError("usage.user_name", found=name)
    password = _asked(desk) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < users.LEAST:
        raise UsageError("usage.password_short", least=users.LEAST)
    line = users.entry(name, password, secrets.token_bytes(_SALT_BYTES))
    return Answer(ExitCode.DONE, line, {"user": name, "line": line})


def _asked(desk: Desk) -> str:
    first = getpass(say(desk.language, "web.password", least=users.LEAST))
    if first != getpass(say(desk.language, "web.again")):
        raise UsageError("usage.password_differs")
    return first


_ACTIONS = {"check": _check, "schema": _schema, "user": _user}
