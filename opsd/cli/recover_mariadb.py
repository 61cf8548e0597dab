"""`opsd recover` for a MariaDB member: a base copy, and its binary log."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from opsd.binlog import Spot
from opsd.catalogue import Size
from opsd.cli import moments
from opsd.cli.answer import Answer
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.errors import UsageError
from opsd.model import Finding, Severity
from opsd.report import plain, text
from opsd.tasks.binlog import recovering
from opsd.tasks.binlog.bases import DATA
from opsd.tasks.binlog.recovering import Goal, Planned
from opsd.tasks.binlog.stream import streams_of
from opsd.tasks.kit import Kit


def is_meant(desk: Desk) -> bool:
    """Whether the member that is to be recovered is a MariaDB database."""
    found = desk.config.backup_sets.get(desk.arguments.set)
    if found is None or not found.streamed:
        return False
    named = desk.arguments.member
    return named in found.streamed if named else not found.logged and len(found.streamed) == 1


def run(desk: Desk) -> Answer:
    """Plan, carry out, tell; `--plan` stops after the plan."""
    with desk.doors() if desk.arguments.plan else desk.kit() as kit:
        planned = _plan(desk, kit)
        told = text.joined(
            desk.voice.say("binlog.plan", **_facts(planned)),
            text.findings(desk.voice, planned.findings),
        )
        if desk.arguments.plan:
            return Answer(ExitCode.DONE, told, {"plan": _body(planned), "recovered": None})
        done = recovering.recorded(kit, planned)
    data = planned.target / DATA
    fields = {
        "name": planned.stream.subject,
        "span": timedelta(seconds=sum(done.seconds.values())),
        "goal": _goal_in_words(planned.goal),
        "data": data,
        "owner": data.owner(),
    }
    said = desk.voice.finding(Finding(Severity.NOTE, "binlog.done", fields))
    body = {
        "seconds": done.seconds,
        "good": done.good,
        "findings": plain.findings(desk.voice, done.findings),
    }
    return Answer(
        ExitCode.DONE if done.good else ExitCode.FAILED,
        text.joined(told, said),
        {"plan": _body(planned), "recovered": body},
    )


def _plan(desk: Desk, kit: Kit) -> Planned:
    named = desk.arguments.member
    found = [s for s in streams_of(kit, desk.arguments.set) if named in {None, s.name}]
    target = Path(desk.arguments.target).absolute()
    return recovering.plan(found[0], _goal(desk), target)


def _goal(desk: Desk) -> Goal:
    """The goal as people write it. Raises `UsageError`."""
    words = desk.arguments.to
    match words:
        case ["now"]:
            return Goal()
        case [one] if (spot := Spot.of(one)) is not None:
            return Goal(spot=spot)
        case ["name" | "before-drop" | "timeline", *_]:
            raise UsageError("binlog.goal", found=" ".join(words))
        case _:
            return Goal(time=moments.read(" ".join(words), desk.voice.zone))


def _goal_in_words(goal: Goal) -> object:
    return goal.time or (str(goal.spot) if goal.spot else "now")


def _facts(planned: Planned) -> dict[str, object]:
    base = planned.base
    return {
        "name": planned.stream.subject,
        "at": base.at,
        "bytes": Size(base.bytes),
        "repository": base.repository,
        "count": len(planned.log.files),
        "log_bytes": Size(planned.log_bytes),
        "end": str(planned.log.end or "-"),
        "target": planned.target,
        "expected": planned.expected,
    }


def _body(planned: Planned) -> plain.Body:
    return {
        "member": planned.stream.subject,
        "base": planned.base.id,
        "repository": planned.base.repository,
        "files": [file.name for file in planned.log.files],
        "end": str(planned.log.end or "-"),
        "target": str(planned.target),
        "expected_seconds": planned.expected.total_seconds(),
    }
