"""The files of the same moment: brought beside a recovered database, and reconciled with it.

The first point taken at or after the database's moment has every file that a row names, but for
what was removed or replaced in between: that is looked for in the point before. What is left then
is told row by row, by the code that people know it by.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from opsd.catalogue import Size
from opsd.config.schema import Reconciliation
from opsd.drivers import manifests, restic, tree
from opsd.drivers.postgres import Database
from opsd.errors import RepositoryMissing
from opsd.manifest import Named
from opsd.model import Finding, RecoveryPoint, Severity
from opsd.policy import wal as policy
from opsd.policy.comparison import Reconciler
from opsd.tasks import restore
from opsd.tasks.kit import Kit
from opsd.tasks.restoring.terms import LIMIT, Door, Request
from opsd.tasks.shelf import points_in
from opsd.tasks.wal.log import Log

PLACE = "files"  # below the target, beside the cluster
LIST = "not-reconciled.csv"
_TOLD = 20  # codes named in a sentence; the list has all


@dataclass(frozen=True, slots=True, order=True)
class Stray:
    """A row whose file is not there as the row names it: missing, content, newer."""

    code: str
    path: str
    wrong: str


@dataclass(slots=True)
class Brought:
    """What came: of which point, how much, and which rows it cannot satisfy."""

    point: RecoveryPoint
    place: Path
    files: int = 0
    bytes: int = 0
    rows: int = 0
    older: int = 0  # files that the point before had as their rows name them
    strays: list[Stray] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether every row has its file."""
        return not self.strays


def candidates(kit: Kit, log: Log) -> tuple[RecoveryPoint, ...]:
    """The points that have every tree of the set, newest first; without a database too."""
    backup_set = kit.backup_set(log.backup_set)
    if not backup_set.trees:
        return ()
    kit.reach(backup_set.repository)
    found = points_in(kit.restic(backup_set.repository), log.backup_set)
    return tuple(point for point in found if all(point.member(name) for name in backup_set.trees))


def bring(kit: Kit, log: Log, database: Database, moment: datetime, target: Path) -> Brought:
    """Bring the trees that fit a database which stands at `moment`, and reconcile them with it.

    Raises `RepositoryMissing` where no point has them.
    """
    points = candidates(kit, log)
    point = policy.files_for(points, moment)
    if point is None:
        raise RepositoryMissing("recover.no_files", name=log.backup_set)
    before = next((one for one in points if one.at < moment and one.id != point.id), None)
    done = Brought(point, target / PLACE)
    (target / LIST).unlink(missing_ok=True)  # of an earlier attempt
    with TemporaryDirectory(prefix=".opsd-", dir=target) as place:
        work = _Work(kit, log, database, moment, done, Path(place))
        for name in kit.backup_set(log.backup_set).trees:
            _restore(work, name)
        for rule in kit.backup_set(log.backup_set).prove.reconcile:
            if rule.database == log.name:
                _reconcile(work, rule, before)
    _tell(done, moment, target)
    return done


@dataclass(frozen=True, slots=True)
class _Work:
    """One bringing of files under way."""

    kit: Kit
    log: Log
    database: Database
    moment: datetime
    done: Brought
    scratch: Path

    @property
    def door(self) -> Door:
        kit = self.kit
        repository = kit.restic(kit.backup_set(self.log.backup_set).repository)
        return Door(repository, kit.config.host, kit.watcher, kit.stop, scratch=self.scratch)

    def manifest(self, member: str) -> Path:
        """Of a tree, as it came back."""
        return self.scratch / f"{member}.jsonl"


def _restore(work: _Work, name: str) -> None:
    done = work.done
    request = Request(
        work.log.backup_set,
        done.place / name,
        point=done.point.id,
        member=name,
        into_used_target=True,
        manifests=work.scratch,
    )
    restored = restore.carry_out(work.door, restore.plan(work.door, request))
    done.files += restored.files
    done.bytes += restored.bytes
    done.findings += [one for one in restored.findings if one.key != "restore.incomplete"]


def _reconcile(work: _Work, rule: Reconciliation, before: RecoveryPoint | None) -> None:
    """Join rows and files; what does not fit is looked for in the point before."""
    work.kit.watcher.phase("reconcile", rule.files)
    odd: list[tuple[str, Named]] = []
    judged = Reconciler(int(work.moment.timestamp() * 1_000_000_000), odd=odd.append)
    with (
        work.database.connect() as connection,
        closing(connection.named_files(rule.query, LIMIT, work.kit.stop)) as rows,
    ):
        judged.join(rows, manifests.read(work.manifest(rule.files)))
    work.done.rows += judged.rows
    found = _older(work, rule.files, before, odd) if before is not None and odd else set()
    work.done.older += len(found)
    work.done.strays += [
        Stray(row.code, os.fsdecode(row.path), wrong) for wrong, row in odd if row.path not in found
    ]


def _older(
    work: _Work, name: str, before: RecoveryPoint, odd: Sequence[tuple[str, Named]]
) -> set[bytes]:
    """Put in their places what the point before has as its rows name it; gives their paths."""
    member = before.member(name)
    assert member is not None  # noqa: S101  (`candidates` saw to it)
    place, only = work.scratch / f"{name}.older", work.scratch / f"{name}.patterns"
    place.mkdir()
    only.write_bytes(b"".join(restic.pattern_line(b"/" + row.path) for _, row in odd))
    work.door.repository.restore(
        restic.Piece(member.snapshot, member.root, place, only), limits=restic.Limits(LIMIT)
    )
    found = set()
    for _, row in odd:
        path = place / os.fsdecode(row.path)
        if _inside(row.path) and _is(path, row):
            target = work.done.place / name / os.fsdecode(row.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            found.add(row.path)
    return found


def _inside(path: bytes) -> bool:
    """Whether a path of a row stays below the root: a database may hold anything."""
    return not path.startswith(b"/") and b".." not in path.split(b"/")


def _is(path: Path, row: Named) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    return row.size in {None, path.stat().st_size} and tree.digest(path) == row.sha256


def _tell(done: Brought, moment: datetime, target: Path) -> None:
    """Say what came, and write the list of what does not fit."""
    point, findings = done.point, done.findings
    fields = {"point": point.id, "at": point.at, "files": done.files, "bytes": Size(done.bytes)}
    key = "recover.files" if point.at >= moment else "recover.old_files"
    severity = Severity.NOTE if point.at >= moment else Severity.CHANGE
    findings.append(Finding(severity, key, {**fields, "place": done.place}))
    if done.rows:
        counted = {"rows": done.rows, "older": done.older}
        findings.append(Finding(Severity.NOTE, "recover.reconciled", counted))
    else:
        findings.append(Finding(Severity.CHANGE, "recover.not_reconciled"))
    if done.strays:
        done.strays.sort()
        path = target / LIST
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            sink = csv.writer(stream)
            sink.writerow(("code", "path", "wrong"))
            sink.writerows((one.code, one.path, one.wrong) for one in done.strays)
        codes = list(dict.fromkeys(one.code or one.path for one in done.strays))
        told = {"count": len(done.strays), "dossiers": len(codes), "names": codes[:_TOLD]}
        findings.append(Finding(Severity.CHANGE, "recover.strays", {**told, "path": path}))
