"""Metrics of the logs of database servers: who has them, how far, and what is at risk."""

from __future__ import annotations

from typing import Final

from opsd.metrics.families import Family

_MEMBER = ("backup_set", "member")
_RECEIVER = (*_MEMBER, "receiver")
_REPOSITORY = (*_MEMBER, "repository")

OF_LOGS: Final = (
    Family(
        "opsd_wal_synchronous",
        _MEMBER,
        "1 when commits wait for the agreed receivers and no setting makes them less safe, else 0;"
        " absent while that is not known.",
    ),
    Family("opsd_wal_waiting_commits", _MEMBER, "Commits that wait for receivers now."),
    Family(
        "opsd_wal_exposed_bytes",
        _MEMBER,
        "Log that too few receivers have while commits wait for fewer, as fall_back_after says.",
    ),
    Family(
        "opsd_wal_server_free_bytes",
        _MEMBER,
        "Space left on the disk of the server's own log; absent while that is not known.",
    ),
    Family("opsd_wal_receiver_up", _RECEIVER, "1 while the receiver streams, else 0."),
    Family("opsd_wal_receiver_lag_bytes", _RECEIVER, "Log the receiver does not have safely yet."),
    Family(
        "opsd_wal_receiver_held_timestamp_seconds",
        _RECEIVER,
        "The receiver has every commit until this moment; absent while that is not known.",
    ),
    Family(
        "opsd_wal_receiver_restarts_total", _RECEIVER, "Times that the receiver was started again."
    ),
    Family("opsd_wal_receiver_free_bytes", _RECEIVER, "Space left on the disk of the receiver."),
    Family(
        "opsd_wal_receiver_aside_bytes",
        _RECEIVER,
        "Log of abandoned times that the receiver set aside; opsd deletes none of it.",
    ),
    Family(
        "opsd_wal_receiver_left_bytes",
        _RECEIVER,
        "Log with commits that the receiver has and the server lacks since it went to another"
        " timeline; absent while that is not known.",
    ),
    Family(
        "opsd_wal_slot_retained_bytes", _RECEIVER, "Log that the server keeps for the receiver."
    ),
    Family(
        "opsd_wal_repository_held_timestamp_seconds",
        _REPOSITORY,
        "The repository can bring back every commit until this moment; absent while that is not"
        " known, as where there is no base copy to replay the log onto.",
    ),
    Family("opsd_wal_repository_lag_bytes", _REPOSITORY, "Log that the repository lacks yet."),
    Family("opsd_wal_repository_gaps", _REPOSITORY, "Parts of the log that the repository lacks."),
    Family(
        "opsd_wal_base_newest_timestamp_seconds",
        _REPOSITORY,
        "From when on the newest base copy can be brought to any moment.",
    ),
    Family(
        "opsd_wal_base_last_added_bytes",
        _REPOSITORY,
        "Bytes that the newest base copy added to the repository.",
    ),
    Family(
        "opsd_wal_oldest_recoverable_timestamp_seconds",
        _REPOSITORY,
        "From when on the oldest base copy can be brought to any moment.",
    ),
    Family(
        "opsd_wal_replay_last_success_timestamp_seconds",
        _REPOSITORY,
        "End of the last good replay to a random moment.",
    ),
    Family(
        "opsd_wal_replay_last_achieved_timestamp_seconds",
        _REPOSITORY,
        "The newest commit that the last good replay brought back.",
    ),
    Family(
        "opsd_wal_compared_dump_timestamp_seconds",
        _REPOSITORY,
        "Moment of the dump that the last good replay equalled, table by table.",
    ),
    Family(
        "opsd_wal_replay_last_duration_seconds",
        _REPOSITORY,
        "Time the last good replay needed to fetch, verify and replay: the measured recovery time.",
    ),
    Family(
        "opsd_wal_recovery_predicted_duration_seconds",
        _REPOSITORY,
        "Time that a recovery to now would take at the speed of the last good replay;"
        " absent while that is not known.",
    ),
)
