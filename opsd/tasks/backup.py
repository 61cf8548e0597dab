"""Back up a set: the databases, beside them the files, then the record that closes the point.

A recovery point exists when its record does: the record is written last and holds the manifests
and the evidence, so that the repository alone tells everything. A member that fails leaves the
others alone and makes the point incomplete.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event

from opsd import __version__, record
from opsd.drivers.restic import Snapshot
from opsd.drivers.storage import Storage, StoredObject
from opsd.errors import OpsdError, StorageFailed, TimedOut
from opsd.model import Closing, Finding, Outcome, Proof, RecoveryPoint, Severity, Task
from opsd.policy import change
from opsd.tasks import stock, sweep, tripwire
from opsd.tasks.beside import Beside, beside
from opsd.tasks.ground import Ground, open_up, survey
from opsd.tasks.journal import Journal, end, opened, outcome_of, scratch_failed
from opsd.tasks.kit import HOLDS, RECORD, RECORD_FILE, TAG, Kit, tagged
from opsd.tasks.members import dumped, files
from opsd.tasks.members.captured import Captured, Opened, Work
from opsd.tasks.turn import turn

_AFTER_DATABASES = 10  # niceness of what is beside the longer way


@dataclass(frozen=True, slots=True)
class Result:
    """How a backup ended, and the point it made (none when no member could be taken)."""

    closing: Closing
    point: RecoveryPoint | None


def back_up(kit: Kit, name: str) -> Result:
    """Take a recovery point of the set `name`.

    Raises an `OpsdError` when the run could not begin or the repository failed; a member that
    failed is told in the result, whose outcome is then `partial` or `failed`.
    """
    backup_set = kit.backup_set(name)
    repository = backup_set.repository
    sweep.sweep(kit)
    with opened(kit, Task.BACKUP, name, repository) as journal, turn(journal):
        try:
            point = _take(journal)
        except OSError as error:
            raise scratch_failed(error) from error
        finally:
            shutil.rmtree(kit.scratch(journal.run.id), ignore_errors=True)
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return Result(journal.closing, point)


def _take(journal: Journal) -> RecoveryPoint | None:
    kit, backup_set = journal.kit, journal.kit.backup_set(journal.run.backup_set)
    with journal.phase("preflight"):
        ground = survey(kit, journal, backup_set)
    journal.workplace()

    def look(own: Kit) -> Opened:
        with journal.phase("preflight", journal.run.repository):
            return open_up(journal.on(own))

    with beside(kit) as side:
        work = Work(kit, journal, backup_set, side.start(look).result)
        captured = _capture(work.on(side.kit), ground, side)
        before = work.opened().objects
        if not captured:
            _end_without_any(journal, ground)
            return None
        return _close(work, ground, captured, before)


def _end_without_any(journal: Journal, ground: Ground) -> None:
    """No member could be taken: the run ends as the first of them did."""
    failed = next(iter(ground.failed.values()))
    end(journal, outcome_of(failed, Task.BACKUP), failed.reason)


def _close(
    work: Work, ground: Ground, captured: Mapping[str, Captured], before: frozenset[str]
) -> RecoveryPoint:
    """Make a point of what was captured: its record, the look at what was written, the history."""
    kit, journal, backup_set = work.kit, work.journal, work.backup_set
    storage = kit.storage(journal.run.repository)
    complete = len(captured) == len(backup_set.members) and not journal.faults
    point = RecoveryPoint(
        id=journal.run.id,
        backup_set=journal.run.backup_set,
        repository=journal.run.repository,
        host=kit.config.host,
        at=min(found.at for found in captured.values()),
        members=tuple(found.snapshot for found in captured.values()),
        complete=complete,
    )
    with journal.phase("record"):
        _judge_change(kit, journal, captured)
        tripwire.watch(kit, journal, captured)
        if storage is not None:
            _note_written(journal, storage.objects(), before)  # so that the record tells of it
        point = _write_record(work, point, captured)
        _read_back(kit, journal, point, storage, before)
    kit.store.add_point(point, journal.reached(point.id, Proof.TAKEN))
    _keep_manifests(kit, journal, captured)
    if complete:
        end(journal, Outcome.SUCCEEDED)
    else:
        end(journal, Outcome.PARTIAL, _first_reason(ground) or "partial")
    return point


# --- the members


def _capture(work: Work, ground: Ground, cleaning: Beside) -> dict[str, Captured]:
    """The members that can be taken: one database after the other, and beside them the trees.

    A database goes its way step by step, and what it leaves of the machine is enough for the trees.
    No tree is read before the moment of every database is fixed: a file that a database names was
    there by then (docs/adr/0012-side-by-side.md). `cleaning` goes on beside what follows.
    """
    moments = {name: Event() for name in work.backup_set.dumped}
    with beside(work.kit) as side:
        after_databases = replace(work, niceness=_AFTER_DATABASES if moments else 0)
        trees = side.start(lambda kit: _capture_trees(after_databases.on(kit), ground, moments))
        try:
            databases = _capture_dumped(work.on(side.kit), ground, moments, cleaning)
        finally:
            for moment in moments.values():
                moment.set()
    return databases | trees.result()


def _capture_dumped(
    work: Work, ground: Ground, moments: Mapping[str, Event], cleaning: Beside
) -> dict[str, Captured]:
    captured: dict[str, Captured] = {}
    for name, member in work.backup_set.dumped.items():
        fixed = moments[name].set
        captured |= _attempt(work, ground, name, partial(dumped.capture, work, name, member, fixed))
        fixed()
        cleaning.start(partial(_clear, work.scratch / name))
    return captured


def _clear(dump: Path, _: Kit) -> None:
    """Remove a dump that is stored, or failed; whatever stays is removed at the end of the run."""
    shutil.rmtree(dump, ignore_errors=True)


def _capture_trees(work: Work, ground: Ground, moments: Mapping[str, Event]) -> dict[str, Captured]:
    for moment in moments.values():
        moment.wait()
    captured: dict[str, Captured] = {}
    for name, member in work.backup_set.trees.items():
        work.kit.go_on()
        parent = _parent(work.opened().snapshots, name)
        captured |= _attempt(work, ground, name, partial(files.capture, work, name, member, parent))
    return captured


def _attempt(
    work: Work, ground: Ground, name: str, capture: Callable[[], Captured]
) -> dict[str, Captured]:
    """One member; its failure leaves the others alone, one of the storage does not.

    Nor does the end of the run's own time.
    """
    try:
        if name in ground.failed:
            raise ground.failed[name]
        return {name: capture()}
    except (OpsdError, OSError) as error:
        failed = error if isinstance(error, OpsdError) else scratch_failed(error)
        over = isinstance(failed, TimedOut) and work.out_of_time
        if work.kit.stop.requested or over or isinstance(failed, StorageFailed):
            raise failed from error
        ground.failed.setdefault(name, failed)
        work.journal.find(Severity.FAULT, "member.failed", member=name)
        work.journal.findings.append(
            Finding(Severity.FAULT, failed.key, failed.fields, failed.detail)
        )
        return {}


def _parent(snapshots: Sequence[Snapshot], name: str) -> str:
    """The newest snapshot of this member that a record closed: restic reads only what changed."""
    closed = {tagged(s.tags, "run") for s in snapshots if tagged(s.tags, "part") == RECORD}
    mine = [
        s for s in snapshots if tagged(s.tags, "part") == name and tagged(s.tags, "run") in closed
    ]
    return mine[-1].id if mine else ""


def _first_reason(ground: Ground) -> str:
    return next((error.reason for error in ground.failed.values()), "")


# --- after


def _judge_change(kit: Kit, journal: Journal, captured: Mapping[str, Captured]) -> None:
    """Compare with the last point; what a person should see is told, nothing is stopped."""
    points = kit.store.points(journal.run.backup_set)
    for name, found in captured.items():
        old = points[0].member(name) if points else None
        if old is not None:
            journal.findings += change.judge_tree(old, found.snapshot)
        kept = _kept_manifest(kit, journal.run.backup_set, name)
        if found.manifest.suffix == ".json" and kept.exists():
            try:
                before = dumped.read_manifest(found.snapshot.kind, kept)
            except ValueError:  # a power cut may have cut it off
                journal.find(Severity.NOTE, "manifest.unreadable", member=name)
                continue
            now = dumped.read_manifest(found.snapshot.kind, found.manifest)
            journal.findings += change.judge_tables(before, now)


def _write_record(
    work: Work, point: RecoveryPoint, captured: Mapping[str, Captured]
) -> RecoveryPoint:
    """Close the point in the repository: its manifests and what is known of its run."""
    kit, journal = work.kit, work.journal
    home = work.scratch / RECORD
    home.mkdir(mode=0o700)
    for found in captured.values():
        (home / found.manifest.name).hardlink_to(found.manifest)
    body = {
        "version": record.VERSION,
        "opsd": __version__,
        "at": kit.clock().isoformat(),
        "run": record.plain(journal.run),
        "point": record.plain(point),
        "evidence": [record.plain(e) for e in kit.store.all_evidence(journal.run.id)],
        "findings": [record.plain_finding(found) for found in journal.findings],
        "manifests": {name: found.manifest.name for name, found in captured.items()},
    }
    (home / RECORD_FILE).write_text(record.to_json(body), encoding="utf-8")
    head = kit.store.head()
    marks = (
        f"at:{point.at.isoformat()}",
        f"complete:{'yes' if point.complete else 'no'}",
        f"audit:{head.number}:{head.digest}",
        *(f"{HOLDS}{name}" for name in captured),
    )
    summary = work.store(work.source(home, RECORD, marks))
    return replace(point, record=summary.snapshot, record_root=str(home))


def _read_back(
    kit: Kit,
    journal: Journal,
    point: RecoveryPoint,
    storage: Storage | None,
    before: frozenset[str],
) -> None:
    """Do the snapshots that restic told of lie in the storage, unharmed?"""
    wanted = {member.snapshot for member in point.members} | {point.record}
    if storage is None:
        listed = kit.restic(point.repository).snapshots(TAG, f"run:{point.id}")
        present = {snapshot.id for snapshot in listed}
    else:
        objects = list(storage.objects())
        present = {
            o.name
            for o in objects
            if o.kind == "snapshots" and o.name in wanted and stock.sound(storage, o)
        }
        _note_written(journal, objects, before)
    if missing := wanted - present:
        raise StorageFailed(
            "repository.not_written", repository=point.repository, snapshots=sorted(missing)
        )


def _note_written(
    journal: Journal, objects: Iterable[StoredObject], before: frozenset[str]
) -> None:
    written = [o for o in objects if o.name not in before]
    body = {"objects": [o.name for o in written], "bytes": sum(o.size for o in written)}
    journal.evidence("written", body)


def _kept_manifest(kit: Kit, backup_set: str, name: str) -> Path:
    return kit.manifest(backup_set, name).with_suffix(".json")


def _keep_manifests(kit: Kit, journal: Journal, captured: Mapping[str, Captured]) -> None:
    """Keep the manifests for the next run: known digests, and what to compare with."""
    for name, found in captured.items():
        kept = kit.manifest(journal.run.backup_set, name)
        if found.manifest.suffix == ".json":
            kept = _kept_manifest(kit, journal.run.backup_set, name)
        kept.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        draft = kept.with_name(kept.name + ".draft")
        shutil.copyfile(found.manifest, draft)
        draft.replace(kept)
