"""Metrics of what reaches opsd from Alertmanager, and of what reaches people from opsd."""

from __future__ import annotations

from typing import Final

from opsd.metrics.families import Family

OF_PEOPLE: Final = (
    Family(
        "opsd_webhook_requests_total", ("code",), "Requests of Alertmanager that were answered."
    ),
    Family("opsd_webhook_alerts_total", ("status",), "Alerts received, firing or resolved."),
    Family(
        "opsd_webhook_alerts_deduplicated_total",
        (),
        "Alerts received that were here before: same fingerprint, start and status.",
    ),
    Family(
        "opsd_watchdog_last_received_timestamp_seconds",
        (),
        "Last arrival of the alert that fires always, which opsd waits for.",
    ),
    Family(
        "opsd_heartbeat_last_success_timestamp_seconds",
        ("receiver",),
        "Last sign of life that a dead-man switch took.",
    ),
    Family("opsd_heartbeat_failures_total", ("receiver",), "Signs of life that it did not take."),
    Family("opsd_notifications_total", ("channel",), "Notices that the channel took."),
    Family(
        "opsd_notification_failures_total",
        ("channel", "reason"),
        "Tries to send a notice that failed, by reason; each is tried again.",
    ),
    Family(
        "opsd_notifications_given_up_total",
        ("channel",),
        "Notices that the channel never took, and that are too old now.",
    ),
    Family("opsd_notifications_waiting", ("channel",), "Notices that wait in the channel."),
    Family("opsd_incidents_unacknowledged", (), "Open incidents that nobody has taken on."),
    Family(
        "opsd_incidents_oldest_unacknowledged_timestamp_seconds",
        (),
        "When the oldest of them was opened; absent where there is none.",
    ),
)
