"""The projection: history, schedule and configuration as samples, made anew for each scrape."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opsd import __version__, errors
from opsd.config.schema import BackupSet, Config
from opsd.keeping import Cause
from opsd.metrics import answered, limits, logged, people, probed, watched
from opsd.metrics.answered import Answered
from opsd.metrics.board import Board
from opsd.metrics.disk import Disks
from opsd.metrics.people import Reached, Told
from opsd.metrics.table import Page, Remembered
from opsd.metrics.watched import Watched
from opsd.model import Proof, RecoveryPoint, Run, Task
from opsd.policy import slots
from opsd.store import Store

# The tasks that have run metrics, and what these begin with.
_BEGINNINGS: Mapping[Task, str] = {
    Task.BACKUP: "opsd_backup",
    Task.PROVE: "opsd_proof",
    Task.COVER: "opsd_coverage",
    Task.RETAIN: "opsd_retention",
}
# Figures of a proof's evidence, and the metrics they become.
_FIGURES: Mapping[str, str] = {
    "read_bytes": "opsd_proof_last_read_bytes",
    "files": "opsd_proof_last_restored_files",
    "bytes": "opsd_proof_last_restored_bytes",
    "rows": "opsd_proof_last_restored_rows",
    "reconciled_rows": "opsd_proof_last_reconciled_rows",
}
# The phases of a proof that a restore would need too; comparing and hashing it would not.
_RESTORING = ("fetch", "load")


# Of repositories: when their objects were last listed, and how large they were together.
Listed = dict[str, tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the daemon knows of itself, now."""

    last_tick: datetime | None
    next_runs: Mapping[str, datetime]
    reload_successful: bool
    reloaded_at: datetime


@dataclass(frozen=True, slots=True)
class Sources:
    """What the metrics are read from; `config` and `vitals` are asked anew each time."""

    config: Callable[[], Config]
    store: Store
    alive: Callable[[Run], bool]
    board: Board = field(default_factory=Board)
    vitals: Callable[[], Vitals | None] = lambda: None
    watched: Callable[[], Watched] = Watched
    reached: Callable[[], Reached | None] = lambda: None
    told: Callable[[], Told] = Told
    answered: Callable[[], Answered | None] = lambda: None
    messages: Callable[[], Mapping[str, int]] = dict


class Collector:
    """Fills a page from the sources whenever Prometheus asks."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._disks = Disks()
        self._remembered = Remembered()

    def page(self) -> Page:
        """The page as it is now. Raises `StorageFailed` when the history cannot be read."""
        page, config = Page(self._remembered), self._sources.config()
        store = self._sources.store
        page.add("opsd_build_info", 1, __version__, platform.python_version())
        _tell_vitals(page, self._sources.vitals())
        for level, times in self._sources.messages().items():
            page.add("opsd_log_messages_total", times, level)
        limits.tell(page, config)
        under_way = {
            (run.task, run.backup_set) for run in store.unclosed_runs() if self._sources.alive(run)
        }
        listed: Listed = {}
        for name, backup_set in config.backup_sets.items():
            _tell_objectives(page, name, backup_set)
            for task in _BEGINNINGS:
                if task is Task.RETAIN and backup_set.retention is None:
                    continue
                _tell_runs(page, store, task, name)
                page.add(f"{_BEGINNINGS[task]}_in_progress", (task, name) in under_way, name)
            page.add(
                "opsd_scheduler_missed_runs_total",
                slots.missed(store.fired(Task.BACKUP, name)),
                name,
            )
            _tell_last_backup(page, store, name)
            _tell_points(page, store, name)
            _tell_levels(page, store, name)
            _tell_last_proof(page, store, name)
            _tell_coverage(page, store, name, config, listed)
            if backup_set.retention is not None:
                _tell_retention(page, store, name)
            if backup_set.logged or backup_set.streamed:
                logged.tell(page, store, name, backup_set)
            ratio = self._sources.board.line(name).ratio
            if ratio is not None:
                page.add("opsd_run_progress_ratio", ratio, name)
        self._tell_disks(page, config)
        for repository, (listed_at, size) in listed.items():
            page.add("opsd_repository_size_bytes", size, repository)
            at = listed_at.timestamp()
            page.add("opsd_repository_last_list_success_timestamp_seconds", at, repository)
        _tell_audit(page, store)
        seen = self._sources.watched()
        watched.tell(page, seen)
        answered.tell(page, self._sources.answered())
        probed.tell(page, config.probes, seen.counts)
        people.tell(page, self._sources.reached())
        people.tell_of_people(page, self._sources.told())
        return page

    def _tell_disks(self, page: Page, config: Config) -> None:
        for name, repository in config.repositories.items():
            free = self._disks.free(repository.path) if repository.path else None
            if free is not None:
                page.add("opsd_repository_free_bytes", free, name)


def reasons() -> tuple[str, ...]:
    """Every word that a run can fail by: those of the errors, and `partial`."""
    return tuple(sorted({"partial", *(kind.reason for kind in _tree(errors.OpsdError))}))


def _tree(kind: type[errors.OpsdError]) -> Iterator[type[errors.OpsdError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _tree(below)


def _tell_vitals(page: Page, vitals: Vitals | None) -> None:
    if vitals is None:
        return
    page.add("opsd_config_last_reload_successful", vitals.reload_successful)
    page.add("opsd_config_last_reload_success_timestamp_seconds", vitals.reloaded_at.timestamp())
    if vitals.last_tick is not None:
        page.add("opsd_scheduler_last_tick_timestamp_seconds", vitals.last_tick.timestamp())
    for name, at in vitals.next_runs.items():
        page.add("opsd_scheduler_next_run_timestamp_seconds", at.timestamp(), name)


def _tell_objectives(page: Page, name: str, backup_set: BackupSet) -> None:
    rpo, rto = backup_set.rpo.total_seconds(), backup_set.rto.total_seconds()
    page.add("opsd_backup_max_age_seconds", rpo, name)
    page.add("opsd_recovery_point_objective_seconds", rpo, name)
    page.add("opsd_recovery_time_objective_seconds", rto, name)


def _tell_runs(page: Page, store: Store, task: Task, name: str) -> None:
    begin = _BEGINNINGS[task]
    tally = store.tally(task, name)
    page.add(f"{begin}_runs_total", sum(tally.values()), name)
    for reason in sorted({*reasons(), *tally} - {""}):
        page.add(f"{begin}_run_failures_total", tally.get(reason, 0), name, reason)
    if newest := store.last_run(task, name):
        page.add(f"{begin}_last_start_timestamp_seconds", newest[0].opened_at.timestamp(), name)
    if ended := store.last_ended(task, name):
        run, closing = ended
        page.add(f"{begin}_last_completion_timestamp_seconds", closing.closed_at.timestamp(), name)
        page.add(f"{begin}_last_duration_seconds", closing.elapsed.total_seconds(), name)
        for phase, seconds in sorted(_figures(store, run, "phases").items()):
            page.add(f"{begin}_last_phase_duration_seconds", seconds, name, phase)


def _tell_last_backup(page: Page, store: Store, name: str) -> None:
    found = store.last_ended(Task.BACKUP, name, good=True)
    if found is None:
        return
    run, closing = found
    page.add("opsd_backup_last_success_timestamp_seconds", closing.closed_at.timestamp(), name)
    if point := store.point(run.id):
        for figure, metric in (
            ("bytes", "opsd_backup_last_processed_bytes"),
            ("files", "opsd_backup_last_processed_files"),
            ("added_bytes", "opsd_backup_last_added_bytes"),
        ):
            page.add(metric, _sum(point, figure), name)


def _sum(point: RecoveryPoint, figure: str) -> int:
    return sum(int(getattr(member, figure)) for member in point.members)


def _tell_points(page: Page, store: Store, name: str) -> None:
    page.add("opsd_backup_points", store.count_points(name), name)
    if point := store.newest_point(name):
        page.add("opsd_backup_newest_point_timestamp_seconds", point.at.timestamp(), name)
        page.add("opsd_backup_newest_point_complete", point.complete, name)


def _tell_levels(page: Page, store: Store, name: str) -> None:
    reached = store.reached(name)
    for repository in sorted({repository for repository, _ in reached}):
        for level in Proof:
            at_least = [
                times
                for (where, high), times in reached.items()
                if where == repository and high >= level
            ]
            if at_least:
                labels = (name, repository, level.word)
                at, data = (max(times) for times in zip(*at_least, strict=True))
                page.add("opsd_proof_last_success_timestamp_seconds", at.timestamp(), *labels)
                page.add("opsd_proof_newest_point_timestamp_seconds", data.timestamp(), *labels)


def _tell_last_proof(page: Page, store: Store, name: str) -> None:
    found = store.last_ended(Task.PROVE, name, good=True)
    if found is None:
        return
    figures = _figures(store, found[0], "proof")
    for figure, metric in _FIGURES.items():
        if figure in figures:
            page.add(metric, figures[figure], name)
    phases = _figures(store, found[0], "phases")
    spent = [phases[phase] for phase in _RESTORING if phase in phases]
    if spent:
        page.add("opsd_proof_last_restore_duration_seconds", sum(spent), name)


def _tell_coverage(page: Page, store: Store, name: str, config: Config, listed: Listed) -> None:
    """Add it; what it saw of the repository goes to `listed`, where several sets may share one."""
    repository = config.backup_sets[name].repository
    within = config.repositories[repository].coverage.within
    page.add("opsd_coverage_max_age_seconds", within.total_seconds(), name, repository)
    last = store.last_ended(Task.COVER, name)
    figures = _figures(store, last[0], "coverage") if last else {}
    for figure, metric in (
        ("read_bytes", "opsd_coverage_last_read_bytes"),
        ("unread", "opsd_coverage_unread_objects"),
        ("damaged", "opsd_coverage_damaged_objects"),
    ):
        if figure in figures:
            page.add(metric, figures[figure], name)
    size = figures.get("stored_bytes")
    if last and size is not None:
        seen = (last[0].opened_at, size)
        listed[repository] = max(seen, listed.get(repository, seen))
    if oldest := figures.get("oldest"):
        at = datetime.fromisoformat(oldest).timestamp()
        page.add("opsd_proof_oldest_read_timestamp_seconds", at, name, repository)


def _tell_retention(page: Page, store: Store, name: str) -> None:
    if found := store.last_ended(Task.RETAIN, name, good=True):
        at = found[1].closed_at.timestamp()
        page.add("opsd_retention_last_success_timestamp_seconds", at, name)
    page.add("opsd_retention_dropped_points_total", store.count_dropped(name), name)
    page.add("opsd_retention_holds", len(store.holds(name)), name)
    frozen = {freeze.cause for freeze in store.freezes(name)}
    for cause in Cause:
        page.add("opsd_retention_frozen", cause in frozen, name, cause.value)


def _tell_audit(page: Page, store: Store) -> None:
    page.add("opsd_audit_chain_lines", store.head().number)
    if at := store.last_verified():
        page.add("opsd_audit_chain_last_verified_timestamp_seconds", at.timestamp())


def _figures(store: Store, run: Run, kind: str) -> Mapping[str, Any]:
    return store.evidence(run.id, kind) or {}
