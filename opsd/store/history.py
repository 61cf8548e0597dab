"""Reading and adding history. One writer at a time; readers never wait (SQLite's WAL)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from opsd import record
from opsd.model import (
    Closing,
    Evidence,
    Outcome,
    Proof,
    ProofReached,
    RecoveryPoint,
    Run,
    Task,
)
from opsd.store import schema
from opsd.store.wal import Exposures


class Store(Exposures):
    """The history in one SQLite file. Raises `StorageFailed` when it cannot be read or written."""

    # --- adding

    def open_run(self, run: Run) -> None:
        """Record that a run begins; done before its first effect."""
        self._add(
            schema.run,
            id=run.id,
            task=run.task.value,
            backup_set=run.backup_set,
            repository=run.repository,
            opened_at=run.opened_at,
            host=run.host,
            pid=run.pid,
            slot=run.slot,
        )

    def close_run(self, closing: Closing) -> None:
        """Record how a run ended; done after its last effect, once."""
        self._add(
            schema.closing,
            run=closing.run,
            closed_at=closing.closed_at,
            outcome=closing.outcome.value,
            elapsed_seconds=closing.elapsed.total_seconds(),
            reason=closing.reason,
            findings=[record.plain_finding(found) for found in closing.findings],
        )

    def add_evidence(self, evidence: Evidence) -> None:
        """Record what a run saw."""
        self._add(
            schema.evidence,
            run=evidence.run,
            at=evidence.at,
            kind=evidence.kind,
            body=dict(evidence.body),
        )

    def add_point(self, point: RecoveryPoint, *reached: ProofReached) -> None:
        """Record a recovery point with the levels it has reached, in one step.

        One that is known already is left as it is.
        """
        if self.point(point.id) is not None:
            return
        with self._writing() as connection:
            connection.execute(
                schema.point.insert().values(
                    id=point.id,
                    backup_set=point.backup_set,
                    repository=point.repository,
                    at=point.at,
                    complete=int(point.complete),
                    body=record.plain(point),
                )
            )
            for one in reached:
                connection.execute(schema.proof.insert().values(**_level(one)))

    def add_proof(self, reached: ProofReached) -> None:
        """Record that a point reached a level, or did not."""
        self._add(schema.proof, **_level(reached))

    # --- reading

    def run(self, run_id: str) -> Run | None:
        """The run of this id."""
        found = self._rows(select(schema.run).where(schema.run.c.id == run_id))
        return _run(found[0]) if found else None

    def runs(self, task: Task, backup_set: str) -> tuple[tuple[Run, Closing | None], ...]:
        """All runs of a task on a set, newest first, each with its end."""
        chosen = (
            self._with_closing()
            .where(schema.run.c.task == task.value, schema.run.c.backup_set == backup_set)
            .order_by(schema.run.c.opened_at.desc(), schema.run.c.id.desc())
        )
        return tuple(_run_and_closing(row) for row in self._rows(chosen))

    def last_run(
        self, task: Task, backup_set: str, *, good: bool = False
    ) -> tuple[Run, Closing | None] | None:
        """The newest run of a task on a set, or the newest good one."""
        chosen = self._with_closing().where(
            schema.run.c.task == task.value, schema.run.c.backup_set == backup_set
        )
        if good:
            outcomes = [outcome.value for outcome in Outcome if outcome.good]
            chosen = chosen.where(schema.closing.c.outcome.in_(outcomes))
        rows = self._rows(chosen.order_by(schema.run.c.opened_at.desc()).limit(1))
        return _run_and_closing(rows[0]) if rows else None

    def last_ended(
        self, task: Task, backup_set: str, *, good: bool = False
    ) -> tuple[Run, Closing] | None:
        """The newest run of a task on a set that came to an end, or the newest that ended well."""
        outcomes = [outcome.value for outcome in Outcome if outcome.good or not good]
        chosen = self._with_closing().where(
            schema.run.c.task == task.value,
            schema.run.c.backup_set == backup_set,
            schema.closing.c.outcome.in_(outcomes),
        )
        rows = self._rows(chosen.order_by(schema.run.c.opened_at.desc()).limit(1))
        run, closing = _run_and_closing(rows[0]) if rows else (None, None)
        return (run, closing) if run and closing else None

    def ended(self, task: Task, backup_set: str, slot: datetime) -> tuple[Run, Closing] | None:
        """The run of a slot that came to its end, be it a bad one; not one that was cut short."""
        table = schema.run
        chosen = self._with_closing().where(
            table.c.task == task.value,
            table.c.backup_set == backup_set,
            table.c.slot == slot,
            schema.closing.c.outcome != Outcome.INTERRUPTED.value,
        )
        rows = self._rows(chosen.order_by(table.c.opened_at.desc()).limit(1))
        run, closing = _run_and_closing(rows[0]) if rows else (None, None)
        return (run, closing) if run and closing else None

    def fired(self, task: Task, backup_set: str) -> tuple[tuple[Run, Outcome | None], ...]:
        """Every run that a schedule fired, oldest slot first, with its outcome when it has one."""
        chosen = (
            select(schema.run, schema.closing.c.outcome)
            .outerjoin(schema.closing)
            .where(
                schema.run.c.task == task.value,
                schema.run.c.backup_set == backup_set,
                schema.run.c.slot.is_not(None),
            )
            .order_by(schema.run.c.slot, schema.run.c.opened_at)
        )
        return tuple(
            (_run(row), Outcome(row.outcome) if row.outcome else None) for row in self._rows(chosen)
        )

    def unclosed_runs(self) -> tuple[Run, ...]:
        """Runs that were opened and never closed: under way, or dead."""
        chosen = self._with_closing().where(schema.closing.c.run.is_(None))
        return tuple(_run(row) for row in self._rows(chosen.order_by(schema.run.c.opened_at)))

    def spans(self, repository: str, host: str) -> tuple[tuple[datetime, datetime], ...]:
        """From when to when each run of a host on a repository went on that is over."""
        chosen = (
            select(schema.run.c.opened_at, schema.closing.c.closed_at)
            .join(schema.closing)
            .where(schema.run.c.repository == repository, schema.run.c.host == host)
        )
        return tuple((row.opened_at, row.closed_at) for row in self._rows(chosen))

    def begun(self, repository: str) -> datetime | None:
        """When the first run on a repository began that the history knows."""
        chosen = select(func.min(schema.run.c.opened_at)).where(
            schema.run.c.repository == repository
        )
        found: datetime | None = self._rows(chosen)[0][0]
        return found

    def tally(self, task: Task, backup_set: str) -> dict[str, int]:
        """How many closed runs ended for each reason; the good ones under the empty word."""
        chosen = (
            select(schema.closing.c.reason, func.count())
            .join(schema.run)
            .where(schema.run.c.task == task.value, schema.run.c.backup_set == backup_set)
            .group_by(schema.closing.c.reason)
        )
        return {row[0]: row[1] for row in self._rows(chosen)}

    def evidence(self, run_id: str, kind: str) -> Mapping[str, Any] | None:
        """The newest evidence of a kind that a run left."""
        table = schema.evidence
        chosen = select(table.c.body).where(table.c.run == run_id, table.c.kind == kind)
        rows = self._rows(chosen.order_by(table.c.id.desc()).limit(1))
        return rows[0].body if rows else None

    def told(
        self, backup_set: str, kind: str, most: int, *, besides: str = ""
    ) -> tuple[Mapping[str, Any], ...]:
        """The newest evidence of a kind that runs on a set left, oldest first.

        By the order in which it was written: a clock that leapt says nothing of what came last.
        """
        table, runs = schema.evidence, schema.run
        chosen = (
            select(table.c.body)
            .join(runs)
            .where(runs.c.backup_set == backup_set, table.c.kind == kind, runs.c.id != besides)
            .order_by(table.c.id.desc())
            .limit(most)
        )
        return tuple(row.body for row in reversed(self._rows(chosen)))

    def good_evidence(
        self, task: Task, backup_set: str, kinds: Collection[str], most: int
    ) -> tuple[tuple[datetime, Evidence], ...]:
        """What good runs of a task on a set left, newest first, with when each run closed."""
        table, ends = schema.evidence, schema.closing
        chosen = (
            select(table, ends.c.closed_at)
            .join(schema.run, schema.run.c.id == table.c.run)
            .join(ends, ends.c.run == table.c.run)
            .where(
                schema.run.c.task == task.value,
                schema.run.c.backup_set == backup_set,
                table.c.kind.in_(kinds),
                ends.c.outcome.in_([outcome.value for outcome in Outcome if outcome.good]),
            )
            .order_by(table.c.id.desc())
            .limit(most)
        )
        rows = self._rows(chosen)
        return tuple((r.closed_at, Evidence(r.run, r.at, r.kind, r.body)) for r in rows)

    def last_evidence(self, kind: str, host: str, unless: str) -> Mapping[str, Any] | None:
        """The newest evidence of a kind from a host's runs, without those that ended for a reason.

        By the order in which it was written, whatever the clock said then.
        """
        table, runs, closings = schema.evidence, schema.run, schema.closing
        chosen = (
            select(table.c.body)
            .join(runs, table.c.run == runs.c.id)
            .outerjoin(closings, closings.c.run == runs.c.id)
            .where(table.c.kind == kind, runs.c.host == host)
            .where(func.coalesce(closings.c.reason, "") != unless)
        )
        rows = self._rows(chosen.order_by(table.c.id.desc()).limit(1))
        return rows[0].body if rows else None

    def all_evidence(self, run_id: str) -> tuple[Evidence, ...]:
        """All that a run left, in order."""
        table = schema.evidence
        rows = self._rows(select(table).where(table.c.run == run_id).order_by(table.c.id))
        return tuple(Evidence(row.run, row.at, row.kind, row.body) for row in rows)

    def point(self, point_id: str) -> RecoveryPoint | None:
        """The recovery point of this id."""
        rows = self._rows(select(schema.point.c.body).where(schema.point.c.id == point_id))
        return record.noun(RecoveryPoint, rows[0].body) if rows else None

    def points(self, backup_set: str) -> tuple[RecoveryPoint, ...]:
        """All recovery points of a set that were not dropped, newest first."""
        table = schema.point
        chosen = select(table.c.body).where(table.c.backup_set == backup_set, _not_dropped())
        rows = self._rows(chosen.order_by(table.c.at.desc(), table.c.id.desc()))
        return tuple(record.noun(RecoveryPoint, row.body) for row in rows)

    def points_in(self, repository: str) -> tuple[RecoveryPoint, ...]:
        """All recovery points in a repository that were not dropped, of every set, newest first."""
        table = schema.point
        chosen = select(table.c.body).where(table.c.repository == repository, _not_dropped())
        rows = self._rows(chosen.order_by(table.c.at.desc(), table.c.id.desc()))
        return tuple(record.noun(RecoveryPoint, row.body) for row in rows)

    def bases_in(self, repository: str) -> int:
        """How many base copies were ever put into a repository, of every set."""
        table = schema.evidence
        chosen = select(table.c.body).join(schema.run)
        rows = self._rows(
            chosen.where(schema.run.c.task == Task.BASE.value, table.c.kind == "base")
        )
        return sum(row.body["repository"] == repository for row in rows)

    def count_points(self, backup_set: str) -> int:
        """How many recovery points of a set are known that were not dropped."""
        table = schema.point
        chosen = select(func.count()).where(table.c.backup_set == backup_set, _not_dropped())
        return int(self._rows(chosen.select_from(table))[0][0])

    def newest_point(self, backup_set: str) -> RecoveryPoint | None:
        """The recovery point of a set with the newest data."""
        table = schema.point
        chosen = select(table.c.body).where(table.c.backup_set == backup_set, _not_dropped())
        rows = self._rows(chosen.order_by(table.c.at.desc(), table.c.id.desc()).limit(1))
        return record.noun(RecoveryPoint, rows[0].body) if rows else None

    def reached(self, backup_set: str) -> dict[tuple[str, Proof], tuple[datetime, datetime]]:
        """For each repository and level: when it was last reached, and the newest data that did.

        What a later proof of the same point found wrong no longer counts.
        """
        proof, point, later = schema.proof, schema.point, schema.proof.alias()
        undone = (
            select(later.c.id)
            .where(
                later.c.point == proof.c.point,
                later.c.repository == proof.c.repository,
                later.c.id > proof.c.id,
                later.c.level <= proof.c.level,
                later.c.outcome == Outcome.FAILED.value,
            )
            .exists()
        )
        good = [outcome.value for outcome in Outcome if outcome.good]
        chosen = (
            select(proof.c.repository, proof.c.level, func.max(proof.c.at), func.max(point.c.at))
            .join(point, point.c.id == proof.c.point)
            .where(point.c.backup_set == backup_set, proof.c.outcome.in_(good), ~undone)
            .group_by(proof.c.repository, proof.c.level)
        )
        return {
            (repository, Proof(level)): (at, data)
            for repository, level, at, data in self._rows(chosen)
        }

    def proofs(self, point_id: str) -> tuple[ProofReached, ...]:
        """Every level that a point reached or failed to reach, in order."""
        table = schema.proof
        rows = self._rows(select(table).where(table.c.point == point_id).order_by(table.c.id))
        return tuple(
            ProofReached(
                row.run, row.point, row.repository, row.at, Proof(row.level), Outcome(row.outcome)
            )
            for row in rows
        )

    # --- inside

    def _with_closing(self) -> Select[Any]:
        return select(schema.run, schema.closing).outerjoin(schema.closing)


def _not_dropped() -> ColumnElement[bool]:
    gone = select(schema.dropped.c.point).where(schema.dropped.c.point == schema.point.c.id)
    return ~gone.exists()


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        task=Task(row.task),
        backup_set=row.backup_set,
        repository=row.repository,
        opened_at=row.opened_at,
        host=row.host,
        pid=row.pid,
        slot=row.slot,
    )


def _run_and_closing(row: Row[Any]) -> tuple[Run, Closing | None]:
    if row.outcome is None:
        return _run(row), None
    return _run(row), Closing(
        run=row.id,
        closed_at=row.closed_at,
        outcome=Outcome(row.outcome),
        elapsed=timedelta(seconds=row.elapsed_seconds),
        reason=row.reason,
        findings=tuple(record.finding(found) for found in row.findings),
    )


def _level(reached: ProofReached) -> dict[str, object]:
    return {
        "run": reached.run,
        "point": reached.point,
        "repository": reached.repository,
        "at": reached.at,
        "level": int(reached.level),
        "outcome": reached.outcome.value,
    }
