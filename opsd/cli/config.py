"""`opsd config`: find every mistake, or give editors the schema."""

from __future__ import annotations

import json

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.config import ground
from opsd.config.editors import json_schema

_ACTIONS = ("check", "schema")


def add(parser: Parser) -> None:
    """What to do with it."""
    parser.add_argument("action", choices=_ACTIONS, help=say(parser.language, "help.config.action"))


def run(desk: Desk) -> Answer:
    """Check, or print the schema."""
    return _check(desk) if desk.arguments.action == "check" else _schema()


def _check(desk: Desk) -> Answer:
    """Raises `ConfigMistakes` with everything that is wrong."""
    config = desk.config
    ground.insist(config)
    counts = {"sets": len(config.backup_sets), "repositories": len(config.repositories)}
    text = say(desk.language, "config.fine", file=desk.config_path, **counts)
    return Answer(ExitCode.DONE, text, {"file": str(desk.config_path), "mistakes": [], **counts})


def _schema() -> Answer:
    schema = json_schema()
    return Answer(ExitCode.DONE, json.dumps(schema, ensure_ascii=False, indent=2), schema)
