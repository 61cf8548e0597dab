"""`opsd recover`: a database as it was at any moment, from a base copy and its log."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import shtab

from opsd.catalogue import Size, say
from opsd.cli import moments
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.errors import UsageError
from opsd.model import Finding, RecoveryPoint, Severity
from opsd.report import plain, text
from opsd.report import recover as report
from opsd.tasks.kit import Kit
from opsd.tasks.wal import dropping, recovering
from opsd.tasks.wal.bases import DATA
from opsd.tasks.wal.log import Log, logs_of
from opsd.tasks.wal.recovering import Goal, Planned, Recovered, Ways
from opsd.wal import is_position, position, written


def add(parser: Parser) -> None:
    """Of which set, to which moment, where."""
    language = parser.language
    add_set(parser)
    parser.add_argument(
        "--to",
        nargs="+",
        required=True,
        metavar=say(language, "help.metavar.goal"),
        help=say(language, "help.recover.to"),
    )
    target = parser.add_argument(
        "--target",
        required=True,
        metavar=say(language, "help.metavar.directory"),
        help=say(language, "help.recover.target"),
    )
    target.complete = shtab.DIR  # type: ignore[attr-defined]  # shtab reads it
    parser.add_argument(
        "--member",
        metavar=say(language, "help.metavar.member"),
        help=say(language, "help.recover.member"),
    )
    for flag in ("plan", "pause"):
        parser.add_argument(
            f"--{flag}", action="store_true", help=say(language, f"help.recover.{flag}")
        )


def run(desk: Desk) -> Answer:
    """Plan, carry out, tell; `--plan` stops after the plan."""
    target = Path(desk.arguments.target).absolute()
    with desk.doors() if desk.arguments.plan else desk.kit() as kit:
        log = _log(desk, kit)
        goal = _goal(desk, kit, log, target)
        ways = Ways(promote=not desk.arguments.pause)
        planned = recovering.plan(log, goal, target, ways)
        told = report.plan(desk.voice, log.subject, _facts(desk, planned), planned.findings)
        if desk.arguments.plan:
            return Answer(ExitCode.DONE, told, {"plan": _body(planned), "recovered": None})
        done = recovering.recorded(kit, planned, ways)
        files = recovering.fitting_files(kit, done)
    return _answer(desk, told, done, files)


def _answer(desk: Desk, told: str, done: Recovered, files: RecoveryPoint | None) -> Answer:
    planned, replay = done.planned, done.replay
    span = timedelta(seconds=sum(done.seconds.values()))
    fields = {
        "name": planned.log.subject,
        "at": replay.at if replay and replay.at else "-",
        "lsn": written(replay.position) if replay and replay.position else "-",
        "span": span,
        "data": planned.target / DATA,
    }
    said = desk.voice.finding(Finding(Severity.NOTE, "recover.done", fields))
    return Answer(
        ExitCode.DONE if done.good else ExitCode.FAILED,
        text.joined(told, said, _files(desk, done, files)),
        {
            "plan": _body(planned),
            "recovered": {
                "files_of_point": files.id if files else None,
                "newest_commit": replay.at.isoformat() if replay and replay.at else None,
                "position": fields["lsn"],
                "seconds": done.seconds,
                "good": done.good,
                "findings": plain.findings(desk.voice, done.findings),
            },
        },
    )


def _files(desk: Desk, done: Recovered, files: RecoveryPoint | None) -> str:
    """Which files go with the database, and how they are brought back."""
    at = done.replay.at if done.replay else None
    if files is None or at is None:
        return ""
    fields = {"name": done.planned.log.backup_set, "point": files.id, "at": files.at}
    return desk.voice.say("recover.files" if files.at >= at else "recover.old_files", **fields)


def _log(desk: Desk, kit: Kit) -> Log:
    """The log that is meant. Raises `UsageError` where that is not clear."""
    found = logs_of(kit, desk.arguments.set)
    chosen = [log for log in found if desk.arguments.member in {None, log.name}]
    if len(chosen) != 1:
        known = [log.name for log in found]
        raise UsageError("recover.several", name=desk.arguments.set, known=known)
    return chosen[0]


def _goal(desk: Desk, kit: Kit, log: Log, target: Path) -> Goal:
    """The goal as people write it. Raises `UsageError`."""
    match desk.arguments.to:
        case ["now"]:
            return Goal("now")
        case ["name", name]:
            return Goal("name", name=name)
        case ["before-drop", table]:
            return Goal("before", lsn=dropping.find(kit, log, table, target))
        case [one] if is_position(one):
            return Goal("lsn", lsn=position(one))
        case ["name" | "before-drop", *_]:
            raise UsageError("recover.goal", found=" ".join(desk.arguments.to))
        case words:
            return Goal("time", time=moments.read(" ".join(words), desk.voice.zone))


def _facts(desk: Desk, planned: Planned) -> dict[str, object]:
    base, goal = planned.base, planned.goal
    return {
        "base": {"at": base.until, "bytes": Size(base.bytes), "repository": base.repository},
        "log": {
            "count": len(planned.chain.segments),
            "bytes": Size(planned.wal_bytes),
            "end": written(planned.chain.end),
        },
        "goal": report.goal(desk.voice, goal.kind, goal.time, goal.name, goal.lsn),
        "target": planned.target,
        "expected": planned.expected,
    }


def _body(planned: Planned) -> plain.Body:
    return {
        "member": planned.log.subject,
        "base": planned.base.id,
        "repository": planned.base.repository,
        "segments": len(planned.chain.segments),
        "end": written(planned.chain.end),
        "target": str(planned.target),
        "expected_seconds": planned.expected.total_seconds(),
    }
