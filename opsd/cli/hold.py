"""`opsd hold`: points that must stay, whatever the rules say, with a reason and a name."""

from __future__ import annotations

from opsd import record
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_word, word_of
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.errors import OpsdError, UsageError
from opsd.report import keeping as report
from opsd.report import text
from opsd.tasks import holding, keeping
from opsd.tasks.kit import Kit

_ACTIONS = ("add", "list", "release")


def add(parser: Parser) -> None:
    """What to do, and with what."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.hold.action"))
    parser.add_argument(
        "subject",
        nargs="?",
        metavar=say(language, "help.metavar.subject"),
        help=say(language, "help.hold.subject"),
    )
    parser.add_argument(
        "--point",
        default="",
        metavar=say(language, "help.metavar.point"),
        help=say(language, "help.hold.point"),
    )
    add_word(parser)


def run(desk: Desk) -> Answer:
    """Set a hold, show them, or end one."""
    return {"add": _add, "list": _list, "release": _release}[desk.arguments.action](desk)


def _add(desk: Desk) -> Answer:
    name = _subject(desk, "SET")
    with desk.kit() as kit:
        made = keeping.hold(kit, name, desk.arguments.point, word_of(desk, kit.clock()))
        kept = _kept(kit, name)
    said = desk.voice.say("hold.added", id=made.id, scope=report.scope(desk.voice, made))
    body = {**record.plain(made), "kept": kept is None}
    return Answer(ExitCode.DONE, text.joined(said, _unkept(desk, kept)), body)


def _list(desk: Desk) -> Answer:
    with desk.kit() as kit:
        if desk.arguments.subject:
            kit.backup_set(desk.arguments.subject)
        names = [desk.arguments.subject] if desk.arguments.subject else kit.config.backup_sets
        found = [hold for name in names for hold in kit.store.holds(name)]
    body = {"holds": [record.plain(hold) for hold in found]}
    return Answer(ExitCode.DONE, report.holds(desk.voice, found), body)


def _release(desk: Desk) -> Answer:
    hold_id = _subject(desk, "ID")
    with desk.kit() as kit:
        found = keeping.release(kit, hold_id, word_of(desk, kit.clock()))
        kept = _kept(kit, found.backup_set)
    said = desk.voice.say("hold.released", id=hold_id)
    body = {"id": hold_id, "kept": kept is None}
    return Answer(ExitCode.DONE, text.joined(said, _unkept(desk, kept)), body)


def _kept(kit: Kit, name: str) -> OpsdError | None:
    """Put it into the repository as well; why that was not possible now."""
    try:
        holding.keep(kit, name)
    except OpsdError as error:
        return error
    return None


def _unkept(desk: Desk, error: OpsdError | None) -> str:
    return f"{desk.voice.say('hold.unkept')}\n{desk.voice.finding(error)}" if error else ""


def _subject(desk: Desk, what: str) -> str:
    found: str | None = desk.arguments.subject
    if not found:
        raise UsageError("usage.needs", name=f"hold {desk.arguments.action}", other=what)
    return found
