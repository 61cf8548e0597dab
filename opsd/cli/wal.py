"""`opsd wal`: preparing a server so that its log is received, and what would be lost right now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import shtab

from opsd import assembly, record
from opsd.binlog import BaseCopy
from opsd.catalogue import say
from opsd.cli import exit_codes
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.ended import recorded
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.errors import DatabaseFailed, UsageError
from opsd.model import Closing, Finding, Status, Task, worst
from opsd.report import plain, text
from opsd.report import wal as report
from opsd.report.recover import bases as report_of_bases
from opsd.tasks.binlog import bases as binlog
from opsd.tasks.binlog import replaying
from opsd.tasks.binlog.stream import Stream, streams_of
from opsd.tasks.keys import rekey
from opsd.tasks.kit import Kit
from opsd.tasks.wal import setting_up
from opsd.tasks.wal.bases import every_base, take_base
from opsd.tasks.wal.log import Log, logs_of
from opsd.tasks.wal.planning import REPLAYED
from opsd.tasks.wal.recoverable import files_until, recoverable
from opsd.tasks.wal.replaying import replay
from opsd.wal import Base

_ACTIONS = ("setup", "status", "base", "bases", "replay", "rekey")


def add(parser: Parser) -> None:
    """What to do, with which set."""
    language = parser.language
    parser.add_argument("action", choices=_ACTIONS, help=say(language, "help.wal.action"))
    add_set(parser)
    parser.add_argument("--plan", action="store_true", help=say(language, "help.wal.plan"))
    old = parser.add_argument(
        "--old-password-file",
        metavar=say(language, "help.metavar.file"),
        help=say(language, "help.wal.old-password-file"),
    )
    old.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab reads it


def run(desk: Desk) -> Answer:
    """Prepare, or tell."""
    actions = {
        "setup": _setup,
        "status": _status,
        "base": _base,
        "bases": _bases,
        "replay": _replay,
        "rekey": _rekey,
    }
    return actions[desk.arguments.action](desk)


def _setup(desk: Desk) -> Answer:
    """Each statement is shown before any is done."""
    name = desk.arguments.set
    with desk.doors() as kit:
        found, streams = _of(kit, name)
        if not found:
            raise UsageError("wal.setup_mariadb", members=[one.subject for one in streams])
        plans = [setting_up.plan(log) for log in found]
        said = [
            report.planned(desk.voice, one.log.subject, one.changes, one.advice) for one in plans
        ]
        if not desk.arguments.plan:
            for one in plans:
                try:
                    setting_up.carry_out(one)
                except DatabaseFailed as error:
                    told = {"name": one.log.subject, "backup_set": name}
                    raise DatabaseFailed("wal.setup_failed", detail=error.detail, **told) from error
                said.append(
                    desk.voice.say("wal.plan_done", name=one.log.subject, count=len(one.changes))
                )
    body = {
        one.log.subject: {
            "statements": [change.statement for change in one.changes],
            "advice": [desk.voice.say(a.key, **a.fields) for a in one.advice],
            "commits_wait": one.ready,
        }
        for one in plans
    }
    return Answer(
        ExitCode.DONE, text.joined(*said), {"plan": body, "done": not desk.arguments.plan}
    )


def _status(desk: Desk) -> Answer:
    """As the daemon saw it a moment ago; what it does not see is unknown."""
    name, at = desk.arguments.set, now()
    with (
        desk.kit() as kit,
        closing(assembly.samples(desk.config)) as watch,
        closing(assembly.cases(desk.config)) as cases,
    ):
        found, streams = _of(kit, name)
        trees, files = kit.backup_set(name).trees, files_until(kit, name)
        known = recoverable(kit, name)
        members = {log.subject: log.name for log in found}
        subjects = [*members, *(stream.subject for stream in streams)]
        seen = watch.states()
        incidents = {incident.code: incident for incident in cases.incidents()}
    told, bodies = [], {}
    statuses: list[Status] = []
    for subject in subjects:
        states = report.of_log(seen, subject)
        status = worst(state.status for state in states)
        statuses.append(status)
        lost = report.losses(states, at, known[subject])
        said = report.status(desk.voice, states, incidents, at)
        free = report.server_free(states, members[subject], at) if subject in members else None
        room = report.room(desk.voice, free) if subject in members else ""
        told.append(text.joined(report.loss(desk.voice, subject, lost), room, said))
        bodies[subject] = {
            "status": status.word,
            "loss": lost,
            "server_free_bytes": free,
            "checks": [
                plain.check(desk.voice, state, incidents.get(state.incident)) for state in states
            ],
        }
    body: plain.Body = {"logs": bodies}
    if trees:
        gone = report.age(files, at)
        told.append(report.files(desk.voice, name, gone))
        body["loss"] = {"files": gone}
    good = worst(statuses) in {Status.OK, Status.WARNING}
    return Answer(ExitCode.DONE if good else ExitCode.FAILED, text.joined(*told), body)


def _of(kit: Kit, name: str) -> tuple[tuple[Log, ...], tuple[Stream, ...]]:
    """The logs of a set, of both kinds. Raises `UsageError` when it has none."""
    streams = streams_of(kit, name)
    if streams and not kit.backup_set(name).logged:
        return (), streams
    return logs_of(kit, name), streams


def _rekey(desk: Desk) -> Answer:
    """The keys of the log, from under the password that was, under the one that is configured."""
    if not desk.arguments.old_password_file:
        raise UsageError("usage.needs", name="rekey", other="--old-password-file")
    old = Path(desk.arguments.old_password_file).absolute()
    with desk.doors() as kit:
        found, streams = _of(kit, desk.arguments.set)
        keepers = [*(log.repositories for log in found), *(one.repositories for one in streams)]
        wanted = dict.fromkeys(chain.from_iterable(keepers))
        for repository in wanted:
            rekey(kit, repository, old)
    said = [desk.voice.say("wal.rekeyed", repository=repository) for repository in wanted]
    return Answer(ExitCode.DONE, text.joined(*said), {"repositories": list(wanted)})


def _base(desk: Desk) -> Answer:
    def work(kit: Kit, name: str) -> dict[str, Closing]:
        found, streams = _of(kit, name)
        taken = {log.subject: take_base(kit, log) for log in found}
        copied = {one.subject: binlog.take_base(kit, one) for one in streams}
        return taken | copied

    return _runs(desk, Task.BASE, work)


def _replay(desk: Desk) -> Answer:
    def work(kit: Kit, name: str) -> dict[str, Closing]:
        found, streams = _of(kit, name)
        played = {log.subject: replay(kit, log) for log in found}
        streamed = {one.subject: replaying.replay(kit, one) for one in streams}
        return played | streamed

    return _runs(desk, Task.REPLAY, work)


def _runs(desk: Desk, task: Task, work: Callable[[Kit, str], dict[str, Closing]]) -> Answer:
    """Do something for each log of a set, as runs of the history."""
    name = desk.arguments.set
    with desk.kit() as kit, recorded(kit, task, name):
        ended = work(kit, name)
        told = {one: kit.store.evidence(closing.run, REPLAYED) for one, closing in ended.items()}
    said = [
        text.joined(
            desk.voice.say(
                "base.done",
                name=subject,
                outcome=desk.voice.word("outcome", closing.outcome.value),
                elapsed=closing.elapsed,
            )
            + _replayed(desk, told[subject]),
            text.findings(desk.voice, closing.findings),
        )
        for subject, closing in ended.items()
    ]
    codes = [exit_codes.OF_OUTCOME[closing.outcome] for closing in ended.values()]
    bodies = {subject: plain.closing(desk.voice, one) for subject, one in ended.items()}
    return Answer(exit_codes.worst(*codes), text.joined(*said), {"runs": bodies})


def _replayed(desk: Desk, told: Mapping[str, Any] | None) -> str:
    """From which repository, until when, and how much was read there."""
    if told is None:
        return ""
    at = told["achieved"]
    fields = {
        "repository": told["repository"],
        "at": datetime.fromisoformat(at) if at else "-",
        "tables": told["tables"],
        "rows": told["rows"],
    }
    return "\n  " + desk.voice.say("replay.read", **fields)


def _bases(desk: Desk) -> Answer:
    with desk.doors() as kit:
        logs, streams = _of(kit, desk.arguments.set)
        found: list[tuple[str, Sequence[Base | BaseCopy], Sequence[Finding]]] = [
            *((log.subject, *every_base(log)) for log in logs),
            *((one.subject, *binlog.every_base(one)) for one in streams),
        ]
    said = [
        text.joined(subject, report_of_bases(desk.voice, bases), text.findings(desk.voice, wrong))
        for subject, bases, wrong in found
    ]
    bodies = {subject: [record.plain(base) for base in bases] for subject, bases, _ in found}
    wrong = any(findings for _, _, findings in found)
    return Answer(
        ExitCode.PARTIAL if wrong else ExitCode.DONE, text.joined(*said), {"bases": bodies}
    )
