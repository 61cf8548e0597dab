"""`opsd approve`: yes or no to a plan that waits for it."""

from __future__ import annotations

from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.answering import means, word
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.report import respond as report
from opsd.report.text import joined
from opsd.tasks.respond import asking, planning
from opsd.tasks.respond.deciding import agreed


def add(parser: Parser) -> None:
    """Which response, and whether it is a no."""
    language = parser.language
    parser.add_argument(
        "id",
        metavar=say(language, "help.metavar.id"),
        help=say(language, "help.approve.id"),
    )
    for option in ("deny", "show"):
        parser.add_argument(
            f"--{option}", action="store_true", help=say(language, f"help.approve.{option}")
        )
    parser.add_argument(
        "--reason",
        metavar=say(language, "help.metavar.text"),
        help=say(language, "help.reason"),
    )


def run(desk: Desk) -> Answer:
    """Show the plan that was proposed, or say yes or no to it."""
    with means(desk) as held:
        made = asking.found(held, desk.arguments.id)
        if desk.arguments.show:
            shown = "\n".join(
                report.steps(desk.voice, made.plan.steps, planning.live(held, made.plan))
            )
            said = report.findings(desk.voice, made.plan.diagnosis)
            digest = desk.voice.say("respond.digest", digest=made.digest)
            told = {"response": made.id, "digest": made.digest}
            return Answer(ExitCode.DONE, joined(said, shown, digest), told)
        deny = desk.arguments.deny
        spoken = word(desk, held.now, needed=deny)
        asking.vote(held, made.id, spoken, agreed=not deny)
        enough = agreed(held, made)
    key = "approve.denied" if deny else ("approve.done" if enough else "approve.one_more")
    said = desk.voice.say(key, id=made.id, name=made.playbook, who=spoken.who)
    body = {"response": made.id, "agreed": not deny, "enough": enough and not deny}
    return Answer(ExitCode.DONE, said, body)
