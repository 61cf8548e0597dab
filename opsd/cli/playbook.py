"""`opsd playbook`: what playbooks there are, what one would do, and doing it by hand."""

from __future__ import annotations

import shlex

from opsd import record
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.answering import means, word
from opsd.cli.arguments import add_host
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.playbook_lint import lint
from opsd.cli.words import Parser
from opsd.errors import UsageError
from opsd.model import CheckId
from opsd.playbook import Occasion, Playbook, occasion
from opsd.policy.plans import Planned
from opsd.report import respond as report
from opsd.response import Ending, Origin, Response, Vote, plain_plan
from opsd.tasks.respond import asking, planning
from opsd.tasks.respond.deciding import agreed, propose
from opsd.tasks.respond.means import Means
from opsd.tasks.respond.responding import begin

_ACTIONS = ("list", "show", "plan", "run", "lint")
_OPTIONS = (("incident", "id"), ("check", "check"), ("subject", "text"), ("cause", "text"))
CODES = {Ending.MENDED: ExitCode.DONE, Ending.UNKNOWN: ExitCode.COULD_NOT_VERIFY}


def add(parser: Parser) -> None:
    """Which playbook, and for what."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.playbook.action"))
    parser.add_argument(
        "name",
        nargs="?",
        metavar=say(language, "help.metavar.playbook"),
        help=say(language, "help.playbook.name"),
    )
    add_host(parser)
    for option, metavar in (*_OPTIONS, ("reason", "text")):
        parser.add_argument(
            f"--{option}",
            default="",
            metavar=say(language, f"help.metavar.{metavar}"),
            help=say(language, f"help.playbook.{option}" if option != "reason" else "help.reason"),
        )


def run(desk: Desk) -> Answer:
    """List them, show one, show what it would do, do it, or read the site's own."""
    if desk.arguments.action == "lint":
        return lint(desk)
    with means(desk) as held:
        if desk.arguments.action == "list":
            return _list(desk, held)
        return {"show": _show, "plan": _plan, "run": _run}[desk.arguments.action](desk, held)


def _list(desk: Desk, held: Means) -> Answer:
    body = {name: {"consent": one.terms.consent.value} for name, one in held.playbooks.items()}
    return Answer(ExitCode.DONE, report.shelf(desk.voice, held.playbooks), {"playbooks": body})


def _show(desk: Desk, held: Means) -> Answer:
    name = desk.arguments.name or ""
    terms = _named(held, name).terms
    return Answer(ExitCode.DONE, report.shown(desk.voice, name, terms), record.plain(terms))


def _plan(desk: Desk, held: Means) -> Answer:
    made = _planned(desk, held)
    live = planning.live(held, made.plan)
    body = {**_body(made), "live": [record.plain(one) for one in live]}
    code = ExitCode.REFUSED if made.refusals else ExitCode.DONE
    return Answer(code, report.planned(desk.voice, made, live), body)


def _run(desk: Desk, held: Means) -> Answer:
    spoken = word(desk, held.now)
    asking.insist(held, spoken.who)
    made = _planned(desk, held)
    if made.refusals or not made.plan.steps:
        code = ExitCode.REFUSED if made.refusals else ExitCode.FAILED
        return Answer(code, report.planned(desk.voice, made, ()), _body(made))
    response = propose(held, made, Origin.HAND, spoken.who)
    held.responses.vote(
        Vote(response.id, spoken.at, spoken.who, made.digest, agreed=True, reason=spoken.reason)
    )
    return carried_out(desk, held, response)


def carried_out(desk: Desk, held: Means, response: Response) -> Answer:
    """Begin what was agreed to, and tell how it ended; or say who must agree besides."""
    if not agreed(held, response):
        said = desk.voice.say("playbook.asked", id=response.id, expires=response.expires_at)
        return Answer(ExitCode.DONE, said, {"response": response.id, "ending": None})
    ending = begin(held, response)
    done = held.responses.response(response.id) or response
    text = report.response(desk.voice, done, held.responses.attempts(response.id))
    body = {"response": response.id, "ending": ending.value if ending else None}
    return Answer(CODES.get(ending, ExitCode.FAILED) if ending else ExitCode.LOCKED, text, body)


def _planned(desk: Desk, held: Means) -> Planned:
    name = desk.arguments.name or ""
    _named(held, name)
    return planning.planned(held, name, _occasion(desk, held), by_hand=True)


def _named(held: Means, name: str) -> Playbook:
    found = held.playbooks.get(name)
    if found is None:
        raise UsageError("usage.no_playbook", name=name or '""', known=sorted(held.playbooks))
    return found


def _occasion(desk: Desk, held: Means) -> Occasion:
    """The incident that is named, or what the options say."""
    asked = desk.arguments
    if asked.incident:
        for incident in held.responses.incidents():
            if incident.code == asked.incident:
                return occasion(incident)
        raise UsageError("usage.no_open_incident", name=asked.incident)
    return Occasion(
        "", CheckId(asked.host or "", asked.check, asked.subject), asked.cause, held.now
    )


def _body(made: Planned) -> dict[str, object]:
    return {
        "playbook": made.playbook,
        "occasion": record.plain(made.occasion),
        "plan": plain_plan(made.plan),
        "commands": [shlex.join(step.argv) for step in made.plan.steps if step.argv],
        "digest": made.digest,
        "refusals": [{"word": one.word, **record.plain_finding(one.said)} for one in made.refusals],
    }
