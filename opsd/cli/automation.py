"""`opsd automation`: the off switch, and what rests until a person has looked."""

from __future__ import annotations

from opsd import record
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.answering import means, word
from opsd.cli.arguments import add_host
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.errors import UsageError
from opsd.report import respond as report
from opsd.tasks.respond import asking
from opsd.tasks.respond.means import Means

_ACTIONS = ("on", "off", "status", "reset")


def add(parser: Parser) -> None:
    """On or off, of which playbook, and why."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.automation.action"))
    parser.add_argument(
        "name",
        nargs="?",
        metavar=say(language, "help.metavar.playbook"),
        help=say(language, "help.automation.name"),
    )
    add_host(parser)
    parser.add_argument(
        "--reason",
        metavar=say(language, "help.metavar.text"),
        help=say(language, "help.reason"),
    )


def run(desk: Desk) -> Answer:
    """Turn the switch, close a breaker, or show how things stand."""
    with means(desk) as held:
        action = {"status": _status, "reset": _reset}.get(desk.arguments.action, _turn)
        return action(desk, held)


def _turn(desk: Desk, held: Means) -> Answer:
    on, name = desk.arguments.action == "on", desk.arguments.name or ""
    asking.turn(held, name, word(desk, held.now, needed=not on), on=on)
    key = f"automation.{'on' if on else 'off'}{'_one' if name else ''}"
    body = {"playbook": name, "on": on}
    return Answer(ExitCode.DONE, desk.voice.say(key, name=name), body)


def _reset(desk: Desk, held: Means) -> Answer:
    name = desk.arguments.name
    if not name:
        raise UsageError("usage.needs", name="automation reset", other="PLAYBOOK")
    place = desk.arguments.host or ""
    count = asking.reset(held, name, place, word(desk, held.now))
    said = desk.voice.say("automation.reset", name=name, count=count)
    return Answer(ExitCode.DONE, said, {"playbook": name, "host": place, "closed": count})


def _status(desk: Desk, held: Means) -> Answer:
    switches, breakers = held.responses.switches(), held.responses.breakers()
    enabled = held.kit.config.automation.enabled
    text = report.automation(desk.voice, list(switches.values()), breakers, enabled=enabled)
    body = {
        "enabled": enabled,
        "switches": [record.plain(one) for one in switches.values()],
        "breakers": [record.plain(one) for one in breakers],
    }
    return Answer(ExitCode.DONE, text, body)
