"""`opsd restore`: bring data back, anywhere but over what is alive."""

from __future__ import annotations

import logging
import platform
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import shtab

from opsd.catalogue import say
from opsd.cli import moments
from opsd.cli.answer import Answer
from opsd.cli.arguments import add_set
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.drivers.restic import Bounds, Restic
from opsd.errors import UsageError
from opsd.report import plain, restore, text
from opsd.tasks.kit import Kit
from opsd.tasks.restore import carry_out, plan, recorded
from opsd.tasks.restoring.terms import Door, Plan, Request, Restored

log = logging.getLogger(__name__)

_PASSWORD = re.compile(r"password\s*=|://[^/@]*:[^/@]*@", re.IGNORECASE)
_FLAGS = ("dry-run", "over-live-source", "into-used-target")


def add(parser: Parser) -> None:
    """What, of when, where to."""
    add_set(parser)
    which = parser.add_mutually_exclusive_group()
    _option(parser, which, "at", "time")
    _option(parser, which, "point", "point")
    _option(parser, parser, "member", "member")
    _option(parser, parser, "only", "path", nargs="+", action="extend", default=[])
    target = _option(parser, parser, "to", "directory", required=True)
    target.complete = shtab.DIR
    _option(parser, parser, "load-into", "connection")
    _option(parser, parser, "passfile", "file").complete = shtab.FILE
    for flag in _FLAGS:
        parser.add_argument(
            f"--{flag}", action="store_true", help=say(parser.language, f"help.restore.{flag}")
        )
    bare = parser.add_argument_group(say(parser.language, "help.restore.bare"))
    _option(parser, bare, "repository-url", "url")
    _option(parser, bare, "password-file", "file").complete = shtab.FILE


def run(desk: Desk) -> Answer:
    """Plan, carry out, verify; `--dry-run` stops after the plan."""
    request = _request(desk)
    with _door(desk) as (kit, door):
        wanted = plan(door, request)
        planned = restore.plan(desk.voice, wanted.point, _goals(wanted))
        if desk.arguments.dry_run:
            text_ = text.joined(planned, text.findings(desk.voice, wanted.findings))
            return Answer(ExitCode.DONE, text_, {"plan": _plan_body(wanted), "restored": None})
        log.info("restoring %s to %s", wanted.point.id, request.target)
        done = recorded(kit, door, wanted) if kit else carry_out(door, wanted)
        log.info("restored %s: good=%s", wanted.point.id, done.good)
    figures = {"files": done.files, "bytes": done.bytes, "tables": done.tables, "rows": done.rows}
    said = restore.done(
        desk.voice, figures, done.elapsed, done.findings, unverified=done.unverified
    )
    return Answer(
        _code(done),
        text.joined(planned, said),
        {
            "plan": _plan_body(wanted),
            "restored": {
                **figures,
                "good": done.good,
                "elapsed_seconds": plain.seconds(done.elapsed),
                "findings": plain.findings(desk.voice, done.findings),
            },
        },
    )


def _code(done: Restored) -> ExitCode:
    if done.good:
        return ExitCode.DONE
    if done.unverified:
        return ExitCode.COULD_NOT_VERIFY
    unread = any(found.key == "restore.unread" for found in done.findings)
    return ExitCode.PARTIAL if unread else ExitCode.FAILED


def _request(desk: Desk) -> Request:
    asked = desk.arguments
    if asked.load_into and _PASSWORD.search(asked.load_into):
        raise UsageError("usage.password_in_argument", name="--load-into", other="--passfile")
    return Request(
        backup_set=asked.set,
        target=Path(asked.to).absolute(),
        at=moments.read(asked.at, desk.voice.zone) if asked.at else None,
        point=asked.point,
        member=asked.member,
        only=tuple(asked.only),
        load_into=asked.load_into,
        passfile=Path(asked.passfile).absolute() if asked.passfile else None,
        over_live_source=asked.over_live_source,
        into_used_target=asked.into_used_target,
    )


@contextmanager
def _door(desk: Desk) -> Iterator[tuple[Kit | None, Door]]:
    """The repository of the set, or on a bare machine the one that is named.

    The kit is for the history; a plan alone and a bare machine leave none.
    """
    if desk.bare:
        with desk.watching() as watcher, tempfile.TemporaryDirectory(prefix="opsd-cache-") as cache:
            yield None, Door(_bare(desk, Path(cache)), platform.node(), watcher, desk.stop)
        return
    with desk.doors() if desk.arguments.dry_run else desk.kit() as kit:
        found = kit.backup_set(desk.arguments.set)
        jobs = max((one.jobs for one in found.databases.values()), default=2)
        kit.reach(found.repository)
        door = replace(kit.restic(found.repository), bounds=Bounds())  # nobody waits for nothing
        yield kit, Door(door, kit.config.host, kit.watcher, desk.stop, jobs, members=found.members)


def _bare(desk: Desk, cache: Path) -> Restic:
    url, password = desk.arguments.repository_url, desk.arguments.password_file
    if not password:
        raise UsageError("usage.needs", name="--repository-url", other="--password-file")
    return Restic(url, url, Path(password).absolute(), cache, stop=desk.stop)


def _goals(wanted: Plan) -> list[restore.Goal]:
    return [restore.Goal(step.member, step.target) for step in wanted.steps]


def _plan_body(wanted: Plan) -> plain.Body:
    return {
        "point": plain.point(wanted.point),
        "bytes": wanted.bytes,
        "steps": [
            {"member": step.member.member, "target": str(step.target)} for step in wanted.steps
        ],
    }


def _option(parser: Parser, place: Any, name: str, value: str, **settings: Any) -> Any:  # noqa: ANN401  (argparse's groups have no common type)
    language = parser.language
    return place.add_argument(
        f"--{name}",
        metavar=say(language, f"help.metavar.{value}"),
        help=say(language, f"help.restore.{name}"),
        **settings,
    )
