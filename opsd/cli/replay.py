"""`opsd replay`: alerts once more, from a file or from the history; shown, or really taken."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from opsd import assembly
from opsd.catalogue import say
from opsd.cli.answer import Answer
from opsd.cli.answering import means
from opsd.cli.arguments import span_of
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.config.webhook import Webhook
from opsd.drivers import system
from opsd.errors import UsageError
from opsd.people import Alert, Fate, Received
from opsd.playbook import Occasion
from opsd.policy import alerting
from opsd.policy.alerting import Malformed
from opsd.report import people
from opsd.store import Alerts, Way
from opsd.tasks.incidents import intake
from opsd.tasks.respond.planning import answering


def add(parser: Parser) -> None:
    """Which alerts, and whether anything follows."""
    language = parser.language
    parser.add_argument(
        "file",
        nargs="?",
        metavar=say(language, "help.metavar.file"),
        help=say(language, "help.replay.file"),
    )
    parser.add_argument(
        "--since",
        metavar=say(language, "help.metavar.span"),
        help=say(language, "help.replay.since"),
    )
    parser.add_argument("--dry-run", action="store_true", help=say(language, "help.replay.dry_run"))


def run(desk: Desk) -> Answer:
    """What becomes of each alert; of stored ones it is only shown."""
    arguments = desk.arguments
    if bool(arguments.file) == bool(arguments.since):
        raise UsageError("usage.one_of", names="FILE --since")
    keep = not arguments.dry_run
    way = Way.TAKE if keep else Way.ASK if arguments.file else Way.AGAIN
    if arguments.since and keep:
        raise UsageError("usage.needs", name="replay --since", other="--dry-run")
    with closing(assembly.alerts(desk.config)) as alerts:
        found = _of_file(desk) if arguments.file else _stored(alerts, span_of(arguments.since))
        if keep:
            told = {"file": Path(arguments.file).name, "alerts": len(found)}
            alerts.tell(now(), "replay", system.person(), told)
        received = intake.receive(alerts, desk.config, found, now, way)
    answers = {} if keep else _answers(desk, received)
    text = people.received(desk.voice, received, answers, keep=keep)
    body = [
        {**people.plain_alert(one), "playbook": answers.get(one.alert.fingerprint)}
        for one in received
    ]
    return Answer(ExitCode.DONE, text, {"alerts": body})


def _answers(desk: Desk, received: Sequence[Received]) -> dict[str, str]:
    """The playbook that would answer each alert that opens an incident, by its fingerprint."""
    sort = intake.sorting(desk.config)
    opened = [one.alert for one in received if one.fate is Fate.OPENED]
    with means(desk) as held:
        named = {
            one.fingerprint: answering(
                held,
                Occasion("", sort.subject(one), one.status.value, one.starts_at, one.labels),
            )
            for one in opened
        }
    return {fingerprint: name for fingerprint, name in named.items() if name}


def _of_file(desk: Desk) -> Sequence[Alert]:
    """The alerts of a file: a message as Alertmanager sends it, or one a line."""
    path = Path(desk.arguments.file)
    options = desk.config.webhook or Webhook()
    try:
        body = path.read_bytes()
    except OSError as error:
        raise UsageError("usage.unreadable", path=path, detail=str(error)) from error
    try:
        return alerting.read(body, options.max_alerts)
    except Malformed as error:
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) == 1:
            raise UsageError("usage.no_alerts", path=path, detail=str(error)) from error
    try:
        return [one for line in lines for one in alerting.read(line, options.max_alerts)]
    except Malformed as error:
        raise UsageError("usage.no_alerts", path=path, detail=str(error)) from error


def _stored(alerts: Alerts, span: timedelta) -> Sequence[Alert]:
    return [one.alert for one in alerts.alerts(now() - span)]
