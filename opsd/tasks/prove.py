"""Prove a recovery point: check, read back, restore, compare, reconcile, and wipe.

Each level reached is recorded at once. A proof cannot pass on nothing, and it is void when a sample
that was damaged on purpose is not caught.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from opsd import record
from opsd.catalogue import Size
from opsd.drivers.process import Stop
from opsd.drivers.restic import Piece, Source
from opsd.errors import OpsdError, RepositoryDamaged, UsageError
from opsd.model import Closing, Finding, MemberKind, Outcome, Proof, RecoveryPoint, Severity, Task
from opsd.tasks import locks, room, sweep
from opsd.tasks.beside import beside
from opsd.tasks.journal import end, opened, outcome_of, scratch_failed
from opsd.tasks.kit import PROOF_RECORD, Kit, tags
from opsd.tasks.proving import reconcile, standing, storage, tree
from opsd.tasks.proving.bench import Bench
from opsd.tasks.proving.guard import guarded
from opsd.tasks.proving.standing import Answering, Standing
from opsd.tasks.turn import turn

PROOF_FILE = "proof.json"
# A loaded database takes its dump, its data with indexes, and its WAL.
_LOADED = 3


@dataclass(frozen=True, slots=True)
class Result:
    """How a proof ended, of which point, how far it came, and its figures."""

    closing: Closing
    point: RecoveryPoint
    level: Proof
    evidence: Mapping[str, Any]


def prove(kit: Kit, name: str, point_id: str | None = None) -> Result:
    """Prove the newest complete point of the set `name`, or the one named.

    A proof that fails is told in the result; an `OpsdError` is raised when it could not be made or
    the repository is damaged. Both are recorded.
    """
    backup_set = kit.backup_set(name)
    point = find_point(kit, name, point_id)
    sweep.sweep(kit)
    passed = sum(
        1 for _, closing in kit.store.runs(Task.PROVE, name) if closing and closing.outcome.good
    )
    with opened(kit, Task.PROVE, name, point.repository) as journal:
        bench = Bench(replace(kit, stop=Stop(kit.stop)), journal, backup_set, point, passed)
        with turn(journal), _wiping(bench):
            level = _prove(bench)
    assert journal.closing is not None  # noqa: S101  (`opened` closed it)
    return Result(journal.closing, point, level, bench.figures)


def find_point(kit: Kit, name: str, point_id: str | None) -> RecoveryPoint:
    """A point by its id (or its beginning), or the newest complete one. Raises `UsageError`."""
    points = kit.store.points(name)
    if point_id is None:
        found = [point for point in points if point.complete]
    else:
        found = [point for point in points if point.id.startswith(point_id)]
    if not found or (point_id is not None and len(found) > 1):
        raise UsageError("point.unknown", name=name, point=point_id or "-")
    return found[0]


def _prove(bench: Bench) -> Proof:
    """Climb the levels; the first that cannot be reached ends the proof."""
    journal, point = bench.journal, bench.point
    level = Proof.TAKEN
    try:
        with journal.phase("preflight"):
            _judge_room(bench)
            journal.workplace()
        with beside(bench.kit) as side:
            structure_judged = Event()
            reading = side.start(lambda kit: _read_back(bench.on(kit), structure_judged))
            try:
                _check_structure(bench.on(side.kit))
                level = _reached(bench, Proof.STRUCTURE_CHECKED)
            except BaseException as error:
                side.fail(error)
                raise
            finally:
                structure_judged.set()
            try:
                _restore_and_compare(bench.on(replace(side.kit, stop=Stop(side.kit.stop))))
            finally:  # a damage is named better by what is stored than by what cannot be restored
                reading.result()
                level = _reached(bench, Proof.DATA_READ)
        _judge_canaries(bench)
    except OpsdError as error:
        outcome = outcome_of(error, Task.PROVE)
        journal.reach(point.id, _next(level), outcome)
        if outcome is Outcome.FAILED:
            _keep_failure(bench, _next(level), error)
        raise
    finally:
        bench.figures["seconds"] = {k: round(v, 3) for k, v in journal.phases.items()}
        journal.evidence("proof", bench.figures)
    if not point.complete:
        journal.find(Severity.FAULT, "proof.incomplete", point=point.id)
    if journal.faults:
        journal.reach(point.id, Proof.RESTORED, Outcome.FAILED)
        _keep_failure(bench, Proof.RESTORED)
        end(journal, Outcome.FAILED, "integrity")
        return level
    _reached(bench, Proof.RESTORED)
    with journal.phase("record"):
        _write_record(bench)
    level = _reached(bench, Proof.PROVED)
    end(journal, Outcome.PASSED)
    return level


def _check_structure(bench: Bench) -> None:
    with bench.journal.phase("structure", bench.point.repository):
        bench.kit.reach(bench.point.repository)
        locks.settle(bench.journal)
        storage.check_structure(bench)
        _fetch_record(bench)


def _read_back(bench: Bench, structure_judged: Event) -> None:
    """Read what is stored. A damage is told when the structure has had its word."""
    with bench.journal.phase("read_back", bench.point.repository):
        try:
            storage.read_back(bench)
        except RepositoryDamaged:
            structure_judged.wait()
            raise


def _restore_and_compare(bench: Bench) -> None:
    """Restore the trees and beside them the databases; ask them everything, alone and together."""
    members = bench.point.members
    if not members:
        bench.journal.find(Severity.FAULT, "proof.no_members")
    with guarded(bench), beside(bench.kit) as side, ExitStack() as places:
        comparing = side.start(lambda kit: _compare_trees(bench.on(kit)))
        bench = bench.on(side.kit)
        dumped: dict[str, Standing] = {}
        for member in members:
            if member.kind is MemberKind.FILES:
                continue
            found = places.enter_context(standing.restored(bench, member))
            dumped[member.member] = found
            with bench.journal.phase("compare", member.member):
                found.compare()
        _reconcile(bench, dumped, comparing.result())
        for name, found in dumped.items():
            with bench.journal.phase("canary", name):
                found.finish()


def _compare_trees(bench: Bench) -> dict[str, Path]:
    """The manifest of each tree as restored."""
    trees = (m for m in bench.point.members if m.kind is MemberKind.FILES)
    return {member.member: tree.compare(bench, member) for member in trees}


def _reconcile(bench: Bench, dumped: Mapping[str, Standing], trees: Mapping[str, Path]) -> None:
    with bench.journal.phase("reconcile"):
        for rule in bench.backup_set.prove.reconcile:
            database = dumped.get(rule.database)
            if isinstance(database, Answering) and rule.files in trees:
                reconcile.reconcile(bench, rule, database, trees[rule.files])
            else:
                bench.journal.find(Severity.FAULT, "reconcile.not_possible", member=rule.files)


def _judge_canaries(bench: Bench) -> None:
    """A comparison that did not see planted damage has proved nothing."""
    blind = [what for what, caught in bench.figures.get("canaries", {}).items() if not caught]
    if blind:
        bench.journal.find(Severity.FAULT, "proof.blind", names=blind)


def _judge_room(bench: Bench) -> None:
    """Room for what will be restored, before anything is."""
    needed = sum(
        m.bytes // bench.part(m).parts if m.kind is MemberKind.FILES else _LOADED * m.bytes
        for m in bench.point.members
    )
    room.insist(bench.kit.config.scratch, needed)


def _fetch_record(bench: Bench) -> None:
    """The manifests as the repository has them: what a disaster would leave us."""
    point = bench.point
    if not point.record:
        raise RepositoryDamaged("proof.no_record", point=point.id)
    bench.fetch("record", Piece(point.record, point.record_root, bench.record))


def _keep_failure(bench: Bench, level: Proof, error: OpsdError | None = None) -> None:
    """Put a failure into the repository as well, if the repository still takes anything."""
    raised = error.finding(Severity.FAULT) if error else None
    reason = error.reason if error else "integrity"
    try:
        _write_record(bench, level, Outcome.FAILED, reason, (raised,) if raised else ())
    except (OpsdError, OSError) as also:
        found = Finding(Severity.NOTE, "proof.not_kept", {"point": bench.point.id}, str(also))
        bench.journal.findings.append(found)


def _write_record(
    bench: Bench,
    level: Proof = Proof.PROVED,
    outcome: Outcome = Outcome.PASSED,
    reason: str = "",
    besides: tuple[Finding, ...] = (),
) -> None:
    """Put the proof into the repository, beside what it proves: it outlives the history."""
    home = bench.scratch / PROOF_RECORD
    home.mkdir(mode=0o700)
    findings = (*bench.journal.findings, *besides)
    body = {
        "version": record.VERSION,
        "run": record.plain(bench.journal.run),
        "point": bench.point.id,
        "at": bench.kit.clock().isoformat(),
        "level": level.word,
        "outcome": outcome.value,
        "reason": reason,
        "figures": bench.figures,
        "findings": [record.plain_finding(found) for found in findings],
    }
    (home / PROOF_FILE).write_text(record.to_json(body), encoding="utf-8")
    names = tags(bench.point.backup_set, bench.journal.run.id, PROOF_RECORD)
    source = Source(home, bench.kit.config.host, names)
    bench.kit.restic(bench.point.repository).backup(source, limits=bench.limits)


def _reached(bench: Bench, level: Proof) -> Proof:
    bench.journal.reach(bench.point.id, level)
    return level


def _next(level: Proof) -> Proof:
    return Proof(min(level + 1, Proof.PROVED))


@contextmanager
def _wiping(bench: Bench) -> Iterator[None]:
    """Whatever happens, what was restored is wiped and the wiping recorded."""
    try:
        yield
    except OSError as error:
        raise scratch_failed(error) from error
    finally:
        try:
            bench.wipe(bench.scratch)
        except OSError as error:
            raise scratch_failed(error) from error
        files = sum(wiped.files for wiped in bench.wiped)
        size = sum(wiped.bytes for wiped in bench.wiped)
        bench.figures["wiped"] = {"files": files, "bytes": Size(size)}
        bench.journal.evidence("wiped", {"files": files, "bytes": size, "after_crash": False})
