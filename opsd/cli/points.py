"""`opsd points`: what there is to go back to."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.errors import UsageError
from opsd.policy.standing import Standing
from opsd.report import plain, points, text
from opsd.tasks.shelf import points_in
from opsd.tasks.status import standings


def add(parser: Parser) -> None:
    """Which set, and from where."""
    add_set(parser, optional=True)
    parser.add_argument(
        "--repository",
        metavar=say(parser.language, "help.metavar.repository"),
        help=say(parser.language, "help.points.repository"),
    )


def run(desk: Desk) -> Answer:
    """The points of one set or of all."""
    if desk.arguments.repository:
        return _of_repository(desk)
    with desk.kit() as kit:
        now = kit.clock()
        names = [desk.arguments.set] if desk.arguments.set else list(kit.config.backup_sets)
        found = {name: standings(kit, name) for name in names}
    return Answer(
        ExitCode.DONE,
        text.joined(*(points.table(desk.voice, name, one, now) for name, one in found.items())),
        {"sets": {name: [plain.standing(s, now) for s in one] for name, one in found.items()}},
    )


def _of_repository(desk: Desk) -> Answer:
    """Straight from the repository: for the day on which the history is lost."""
    repository = desk.arguments.repository
    with desk.doors() as kit:
        if repository not in kit.config.repositories:
            known = sorted(kit.config.repositories)
            raise UsageError("usage.no_repository", name=repository, known=known)
        now = kit.clock()
        kit.reach(repository)
        listed = points_in(kit.restic(repository), desk.arguments.set or "")
    found = [Standing(point) for point in listed]
    return Answer(
        ExitCode.DONE,
        points.of_repository(desk.voice, repository, found, now),
        {"repository": repository, "points": [plain.standing(one, now) for one in found]},
    )
