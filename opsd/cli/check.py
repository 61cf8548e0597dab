"""`opsd check`: ask now, and answer as Nagios' plugins do, so that any monitor can call it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Final

from checks import CHECKS
from opsd import assembly
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_host, host_of
from opsd.cli.desk import Desk
from opsd.cli.words import Parser
from opsd.errors import UsageError
from opsd.model import CheckId, worst
from opsd.report import checks, plain
from opsd.tasks.check import own, rooms
from opsd.tasks.check.gather import Hands
from opsd.tasks.check.look import Found, look
from opsd.tasks.check.notebook import Answers
from opsd.tasks.check.watching import posted_of
from opsd.tasks.kit import Kit

# What opsd asks itself.
_OWN: Final = {
    own.BACKUP: own.backups,
    rooms.REPOSITORY: rooms.repositories,
    rooms.STATE: rooms.state,
}


def add(parser: Parser) -> None:
    """Which check, and of which host."""
    language = parser.language
    parser.add_argument(
        "name",
        nargs="?",
        metavar=say(language, "help.metavar.check"),
        help=say(language, "help.check.name"),
    )
    add_host(parser)


def run(desk: Desk) -> Answer:
    """What the checks answer now; the exit code is the gravest status."""
    name, host = desk.arguments.name, host_of(desk)
    known = sorted({*CHECKS, *_OWN})
    if name is not None and name not in known:
        raise UsageError("usage.no_check", name=name, known=known)
    with desk.kit() as kit:
        found = list(_all(kit, name, host))
    status = worst(result.status for _, result in found)
    body = {
        "status": status.word,
        "checks": [plain.answer(desk.voice, one, result) for one, result in found],
    }
    return Answer(status, checks.answered(desk.voice, found), body)


def _all(kit: Kit, name: str | None, host: str | None) -> Iterator[Found]:
    for check, ask in _OWN.items():
        if host is None and name in {None, check}:
            yield from _asked(ask(kit))
    if name in _OWN:
        return
    hands = Hands(kit.clock, kit.stop)
    with closing(assembly.samples(kit.config)) as watch, closing(hands):
        for one, options in kit.config.hosts.items():
            if host in {None, one}:
                posted = posted_of(kit.config, one, CHECKS, name)
                yield from look(one, posted, hands.ask(one, options), watch)


def _asked(answers: Answers) -> Iterator[Found]:
    for result in answers.results:
        yield CheckId(answers.host, answers.check, result.subject), result
