"""Restore for people: plan first, carry out by explicit snapshot ids, verify what was written.

It needs a repository and its password, nothing else: no history, no configuration of the lost
machine. Without one member named, each goes into a directory of its own name below the target.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from opsd.clock import Stopwatch
from opsd.drivers import restic, system
from opsd.errors import Refused, RepositoryDamaged, ToolFailed, UsageError
from opsd.model import (
    Finding,
    MemberKind,
    Outcome,
    RecoveryPoint,
    Severity,
    Task,
)
from opsd.policy.preflight import Room, judge_room
from opsd.tasks import way
from opsd.tasks.journal import end, opened
from opsd.tasks.kit import Kit
from opsd.tasks.restoring import artefacts, bare, databases, mariadb, trees
from opsd.tasks.restoring.terms import LIMIT, Door, Plan, Request, Restored, Step
from opsd.tasks.shelf import points_in, read_record

_RESTORING: Mapping[MemberKind, Callable[[Door, Plan, Step, Path, Restored], None]] = {
    MemberKind.FILES: trees.restore,
    MemberKind.POSTGRES: databases.restore,
    MemberKind.MARIADB: mariadb.restore,
    MemberKind.COMMAND: artefacts.restore,
}


def plan(door: Door, request: Request) -> Plan:
    """Find the point and say what would be written where.

    Raises `UsageError` when there is no such point or member, `Refused` when a guard stands against
    the target.
    """
    point = _choose(door, request)
    chosen = [m for m in point.members if request.member in {None, m.member}]
    if not chosen:
        known = [member.member for member in point.members]
        raise UsageError("restore.no_member", member=request.member or "-", known=known)
    if request.only:
        chosen = [member for member in chosen if member.kind is MemberKind.FILES]
    if not chosen:
        raise UsageError("restore.only_files")
    steps = tuple(
        Step(m, request.target if request.member else request.target / m.member) for m in chosen
    )
    total = sum(step.member.bytes for step in steps)
    _guard(door, request, point, steps, total)
    return Plan(request, point, steps, total, tuple(_lacking(door, request, point)))


def carry_out(door: Door, wanted: Plan) -> Restored:
    """Do what the plan says, verify it, and tell the figures."""
    done, watch = Restored(wanted), Stopwatch()
    done.findings += wanted.findings
    with _manifests(door, wanted) as record:
        for step in wanted.steps:
            readable = (record / bare.manifest_of(step.member)).exists()
            restoring = _RESTORING[step.member.kind] if readable else bare.restore
            restoring(door, wanted, step, record, done)
    unmatched = (path for path in wanted.request.only if path not in done.matched)
    done.findings += [
        Finding(Severity.FAULT, "restore.no_path", {"path": path, "point": wanted.point.id})
        for path in dict.fromkeys(unmatched)
    ]
    done.elapsed = watch.elapsed()
    return done


def recorded(kit: Kit, door: Door, wanted: Plan) -> Restored:
    """The same as `carry_out`, as a run of the history: who asks later finds what was restored."""
    point = wanted.point
    with opened(kit, Task.RESTORE, point.backup_set, point.repository) as journal:
        asked = {"point": point.id, "target": str(wanted.request.target)}
        journal.evidence("restore", asked)
        told = {**asked, "backup_set": point.backup_set, "run": journal.run.id}
        kit.store.tell(kit.clock(), "restore", system.person(), told)
        way.clear(journal)
        scratch = journal.workplace()
        try:
            done = carry_out(replace(door, scratch=scratch), wanted)
        finally:
            shutil.rmtree(scratch)
        journal.findings += done.findings
        journal.evidence(
            "restored",
            {"files": done.files, "bytes": done.bytes, "tables": done.tables, "rows": done.rows},
        )
        if not done.good:
            blind = done.unverified
            end(journal, Outcome.COULD_NOT_VERIFY if blind else Outcome.FAILED, "integrity")
    return done


# --- choosing and guarding


def _choose(door: Door, request: Request) -> RecoveryPoint:
    points = points_in(door.repository, request.backup_set)
    if request.point is not None:
        found = [p for p in points if p.id.startswith(request.point)]
    else:
        latest = request.at
        found = [p for p in points if p.complete and (latest is None or p.at <= latest)]
    if not found or (request.point is not None and len(found) > 1):
        raise UsageError(
            "restore.no_point",
            name=request.backup_set,
            asked=request.point or request.at or "-",
            count=len(points),
        )
    return found[0]


def _guard(
    door: Door, request: Request, point: RecoveryPoint, steps: tuple[Step, ...], total: int
) -> None:
    system.insist_on_place(request.target)
    for step in steps:
        live = Path(step.member.root)
        used = step.target.exists() and any(step.target.iterdir())
        # A machine may have another name in the configuration than it gives itself.
        alive = (point.host == door.host or used) and step.member.kind is MemberKind.FILES
        if alive and _touches(step.target, live) and not request.over_live_source:
            raise Refused("restore.live_source", target=step.target, source=live)
        if used and not request.into_used_target:
            raise Refused("restore.target_used", target=step.target)
    if not request.only:
        for against in judge_room(Room(request.target, system.space(request.target).free, total)):
            raise against


def _touches(target: Path, live: Path) -> bool:
    one, two = target.resolve(), live.resolve()
    return one == two or one in two.parents or two in one.parents


def _lacking(door: Door, request: Request, point: RecoveryPoint) -> Iterator[Finding]:
    """What the point never had, and what its record names but the repository has no more."""
    if not point.complete:
        yield Finding(Severity.CHANGE, "restore.incomplete", {"point": point.id})
    try:
        told = read_record(door.repository, point)
    except (RepositoryDamaged, ToolFailed) as unread:
        yield Finding(
            Severity.FAULT, "restore.record_unread", {"point": point.id}, detail=str(unread)
        )
        return
    closed = {member["member"] for member in told["point"]["members"]}
    gone = sorted(closed - {member.member for member in point.members})
    if gone and request.member is None:
        yield Finding(Severity.FAULT, "restore.member_gone", {"point": point.id, "names": gone})


# --- doing


@contextmanager
def _manifests(door: Door, wanted: Plan) -> Iterator[Path]:
    """The manifests of the point, for as long as they are needed: they name every file."""
    home = Path(tempfile.mkdtemp(prefix="opsd-restore-", dir=door.scratch))
    try:
        piece = restic.Piece(wanted.point.record, wanted.point.record_root, home)
        if failures := _fetched(door, piece):
            if wanted.request.manifests is not None:  # somebody is waiting for them
                raise RepositoryDamaged(
                    "proof.fetch_failed", member="record", detail="\n".join(failures[:5])
                )
            for step in wanted.steps:
                _fetch_alone(door, piece, bare.manifest_of(step.member))
        yield home
    finally:
        shutil.rmtree(home)


def _fetched(door: Door, piece: restic.Piece) -> tuple[str, ...]:
    """What of a piece could not be read."""
    try:
        return door.repository.restore(piece, limits=restic.Limits(LIMIT)).failures
    except RepositoryDamaged as error:
        return (str(error),)


def _fetch_alone(door: Door, whole: restic.Piece, name: str) -> None:
    """One manifest of a damaged record, whole or not at all."""
    path, only = whole.target / name, whole.target / "patterns"
    path.unlink(missing_ok=True)
    only.write_bytes(restic.pattern_line(b"/" + os.fsencode(name)))
    if _fetched(door, replace(whole, only=only)):
        path.unlink(missing_ok=True)
