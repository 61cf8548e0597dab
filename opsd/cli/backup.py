"""`opsd backup`: take a recovery point now, and prove it."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli import exit_codes, prove
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.ended import Ended, recorded
from opsd.cli.trouble import expected
from opsd.cli.words import Parser
from opsd.config import ground
from opsd.model import Task
from opsd.report import plain, text
from opsd.tasks.backup import Result, back_up
from opsd.tasks.kit import Kit
from opsd.tasks.prove import prove as prove_point


def add(parser: Parser) -> None:
    """Which set, and whether to prove it at once."""
    add_set(parser)
    parser.add_argument(
        "--no-prove", action="store_true", help=say(parser.language, "help.no_prove")
    )


def run(desk: Desk) -> Answer:
    """Back up; where the configuration asks for it, prove what was taken."""
    name = desk.arguments.set
    ground.insist(desk.config)
    with desk.kit() as kit:
        with recorded(kit, Task.BACKUP, name):
            result = back_up(kit, name)
        taken = _answer(desk, kit, result)
        wanted = kit.backup_set(name).prove.after_backup and not desk.arguments.no_prove
        if result.point is None or not wanted:
            return taken
        return _with(taken, _prove(desk, kit, name, result.point.id))


def _answer(desk: Desk, kit: Kit, result: Result) -> Answer:
    name, closing, point = desk.arguments.set, result.closing, result.point
    phases = kit.store.evidence(closing.run, "phases")
    return Answer(
        exit_codes.OF_OUTCOME[closing.outcome],
        text.backup(desk.voice, name, closing, point, phases),
        {
            "backup": {
                **plain.closing(desk.voice, closing),
                "point": plain.point(point),
                "phases": dict(phases or {}),
            },
            "proof": None,
        },
    )


def _prove(desk: Desk, kit: Kit, name: str, point: str) -> Answer:
    """The proof as an answer; one that could not be made does not hide the backup."""
    try:
        with recorded(kit, Task.PROVE, name):
            return prove.answer(desk, prove_point(kit, name, point))
    except Ended as ended:
        return expected(ended.error, desk.language, desk, ended.code)


def _with(taken: Answer, proved: Answer) -> Answer:
    return Answer(
        exit_codes.worst(taken.code, proved.code),
        text.joined(taken.text, proved.text),
        {**taken.body, **proved.body},
        proved.complaint,
    )
