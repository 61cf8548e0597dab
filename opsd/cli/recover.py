"""`opsd recover`: a database as it was at any moment, from a base copy and its log."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import shtab

from opsd.catalogue import Size, say
from opsd.cli import moments, recover_mariadb
from opsd.cli.alone import kit_of
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.drivers import cluster
from opsd.errors import UsageError
from opsd.model import Finding, Severity
from opsd.report import plain, text
from opsd.report import recover as report
from opsd.tasks.kit import Kit
from opsd.tasks.wal import dropping, naming, planning, recovering
from opsd.tasks.wal.layout import DATA, PLACES, WAL
from opsd.tasks.wal.log import Log, logs_of
from opsd.tasks.wal.planning import Goal, Planned, Ways
from opsd.tasks.wal.recovering import Recovered
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
    for flag in ("plan", "pause", "without-files", "digests", "delta", "over-live-cluster"):
        parser.add_argument(
            f"--{flag}", action="store_true", help=say(language, f"help.recover.{flag}")
        )
    bare = parser.add_argument_group(say(language, "help.restore.bare"))
    for name, value in (("repository-url", "url"), ("password-file", "file")):
        bare.add_argument(
            f"--{name}",
            metavar=say(language, f"help.metavar.{value}"),
            help=say(language, f"help.restore.{name}"),
        )


def run(desk: Desk) -> Answer:
    """Plan, carry out, tell; `--plan` stops after the plan."""
    if not desk.bare and recover_mariadb.is_meant(desk):
        return recover_mariadb.run(desk)
    target = Path(desk.arguments.target).absolute()
    with _kit(desk) as kit:
        log = _log(desk, kit)
        goal = _goal(desk, kit, log, target)
        asked = desk.arguments
        ways = Ways(
            promote=not asked.pause,
            files=not asked.without_files,
            digests=asked.digests,
            delta=asked.delta,
            over_live=asked.over_live_cluster,
        )
        planned = planning.plan(log, goal, target, ways)
        told = report.plan(desk.voice, log.subject, _facts(desk, planned, ways), planned.findings)
        if desk.arguments.plan:
            return Answer(ExitCode.DONE, told, {"plan": _body(planned), "recovered": None})
        carry_out = recovering.carry_out if desk.bare else recovering.recorded
        done = carry_out(kit, planned, ways)
    return _answer(desk, told, done)


def _kit(desk: Desk) -> AbstractContextManager[Kit]:
    """As configured; on a bare machine what the repository tells. A plan leaves no history."""
    if desk.bare:
        return kit_of(desk)
    return desk.doors() if desk.arguments.plan else desk.kit()


def _answer(desk: Desk, told: str, done: Recovered) -> Answer:
    planned, replay = done.planned, done.replay
    fields = {
        "name": planned.log.subject,
        "at": replay.at if replay and replay.at else "-",
        "lsn": written(replay.position) if replay and replay.position else "-",
        "span": timedelta(seconds=sum(done.seconds.values())),
        **_places(planned),
    }
    key = "recover.paused" if done.paused else "recover.done"
    said = desk.voice.finding(Finding(Severity.NOTE, key, fields))
    if fields["owner"] != cluster.SERVER_ACCOUNT:
        said = text.joined(said, desk.voice.say("recover.hand_over", **fields))
    if done.tables is not None:
        found = [rows for tables in done.tables.values() for rows, _ in tables.values()]
        read = desk.voice.say("recover.read", tables=len(found), rows=sum(found))
        said = text.joined(said, read)
    new = done.findings[len(planned.findings) :]
    good = ExitCode.DONE if done.whole else ExitCode.PARTIAL
    return Answer(
        good if done.good else ExitCode.FAILED,
        text.joined(told, said, text.findings(desk.voice, new)),
        {
            "plan": _body(planned),
            "recovered": {
                "files": _files(done),
                "newest_commit": replay.at.isoformat() if replay and replay.at else None,
                "position": fields["lsn"],
                "tables": done.tables,
                "seconds": done.seconds,
                "paused": done.paused,
                "good": done.good,
                "findings": plain.findings(desk.voice, done.findings),
            },
        },
    )


def _places(planned: Planned) -> dict[str, object]:
    """Where it lies, and how and as whom it is started: the server takes its owner's account."""
    data, wal = planned.target / DATA, planned.target / WAL
    owned = [one for one in (data, planned.target / PLACES, wal) if one.exists()]
    return {
        "target": planned.target,
        "data": data,
        "wal": wal,
        "owned": " ".join(map(str, owned)),
        "owner": data.owner(),
        "account": cluster.SERVER_ACCOUNT,
        "program": cluster.binaries(planned.base.version // 10000) / "pg_ctl",
    }


def _files(done: Recovered) -> plain.Body | None:
    """What came beside the database; the rows without their files stand in the list, too."""
    found = done.files
    if found is None:
        return None
    return {
        "point": found.point.id,
        "directory": str(found.place),
        "files": found.files,
        "bytes": found.bytes,
        "rows": found.rows,
        "from_the_point_before": found.older,
        "not_reconciled": [
            {"code": one.code, "path": one.path, "wrong": one.wrong} for one in found.strays
        ],
    }


def _log(desk: Desk, kit: Kit) -> Log:
    """The log that is meant. Raises `UsageError` where that is not clear."""
    found = logs_of(kit, desk.arguments.set)
    chosen = [log for log in found if desk.arguments.member in {None, log.name}]
    if len(chosen) != 1:
        known = [log.name for log in found]
        named = {"name": desk.arguments.set, "known": known, "member": desk.arguments.member}
        raise UsageError("recover.several" if chosen else "recover.no_member", **named)
    return chosen[0]


def _goal(desk: Desk, kit: Kit, log: Log, target: Path) -> Goal:
    """The goal as people write it. Raises `UsageError`."""
    match desk.arguments.to:
        case ["now"]:
            return Goal("now")
        case ["name", name]:
            return Goal("name", name=name, lsn=naming.find(kit, log, name, target))
        case ["before-drop", _] if desk.bare:
            raise UsageError("recover.bare_drop")
        case ["before-drop", table]:
            return Goal("before", lsn=dropping.find(kit, log, table, target))
        case [one] if is_position(one):
            return Goal("lsn", lsn=position(one))
        case ["timeline", number] if number.isdecimal():
            return Goal("timeline", timeline=int(number))
        case ["name" | "before-drop" | "timeline", *_]:
            raise UsageError("recover.goal", found=" ".join(desk.arguments.to))
        case words:
            return Goal("time", time=moments.read(" ".join(words), desk.voice.zone))


def _facts(desk: Desk, planned: Planned, ways: Ways) -> dict[str, object]:
    base, goal = planned.base, planned.goal
    name = str(goal.timeline) if goal.timeline else goal.name
    return {
        "base": {
            "at": base.until,
            "bytes": Size(planned.base.bytes),
            "repository": base.repository,
        },
        "at_hand": planned.at_hand,
        "log": {
            "count": len(planned.chain.segments),
            "bytes": Size(planned.wal_bytes),
            "end": written(planned.chain.end),
        },
        "goal": report.goal(desk.voice, goal.kind, goal.time, name, goal.lsn),
        "target": planned.target,
        "files": _wanted(desk, planned, ways),
        "expected": planned.expected,
    }


def _wanted(desk: Desk, planned: Planned, ways: Ways) -> str:
    """Which files come beside the database."""
    if not ways.files or planned.files is None:
        return desk.voice.say("recover.files_none")
    if planned.goal.time is None:
        return desk.voice.say("recover.files_then")
    return desk.voice.say("recover.files_known", point=planned.files.id, at=planned.files.at)


def _body(planned: Planned) -> plain.Body:
    return {
        "member": planned.log.subject,
        "base": planned.base.id,
        "repository": planned.base.repository,
        "at_hand": planned.at_hand,
        "segments": len(planned.chain.segments),
        "end": written(planned.chain.end),
        "target": str(planned.target),
        "expected_seconds": planned.expected.total_seconds(),
    }
