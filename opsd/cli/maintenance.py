"""`opsd maintenance`: a time in which faults are expected, with a reason and an end."""

from __future__ import annotations

import secrets
from contextlib import closing
from datetime import timedelta

from opsd import assembly
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_host, host_of, span_of
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.drivers import system
from opsd.errors import UsageError
from opsd.model import Maintenance
from opsd.report import checks, plain
from opsd.store import Cases

_ACTIONS = ("start", "end", "list")
_SHOWN = timedelta(days=30)


def add(parser: Parser) -> None:
    """What to do, where, how long and why."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.maintenance.action"))
    parser.add_argument(
        "id",
        nargs="?",
        metavar=say(language, "help.metavar.id"),
        help=say(language, "help.maintenance.id"),
    )
    add_host(parser)
    for option, metavar in (("check", "check"), ("for", "span"), ("reason", "text")):
        parser.add_argument(
            f"--{option}",
            metavar=say(language, f"help.metavar.{metavar}"),
            help=say(language, f"help.maintenance.{option}"),
        )


def run(desk: Desk) -> Answer:
    """Note it, end it, or show what there is."""
    actions = {"start": _start, "end": _end, "list": _list}
    with closing(assembly.cases(desk.config)) as cases:
        return actions[desk.arguments.action](desk, cases)


def _start(desk: Desk, cases: Cases) -> Answer:
    asked = vars(desk.arguments)
    for option in ("for", "reason"):
        if not asked[option]:
            raise UsageError("usage.needs", name="maintenance start", other=f"--{option}")
    at = now()
    window = Maintenance(
        id=f"{at:%Y%m%d}-{secrets.token_hex(2)}",
        began=at,
        ends=at + span_of(asked["for"]),
        reason=asked["reason"],
        who=system.user(),
        host=host_of(desk) or "",
        check=asked["check"] or "",
    )
    cases.start_maintenance(window)
    said = desk.voice.say(
        "maintenance.started",
        id=window.id,
        scope=checks.scope(desk.voice, window),
        ends=window.ends,
    )
    return Answer(ExitCode.DONE, said, plain.maintenance(window))


def _end(desk: Desk, cases: Cases) -> Answer:
    at, name = now(), desk.arguments.id
    if not name:
        raise UsageError("usage.needs", name="maintenance end", other="ID")
    if name not in {window.id for window in cases.maintenance(at) if window.ended_at is None}:
        raise UsageError("usage.no_maintenance", name=name)
    cases.end_maintenance(name, at, system.user())
    return Answer(ExitCode.DONE, desk.voice.say("maintenance.ended", id=name), {"id": name})


def _list(desk: Desk, cases: Cases) -> Answer:
    found = cases.maintenance(now() - _SHOWN)
    body = {"maintenance": [plain.maintenance(window) for window in found]}
    return Answer(ExitCode.DONE, checks.windows(desk.voice, found), body)
