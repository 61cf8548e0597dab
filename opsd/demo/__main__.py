"""`python -m opsd.demo`: make, run, change and remove the dossier system of the demo."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from opsd import catalogue
from opsd.demo import protect, story
from opsd.demo.dataset import Scale
from opsd.demo.front import Front
from opsd.demo.stage import SYSTEM, clear
from opsd.demo.system import DossierSystem
from opsd.errors import OpsdError

_POLL_SECONDS = 0.5
_INTERRUPTED = 128 + signal.SIGINT
_DEFAULT = Path("/var/tmp") / f"opsd-demo-{os.geteuid()}"  # noqa: S108  (refused unless ours)

_SCALE = {
    "dossiers": "how many dossiers",
    "seed": "which of all possible systems",
    "attachments_per_dossier": "scans of a dossier, on average",
    "mean_scan_bytes": "size of a scan in bytes, on average",
    "receipt_bytes": "bytes that each dossier keeps in the database besides",
    "history_days": "days over which the dossiers came in",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code is 0, 1 for a failure told on stderr, or 130."""
    asked = _parser().parse_args(argv)
    try:
        _COMMANDS[asked.command](asked)
    except OpsdError as error:
        print(error.text(asked.language), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(catalogue.say(asked.language, "demo.interrupted"), file=sys.stderr)
        return _INTERRUPTED
    return 0


def _create(asked: argparse.Namespace) -> None:
    scale = Scale(**{name: getattr(asked, name) for name in _SCALE})
    DossierSystem(asked.directory / SYSTEM, scale).create()
    _say(asked, "demo.made", directory=asked.directory, dossiers=scale.dossiers)


def _start(asked: argparse.Namespace) -> None:
    system = DossierSystem.at(asked.directory / SYSTEM)
    system.start()
    try:
        _say(asked, "demo.database_runs", connection=system.connection)
        _wait(system)
    finally:
        system.stop()


def _serve(asked: argparse.Namespace) -> None:
    system = DossierSystem.at(asked.directory / SYSTEM)
    front = Front(system)
    system.start()
    try:
        front.start(asked.port)
        _say(asked, "demo.serves", address=f"{front.address}/dang-nhap")
        _wait(system)
    finally:
        front.stop()
        system.stop()


def _day(asked: argparse.Namespace) -> None:
    system = DossierSystem.at(asked.directory / SYSTEM)
    runs = system.answers
    if not runs:
        system.start()
    try:
        day = system.let_a_day_pass(asked.day or system.next_day(), asked.share)
    finally:
        system.stop()
    fields = {"arrived": day.arrived, "changed": day.changed, "replaced": day.replaced}
    _say(asked, "demo.day_passed", day=day.number, **fields)


def _clean(asked: argparse.Namespace) -> None:
    clear(asked.directory / protect.PLACE, protect.OWN)
    clear(asked.directory, story.OWN)
    _say(asked, "demo.removed", directory=asked.directory)


def _run(asked: argparse.Namespace) -> None:
    story.tell(asked.directory, Scale(dossiers=asked.dossiers), asked.language)


def _protect(asked: argparse.Namespace) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what runs is ended in order
    protect.tell(asked.directory, asked.language)


_COMMANDS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "run": _run,
    "protect": _protect,
    "create": _create,
    "start": _start,
    "serve": _serve,
    "day": _day,
    "clean": _clean,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="opsd.demo", description=__doc__)
    _add_common(parser, _DEFAULT, catalogue.Language.VI)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run", help="the whole story: protect it, prove it, burn it, restore it"
    )
    run.add_argument("--dossiers", type=int, default=1000, help="how many (%(default)s)")
    _add_common(run, argparse.SUPPRESS)
    protected = commands.add_parser(
        "protect", help="another story: the database's log is kept, so that nothing is lost"
    )
    _add_common(protected, argparse.SUPPRESS)
    create = commands.add_parser("create", help="make the system; nothing happens when it exists")
    for name, meaning in _SCALE.items():
        option = f"--{name.replace('_', '-')}"
        default = getattr(Scale(), name)
        create.add_argument(option, type=int, default=default, help=f"{meaning} ({default})")
    commands.add_parser("start", help="run the database until Ctrl-C")
    serve = commands.add_parser("serve", help="run the database and the web front until Ctrl-C")
    serve.add_argument("--port", type=int, default=0, help="default: a free one")
    day = commands.add_parser("day", help="let a day of the office pass")
    day.add_argument("day", type=int, nargs="?", help="its number; default: the next")
    day.add_argument("--share", type=float, default=0.01, help="of the dossiers (%(default)s)")
    commands.add_parser("clean", help="stop the system and remove its directory")
    return parser


def _add_common(
    parser: argparse.ArgumentParser, directory: object, language: object = argparse.SUPPRESS
) -> None:
    """Where, and in which language; `run` and `protect` take them behind them too."""
    where = f"default: {_DEFAULT}"
    parser.add_argument("--directory", type=Path, default=directory, help=where)
    parser.add_argument("--language", type=catalogue.Language, default=language)


def _wait(system: DossierSystem) -> None:
    """Wait until a person or a shutdown ends us, or until the database ends."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    while system.cluster.alive and not told.wait(_POLL_SECONDS):
        pass


def _say(asked: argparse.Namespace, key: str, **fields: object) -> None:
    print(catalogue.say(asked.language, key, **fields), flush=True)


if __name__ == "__main__":
    sys.exit(main())
