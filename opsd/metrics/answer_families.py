"""Metrics of the answering of incidents."""

from __future__ import annotations

from typing import Final

from opsd.metrics.families import Family

_PLAYBOOK = ("playbook",)

OF_ANSWERS: Final = (
    Family(
        "opsd_automation_configured",
        (),
        "1 where the configuration has opsd answer incidents by itself, else 0.",
    ),
    Family("opsd_automation_enabled", (), "0 while somebody has switched automation off, else 1."),
    Family(
        "opsd_playbook_enabled",
        _PLAYBOOK,
        "0 while somebody has switched the playbook off, else 1.",
    ),
    Family("opsd_playbook_runs_total", ("playbook", "trigger"), "Responses that ended."),
    Family(
        "opsd_playbook_run_failures_total",
        ("playbook", "reason"),
        "Responses that were started and did not mend it, by how they ended.",
    ),
    Family(
        "opsd_playbook_suppressions_total",
        ("playbook", "reason"),
        "Times that a playbook was held back, by reason.",
    ),
    Family("opsd_playbook_runs_in_progress", _PLAYBOOK, "Responses that are under way."),
    Family(
        "opsd_playbook_runs_unresolved",
        _PLAYBOOK,
        "Responses with a step of which nobody has said yet what became of it.",
    ),
    Family(
        "opsd_playbook_runs_resumed_total",
        ("playbook", "outcome"),
        "Responses that were settled after a crash: completed, rolled_back or handed_over.",
    ),
    Family(
        "opsd_playbook_verified_fixes_total",
        _PLAYBOOK,
        "Responses after which the check that raised the incident was content.",
    ),
    Family("opsd_playbook_approvals_pending", _PLAYBOOK, "Plans that wait for people to agree."),
    Family(
        "opsd_playbook_oldest_pending_approval_timestamp_seconds",
        _PLAYBOOK,
        "Since when the oldest of them waits; 0 where none does.",
    ),
    Family(
        "opsd_playbook_last_success_timestamp_seconds",
        _PLAYBOOK,
        "End of the last response that mended it.",
    ),
    Family(
        "opsd_playbook_last_duration_seconds",
        _PLAYBOOK,
        "Duration of the last response that was started and ended.",
    ),
    Family(
        "opsd_playbook_last_reaction_seconds",
        _PLAYBOOK,
        "Time from the opening of the incident to the start of the last response nobody was asked.",
    ),
    Family(
        "opsd_playbook_breaker_open",
        ("playbook", "host"),
        "1 while the playbook rests there because it was needed again and again, else 0.",
    ),
)
