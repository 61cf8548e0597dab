"""Restore for people: plan first, carry out by explicit snapshot ids, verify what was written.

It needs a repository and its password, nothing else: no history, no configuration of the lost
machine. Without one member named, each goes into a directory of its own name below the target.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.clock import Stopwatch
from opsd.drivers import cluster, pgtools, restic, system
from opsd.drivers.postgres import Database
from opsd.drivers.process import Stop
from opsd.errors import Refused, RepositoryDamaged, SpaceExhausted, ToolFailed, UsageError
from opsd.manifest import Entry
from opsd.model import (
    DatabaseManifest,
    Finding,
    MemberKind,
    MemberSnapshot,
    Outcome,
    RecoveryPoint,
    Severity,
    Task,
)
from opsd.policy import comparison
from opsd.policy.comparison import TreeComparison
from opsd.tasks import way
from opsd.tasks.journal import end, opened
from opsd.tasks.kit import Kit, Nobody, Watcher
from opsd.tasks.members import files, postgres
from opsd.tasks.proving.database import judged, with_properties
from opsd.tasks.proving.tree import compared
from opsd.tasks.shelf import points_in, read_record

_LIMIT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for. The last two are the words that lift a guard."""

    backup_set: str
    target: Path
    at: datetime | None = None
    point: str | None = None
    member: str | None = None
    only: tuple[str, ...] = ()
    load_into: str | None = None  # libpq connection string of an empty database
    passfile: Path | None = None
    over_live_source: bool = False
    into_used_target: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """The repository to restore from, and who watches."""

    repository: restic.Restic
    host: str  # this machine's name in snapshots, to know a live source
    watcher: Watcher = field(default_factory=Nobody)
    stop: Stop = field(default_factory=Stop)
    jobs: int = 2
    scratch: Path | None = None  # where what a crash leaves is wiped by the next run


@dataclass(frozen=True, slots=True)
class Step:
    """One member and where it goes."""

    member: MemberSnapshot
    target: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, before it is."""

    request: Request
    point: RecoveryPoint
    steps: tuple[Step, ...]
    bytes: int
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Restored:
    """What was done: figures of what was written and verified, and what was wrong with it."""

    plan: Plan
    elapsed: timedelta = timedelta()
    files: int = 0
    bytes: int = 0
    tables: int = 0
    rows: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all that was written is what the manifest says."""
        return not any(f.severity is Severity.FAULT for f in self.findings)


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
            if step.member.kind is MemberKind.FILES:
                _restore_files(door, wanted, step, record, done)
            else:
                _restore_database(door, wanted, step, record, done)
    done.elapsed = watch.elapsed()
    return done


def recorded(kit: Kit, door: Door, wanted: Plan) -> Restored:
    """The same as `carry_out`, as a run of the history: who asks later finds what was restored."""
    point = wanted.point
    with opened(kit, Task.RESTORE, point.backup_set, point.repository) as journal:
        asked = {"point": point.id, "target": str(wanted.request.target)}
        journal.evidence("restore", asked)
        told = {**asked, "backup_set": point.backup_set, "run": journal.run.id}
        kit.store.tell(kit.clock(), "restore", system.user(), told)
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
            end(journal, Outcome.FAILED, "integrity")
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
    for step in steps:
        live = Path(step.member.root)
        used = step.target.exists() and any(step.target.iterdir())
        # A machine may have another name in the configuration than it gives itself.
        alive = (point.host == door.host or used) and step.member.kind is MemberKind.FILES
        if alive and _touches(step.target, live) and not request.over_live_source:
            raise Refused("restore.live_source", target=step.target, source=live)
        if used and not request.into_used_target:
            raise Refused("restore.target_used", target=step.target)
    room = system.space(request.target)
    if not request.only and room.free < total:
        raise SpaceExhausted(
            "space.too_little",
            path=request.target,
            free=Size(room.free),
            needed=Size(total),
            spare=Size(0),
        )


def _touches(target: Path, live: Path) -> bool:
    one, two = target.resolve(), live.resolve()
    return one == two or one in two.parents or two in one.parents


def _lacking(door: Door, request: Request, point: RecoveryPoint) -> Iterator[Finding]:
    """What the point never had, and what its record names but the repository has no more."""
    if not point.complete:
        yield Finding(Severity.CHANGE, "restore.incomplete", {"point": point.id})
    closed = {
        member["member"] for member in read_record(door.repository, point)["point"]["members"]
    }
    gone = sorted(closed - {member.member for member in point.members})
    if gone and request.member is None:
        yield Finding(Severity.FAULT, "restore.member_gone", {"point": point.id, "names": gone})


# --- doing


@contextmanager
def _manifests(door: Door, wanted: Plan) -> Iterator[Path]:
    """The manifests of the point, for as long as they are needed: they name every file."""
    home = Path(tempfile.mkdtemp(prefix="opsd-restore-", dir=door.scratch))
    try:
        fetched = door.repository.restore(
            restic.Piece(wanted.point.record, wanted.point.record_root, home),
            limits=restic.Limits(_LIMIT),
        )
        if fetched.failures:
            raise RepositoryDamaged(
                "proof.fetch_failed", member="record", detail="\n".join(fetched.failures[:5])
            )
        yield home
    finally:
        shutil.rmtree(home)


def _fetch(door: Door, step: Step, only: Path | None, done: Restored) -> None:
    door.watcher.phase("fetch", step.member.member)
    # A dump is everybody's data in one place: it is for whoever asked for it alone.
    mode = 0o700 if step.member.kind is MemberKind.POSTGRES else 0o777
    step.target.mkdir(mode, parents=True, exist_ok=True)
    fetched = door.repository.restore(
        restic.Piece(step.member.snapshot, step.member.root, step.target, only),
        limits=restic.Limits(_LIMIT),
        on_progress=lambda p: door.watcher.advance(p.bytes_done, p.bytes_total),
    )
    if fetched.failures:
        done.findings.append(
            Finding(
                Severity.FAULT,
                "restore.unread",
                {"member": step.member.member, "count": len(fetched.failures)},
                "\n".join(fetched.failures[:10]),
            )
        )


def _restore_files(door: Door, wanted: Plan, step: Step, record: Path, done: Restored) -> None:
    """Fetch the tree, or the named parts of it, and compare each entry with the manifest."""
    prefixes = tuple(os.fsencode(path.strip("/")) for path in wanted.request.only)
    only = None
    if prefixes:
        only = record / "patterns"
        only.write_bytes(b"".join(restic.pattern_line(b"/" + prefix) for prefix in prefixes))
    _fetch(door, step, only, done)
    door.watcher.phase("verify", step.member.member)
    fresh_after = int(wanted.point.at.timestamp() * 1_000_000_000)
    judged = TreeComparison(os.geteuid() == 0, fresh_after)
    expected = record / f"{step.member.member}.{files.MANIFEST}"
    inside = _below(prefixes) if prefixes else _everything
    for _ in compared(judged, expected, inside, step.target):
        door.watcher.advance(judged.bytes, step.member.bytes)
    if wanted.request.into_used_target or prefixes:
        judged.tally.counts.pop("extra", None)
    done.findings += judged.tally.findings("proof.files", step.member.member)
    for told in (judged.fleeting, judged.unsteady):
        done.findings += told.findings("proof.files", step.member.member, Severity.NOTE)
    if judged.files == 0 and not judged.unsteady.counts and (prefixes or step.member.files):
        done.findings.append(
            Finding(Severity.FAULT, "restore.nothing", {"member": step.member.member})
        )
    done.files += judged.files
    done.bytes += judged.bytes


def _everything(_: Entry, __: Entry | None) -> bool:
    return True


def _below(prefixes: tuple[bytes, ...]) -> Callable[[Entry, Entry | None], bool]:
    def inside(entry: Entry, _: Entry | None) -> bool:
        path = entry.path.rstrip(b"/")
        return any(path == p or path.startswith(p + b"/") for p in prefixes)

    return inside


def _restore_database(door: Door, wanted: Plan, step: Step, record: Path, done: Restored) -> None:
    """Fetch the dump and verify its files; load it where a database was named, and verify that."""
    source = postgres.read_manifest(record / f"{step.member.member}.{postgres.MANIFEST}")
    _fetch(door, step, None, done)
    dump = step.target / pgtools.DUMP
    done.bytes += sum(f.stat().st_size for f in dump.iterdir())
    door.watcher.phase("verify", step.member.member)
    try:
        dumped = _programs(door, source).table_files(dump)
    except ToolFailed as missing:
        fields = {"member": step.member.member}
        done.findings.append(Finding(Severity.CHANGE, "restore.unverified", fields, str(missing)))
        return
    found = {}
    for table in source.tables:
        file = dumped.get(table.oid)
        if file is not None and file.exists():
            found[table.schema, table.name] = pgtools.dumped_digest(file, source.hashing)
    done.findings += comparison.judge_tables(source, found)
    done.tables += len(found)
    done.rows += sum(rows for rows, _ in found.values())
    if wanted.request.load_into is not None and done.good:
        done.findings += _load(door, wanted.request, source, dump)


def _load(door: Door, request: Request, source: DatabaseManifest, dump: Path) -> list[Finding]:
    """Load the dump into the empty database that was named, and compare it."""
    database = Database(request.load_into or "", request.passfile)
    with database.connect() as connection:
        facts = connection.facts()
        live = (facts.system_identifier, facts.database)
        if live == (source.system_identifier, source.database) and not request.over_live_source:
            raise Refused("restore.live_database", database=facts.database)
        if not connection.is_empty():
            raise Refused("restore.database_used", database=facts.database)
    door.watcher.phase("load")
    programs = _programs(door, source, database)
    if facts.superuser:
        programs.restore_roles(dump.with_name(pgtools.GLOBALS), database.connection)
    programs.restore(dump, database.connection, door.jobs, owners=facts.superuser)
    door.watcher.phase("compare")
    findings, _ = judged(programs, database, source, door.jobs)
    if facts.superuser:
        return [*findings, *with_properties(programs, database, source, dump)]
    # Roles were not asked for here, so that their lack is told once, with what it means.
    others = (found for found in findings if found.key != "proof.roles_missing")
    return [Finding(Severity.CHANGE, "restore.no_owners"), *others]


def _programs(
    door: Door, source: DatabaseManifest, database: Database | None = None
) -> pgtools.Programs:
    directory = cluster.binaries(source.server_version // 10000)
    return pgtools.Programs(directory, (database or Database("")).env, _LIMIT, door.stop)
