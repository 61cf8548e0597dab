"""Metrics of what is watched: the state of each check, incidents and maintenance."""

from __future__ import annotations

from typing import Final

from opsd.metrics.families import Family

_CHECK = ("host", "check", "subject")
_ASKED = ("host", "check")
_LIMIT = ("host", "check", "option")

OF_THE_WATCH: Final = (
    Family(
        "opsd_check_status",
        _CHECK,
        "Confirmed status of a check: 0 ok, 1 warning, 2 critical, 3 unknown.",
    ),
    Family(
        "opsd_check_status_since_timestamp_seconds", _CHECK, "Since when the check has its status."
    ),
    Family("opsd_check_last_answer_timestamp_seconds", _CHECK, "Time of the newest answer."),
    Family("opsd_check_interval_seconds", _ASKED, "Configured interval of the check."),
    Family(
        "opsd_check_limit_seconds", _LIMIT, "Configured limit of a check that is a span of time."
    ),
    Family("opsd_check_limit_bytes", _LIMIT, "Configured limit of a check that is a size."),
    Family("opsd_check_limit", _LIMIT, "Configured limit of a check in the unit of its option."),
    Family("opsd_check_answers_total", _ASKED, "Answers of the check, one a subject."),
    Family(
        "opsd_check_bad_answers_total",
        ("host", "check", "cause"),
        "Answers of the check that were not good, by cause.",
    ),
    Family(
        "opsd_repository_locks",
        ("repository",),
        "Locks that lay in the repository when it was last looked at, of living and dead alike.",
    ),
    Family(
        "opsd_watch_missed_rounds_total",
        ("errand",),
        "Rounds that were left out because the one before was still under way.",
    ),
    Family(
        "opsd_incident_open",
        ("host", "check", "subject", "cause"),
        "1 while an incident is open; what another check explains opens none.",
    ),
    Family(
        "opsd_maintenance_active", ("host",), "1 while faults of the host are expected, else 0."
    ),
    Family(
        "opsd_maintenance_end_timestamp_seconds", ("host",), "When the maintenance window ends."
    ),
    Family(
        "opsd_watch_late_seconds",
        (),
        "How long after its time the newest errand began that only looks at this.",
    ),
    Family("opsd_threads", (), "Threads of opsd; each host that is asked has one."),
    Family(
        "opsd_store_writable",
        ("store",),
        "1 when the last attempt to write succeeded, a minute ago at most, else 0.",
    ),
    Family("opsd_ssh_connections_total", ("host",), "SSH connections that were tried."),
    Family(
        "opsd_ssh_connection_failures_total",
        ("host", "reason"),
        "SSH connections that could not be made, by reason.",
    ),
    Family("opsd_host_up", ("host",), "1 when the last round trip to the host succeeded, else 0."),
    Family("opsd_host_collection_duration_seconds", ("host",), "Duration of the last round trip."),
)
