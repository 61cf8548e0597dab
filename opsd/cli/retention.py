"""`opsd retention`: which points stay and why; dropping the others; ending a freeze."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli import exit_codes
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set, add_word, word_of
from opsd.cli.desk import Desk
from opsd.cli.ended import recorded
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.model import Task
from opsd.report import keeping as report
from opsd.report import plain, text
from opsd.tasks import keeping
from opsd.tasks.retain import retain

_ACTIONS = ("plan", "run", "acknowledge")


def add(parser: Parser) -> None:
    """What to do, with which set."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.retention.action"))
    add_set(parser)
    add_word(parser)


def run(desk: Desk) -> Answer:
    """Look, drop, or acknowledge."""
    return {"plan": _plan, "run": _run, "acknowledge": _acknowledge}[desk.arguments.action](desk)


def _plan(desk: Desk) -> Answer:
    name = desk.arguments.set
    with desk.kit() as kit:
        found, now = keeping.plan(kit, name), kit.clock()
    body = {
        "points": [plain.fate(fate, now) for fate in found.fates],
        "freezes": [plain.freeze(desk.voice, one) for one in found.freezes],
        "obstacles": [
            {"cause": one.cause.value, "about": one.about, "text": desk.voice.finding(one.error)}
            for one in found.obstacles
        ],
        "refusal": desk.voice.finding(found.refusal) if found.refusal else None,
    }
    return Answer(ExitCode.DONE, report.planned(desk.voice, name, found), body)


def _run(desk: Desk) -> Answer:
    name = desk.arguments.set
    with desk.kit() as kit, recorded(kit, Task.RETAIN, name):
        done = retain(kit, name)
    closing, kept = done.closing, sum(fate.kept for fate in done.fates)
    said = desk.voice.say(
        "keeping.done",
        name=name,
        outcome=desk.voice.word("outcome", closing.outcome.value),
        kept=kept,
        dropped=len(done.fates) - kept,
    )
    return Answer(
        exit_codes.OF_OUTCOME[closing.outcome],
        text.joined(said, text.findings(desk.voice, closing.findings)),
        {
            **plain.closing(desk.voice, closing),
            "dropped": [fate.standing.point.id for fate in done.fates if not fate.kept],
            "kept": kept,
        },
    )


def _acknowledge(desk: Desk) -> Answer:
    name = desk.arguments.set
    with desk.kit() as kit:
        found = keeping.acknowledge(kit, name, word_of(desk, kit.clock()))
    return Answer(
        ExitCode.DONE,
        desk.voice.say("keeping.acknowledged", name=name, count=len(found)),
        {"acknowledged": [plain.freeze(desk.voice, one) for one in found]},
    )
