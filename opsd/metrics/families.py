"""What a metric is, and those that tell of the daemon, of backups and of proofs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Family:
    """One metric; its help is one line without a backslash."""

    name: str
    labels: tuple[str, ...]
    help: str

    @property
    def kind(self) -> str:
        """Counters are told by their name, as Prometheus asks."""
        return "counter" if self.name.endswith("_total") else "gauge"

    @property
    def heading(self) -> str:
        """What stands above its samples."""
        return f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.kind}\n"


_SET = ("backup_set",)
_LEVEL = ("backup_set", "repository", "level")

_DAEMON = (
    Family("opsd_build_info", ("version", "python_version"), "Facts about this opsd; always 1."),
    Family(
        "opsd_config_last_reload_successful",
        (),
        "1 when the last reading of the configuration succeeded, 0 while an older one is in use.",
    ),
    Family(
        "opsd_config_last_reload_success_timestamp_seconds",
        (),
        "Time of the last successful reading of the configuration.",
    ),
    Family("opsd_log_messages_total", ("level",), "Messages that opsd has written into its log."),
    Family("opsd_scheduler_last_tick_timestamp_seconds", (), "Last sign of life of the scheduler."),
    Family("opsd_scheduler_next_run_timestamp_seconds", _SET, "Time of the next planned backup."),
    Family(
        "opsd_scheduler_missed_runs_total",
        _SET,
        "Slots of the schedule whose backup did not begin within 15 minutes.",
    ),
    Family(
        "opsd_repository_free_bytes",
        ("repository",),
        "Space left on the disk of a local repository; absent while the disk does not answer.",
    ),
    Family(
        "opsd_repository_size_bytes",
        ("repository",),
        "Size of all stored objects when they were last listed by a coverage (cached).",
    ),
    Family(
        "opsd_repository_last_list_success_timestamp_seconds",
        ("repository",),
        "When that was.",
    ),
)


def _runs(task: str) -> tuple[Family, ...]:
    """What is told alike of backups and proofs."""
    begin = f"opsd_{task}"
    return (
        Family(f"{begin}_runs_total", _SET, f"Every {task} that ended, however it ended."),
        Family(
            f"{begin}_run_failures_total",
            ("backup_set", "reason"),
            f"Every {task} that did not do all it was for, by reason.",
        ),
        Family(f"{begin}_in_progress", _SET, f"1 while a {task} goes on, else 0."),
        Family(f"{begin}_last_start_timestamp_seconds", _SET, f"Beginning of the last {task}."),
        Family(
            f"{begin}_last_completion_timestamp_seconds",
            _SET,
            f"End of the last {task} that ended, good or bad.",
        ),
        Family(f"{begin}_last_duration_seconds", _SET, f"Duration of the last {task} that ended."),
        Family(
            f"{begin}_last_phase_duration_seconds",
            ("backup_set", "phase"),
            f"Duration of each phase of the last {task} that ended.",
        ),
    )


_BACKUP = (
    *_runs("backup"),
    Family("opsd_backup_last_success_timestamp_seconds", _SET, "End of the last good backup."),
    Family("opsd_backup_last_processed_bytes", _SET, "Bytes read by the last good backup."),
    Family(
        "opsd_backup_last_processed_files", _SET, "Files and tables read by the last good backup."
    ),
    Family(
        "opsd_backup_last_added_bytes", _SET, "Bytes the last good backup added to the repository."
    ),
    Family("opsd_backup_points", _SET, "Recovery points that are kept."),
    Family(
        "opsd_backup_newest_point_timestamp_seconds",
        _SET,
        "The moment that the data of the newest recovery point is from.",
    ),
    Family(
        "opsd_backup_newest_point_complete",
        _SET,
        "1 when the newest recovery point has every member whole, else 0.",
    ),
    Family(
        "opsd_backup_max_age_seconds", _SET, "Configured limit for the age of the last success."
    ),
    Family("opsd_recovery_point_objective_seconds", _SET, "Configured recovery point objective."),
    Family("opsd_recovery_time_objective_seconds", _SET, "Configured recovery time objective."),
    Family(
        "opsd_run_progress_ratio",
        _SET,
        "Part of the present phases that is done, 0 to 1; absent while that is not known.",
    ),
)

_PROOF = (
    *_runs("proof"),
    Family(
        "opsd_proof_last_success_timestamp_seconds",
        _LEVEL,
        "Last time that a recovery point reached this level of proof or a higher one.",
    ),
    Family(
        "opsd_proof_newest_point_timestamp_seconds",
        _LEVEL,
        "The moment of the newest data that reached this level of proof or a higher one.",
    ),
    Family("opsd_proof_last_read_bytes", _SET, "Stored bytes that the last good proof read back."),
    Family(
        "opsd_proof_oldest_read_timestamp_seconds",
        ("backup_set", "repository"),
        "Since when every stored object was read and hashed: the last read of the oldest.",
    ),
    Family("opsd_proof_last_restored_files", _SET, "Files that the last good proof restored."),
    Family("opsd_proof_last_restored_bytes", _SET, "Bytes of files the last good proof restored."),
    Family("opsd_proof_last_restored_rows", _SET, "Rows that the last good proof restored."),
    Family(
        "opsd_proof_last_reconciled_rows",
        _SET,
        "Rows whose files the last good proof found in the restored tree, unchanged.",
    ),
    Family(
        "opsd_proof_last_restore_duration_seconds",
        _SET,
        "Time the last good proof needed to fetch and load what it restored.",
    ),
)

_COVERAGE = (
    *_runs("coverage"),
    Family(
        "opsd_coverage_max_age_seconds",
        ("backup_set", "repository"),
        "Configured time within which every stored object is read again.",
    ),
    Family(
        "opsd_coverage_last_read_bytes", _SET, "Stored bytes that the last coverage read again."
    ),
    Family(
        "opsd_coverage_unread_objects",
        _SET,
        "Stored objects that were never read, after the last coverage.",
    ),
    Family(
        "opsd_coverage_damaged_objects",
        _SET,
        "Stored objects that were not what was written, after the last coverage.",
    ),
)

_RETENTION = (
    *_runs("retention"),
    Family(
        "opsd_retention_last_success_timestamp_seconds", _SET, "End of the last good retention."
    ),
    Family("opsd_retention_dropped_points_total", _SET, "Recovery points that were dropped."),
    Family(
        "opsd_retention_frozen",
        ("backup_set", "cause"),
        "1 while this keeps retention frozen until a person acknowledges it, else 0.",
    ),
    Family("opsd_retention_holds", _SET, "Legal holds in force."),
)

_AUDIT = (
    Family(
        "opsd_audit_chain_last_verified_timestamp_seconds",
        (),
        "Last time that the audit chain was found whole.",
    ),
    Family("opsd_audit_chain_lines", (), "Lines of the audit chain."),
)

OF_THE_HISTORY: Final = (*_DAEMON, *_BACKUP, *_PROOF, *_COVERAGE, *_RETENTION, *_AUDIT)
