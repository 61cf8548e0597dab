"""`opsd version`: what is running, and what it works with."""

from __future__ import annotations

import platform

from opsd import __version__
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.drivers import cluster, restic
from opsd.errors import OpsdError
from opsd.report import layout


def add(parser: Parser) -> None:
    """Nothing of its own."""
    del parser


def run(desk: Desk) -> Answer:
    """Versions; a program that is missing is told by `opsd doctor`, not here."""
    found = {
        "opsd": __version__,
        "python": platform.python_version(),
        "restic": _restic(desk),
        "postgresql": _postgresql(),
    }
    missing = say(desk.language, "report.none")
    text = layout.fields((name, version or missing) for name, version in found.items())
    return Answer(ExitCode.DONE, text, {"versions": found})


def _restic(desk: Desk) -> str | None:
    """The restic of the configuration, or the one on PATH where there is none."""
    try:
        program = desk.config.restic
    except OpsdError:
        program = "restic"
    try:
        return ".".join(map(str, restic.version(program)))
    except OpsdError:
        return None


def _postgresql() -> str | None:
    try:
        return str(cluster.newest())
    except OpsdError:
        return None
