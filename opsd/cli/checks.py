"""`opsd checks`: what is watched, and how it is."""

from __future__ import annotations

from contextlib import closing

from opsd import assembly
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_host, host_of
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.model import Status
from opsd.report import checks, plain


def add(parser: Parser) -> None:
    """Of which host, and whether all."""
    add_host(parser)
    parser.add_argument("--bad", action="store_true", help=say(parser.language, "help.bad"))


def run(desk: Desk) -> Answer:
    """The newest state of every check, as the daemon left it."""
    host = host_of(desk)
    with (
        closing(assembly.samples(desk.config)) as watch,
        closing(assembly.cases(desk.config)) as cases,
    ):
        incidents = {incident.code: incident for incident in cases.incidents()}
        states = [state for state in watch.states() if host in {None, state.id.host}]
    bad = [state for state in states if state.status is not Status.OK]
    shown = bad if desk.arguments.bad else states
    text = checks.listed(desk.voice, shown, incidents, now())
    if states and not bad and desk.arguments.bad:
        text = say(desk.language, "checks.all_good", count=len(states))
    told = [plain.check(desk.voice, s, incidents.get(s.incident)) for s in shown]
    return Answer(ExitCode.DONE, text, {"checks": told})
