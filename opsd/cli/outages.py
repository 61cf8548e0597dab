"""`opsd outages`: how long each service was out in a month, and why."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime

from opsd import assembly
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.arguments import month_of
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.policy import objective
from opsd.report import outages
from opsd.report.outages import Service
from opsd.store import Cases, Watch
from opsd.tasks.check.probing import about


def add(parser: Parser) -> None:
    """Which month."""
    parser.add_argument(
        "--month",
        metavar=say(parser.language, "help.metavar.month"),
        help=say(parser.language, "help.month"),
    )


def run(desk: Desk) -> Answer:
    """Every service that is probed, from the timeline of its answers."""
    at = now()
    first = month_of(desk.arguments.month, at.astimezone(desk.config.zone).date())
    with (
        closing(assembly.samples(desk.config)) as watch,
        closing(assembly.cases(desk.config)) as cases,
    ):
        services = [_service(desk, name, first, at, (watch, cases)) for name in desk.config.probes]
    month = f"{first:%m/%Y}" if desk.language == "vi" else f"{first:%Y-%m}"
    return Answer(
        ExitCode.DONE,
        outages.shown(desk.voice, month, services),
        {"month": f"{first:%Y-%m}", "services": outages.body(services)},
    )


def _service(
    desk: Desk, name: str, first: date, at: datetime, books: tuple[Watch, Cases]
) -> Service:
    watch, cases = books
    probe = desk.config.probes[name]
    one = about(name, probe)
    period = objective.month(first, desk.config.zone, at)
    since = min(period[0], at - objective.WINDOW)
    timeline = watch.stretches(one, since)
    windows = objective.covering(cases.maintenance(since), one)
    return Service(
        name,
        probe.title or "",
        probe.objective,
        objective.account(timeline, period, windows),
        objective.budget(timeline, probe.objective, at, windows),
        objective.burns(timeline, probe.objective, at, windows),
    )
