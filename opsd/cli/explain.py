"""`opsd explain`: in one screen, why a playbook ran or did not."""

from __future__ import annotations

from opsd import record
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.answering import means
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.report import explain as report
from opsd.tasks.respond.explaining import Story, explain


def add(parser: Parser) -> None:
    """Of which incident, or alert."""
    parser.add_argument(
        "name",
        metavar=say(parser.language, "help.metavar.incident"),
        help=say(parser.language, "help.explain.name"),
    )


def run(desk: Desk) -> Answer:
    """Everything that was decided and done, and what stands against it now."""
    with means(desk) as held:
        story = explain(held, desk.arguments.name)
    return Answer(ExitCode.DONE, _told(desk, story), _body(story))


def _told(desk: Desk, story: Story) -> str:
    return report.explained(
        desk.voice,
        (story.incident, story.playbook),
        story.decisions,
        [(one, votes, attempts) for one, votes, attempts in story.responses],
        (story.refusals, story.pages),
    )


def _body(story: Story) -> dict[str, object]:
    return {
        "incident": story.incident.code,
        "playbook": story.playbook,
        "decisions": [
            {
                "at": one.at.isoformat(),
                "playbook": one.playbook,
                "verdict": one.verdict.value,
                "words": list(one.words),
            }
            for one in story.decisions
        ],
        "responses": [
            {
                "id": one.id,
                "playbook": one.playbook,
                "ending": one.ending.value if one.ending else None,
                "votes": [record.plain(vote) for vote in votes],
                "steps": {
                    attempt.intent.step: attempt.end.fate.value if attempt.end else None
                    for attempt in attempts
                    if not attempt.intent.undoing
                },
            }
            for one, votes, attempts in story.responses
        ],
        "against": [one.word for one in story.refusals],
        "pages": [page.call.value for page in story.pages],
    }
