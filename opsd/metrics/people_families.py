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
)
