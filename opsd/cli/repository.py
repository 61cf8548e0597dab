"""`opsd repository`: read what a set's repository holds again; what of it is damaged."""

from __future__ import annotations

from opsd import record
from opsd.catalogue import Size, say
from opsd.cli import exit_codes
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.ended import recorded
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.model import Task
from opsd.report import damage as report
from opsd.report import plain, text
from opsd.tasks.coverage import cover
from opsd.tasks.damage import survey

_ACTIONS = ("read", "damage")


def add(parser: Parser) -> None:
    """What to do, and whose repository it is."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.repository.action"))
    add_set(parser)


def run(desk: Desk) -> Answer:
    """Read a part of it again, or look whom its damage affects."""
    return {"read": _read, "damage": _damage}[desk.arguments.action](desk)


def _read(desk: Desk) -> Answer:
    name = desk.arguments.set
    with desk.kit() as kit, recorded(kit, Task.COVER, name):
        done = cover(kit, name)
        told = kit.store.evidence(done.closing.run, "coverage") or {}
        repository = kit.backup_set(name).repository
    said = desk.voice.say(
        "coverage.done",
        repository=repository,
        read=Size(told["read_bytes"]),
        count=told["read_objects"],
        oldest=done.covered.oldest,
    )
    return Answer(
        exit_codes.OF_OUTCOME[done.closing.outcome],
        text.joined(said, text.findings(desk.voice, done.closing.findings)),
        {**plain.closing(desk.voice, done.closing), **told, **record.plain(done.covered)},
    )


def _damage(desk: Desk) -> Answer:
    with desk.kit() as kit:
        found = survey(kit, desk.arguments.set)
    code = ExitCode.FAILED if found.objects else ExitCode.DONE
    return Answer(code, report.damage(desk.voice, found), report.plain(found))
