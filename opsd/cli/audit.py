"""`opsd audit`: who decided what, and whether that is still what was written."""

from __future__ import annotations

from opsd import record
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.report import keeping as report
from opsd.report import plain, text
from opsd.tasks import audit

_ACTIONS = ("list", "verify")


def add(parser: Parser) -> None:
    """Show it or verify it."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.audit.action"))


def run(desk: Desk) -> Answer:
    """The lines, or whether they are whole."""
    return {"list": _list, "verify": _verify}[desk.arguments.action](desk)


def _list(desk: Desk) -> Answer:
    with desk.kit() as kit:
        found = kit.store.lines()
    body = {"lines": [record.plain(line) for line in found]}
    return Answer(ExitCode.DONE, report.lines(desk.voice, found), body)


def _verify(desk: Desk) -> Answer:
    with desk.kit() as kit:
        found = audit.verify(kit, kit.config.backup_sets)
    breach, voice = found.breach, desk.voice
    if breach is not None:
        code, said = ExitCode.FAILED, voice.say(breach.key, **breach.fields)
    else:
        code = ExitCode.COULD_NOT_VERIFY if found.unseen else ExitCode.DONE
        said = voice.say("audit.whole", count=found.lines)
    body = {
        "lines": found.lines,
        "whole": breach is None,
        "breach": {"how": breach.key, **breach.fields} if breach else None,
        "unseen": plain.findings(voice, found.unseen),
    }
    return Answer(code, text.joined(said, text.findings(voice, found.unseen)), body)
