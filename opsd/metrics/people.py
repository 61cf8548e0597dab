"""What came in from Alertmanager and went out to people, as samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opsd.metrics.table import Page
from opsd.people import AlertStatus


@dataclass(frozen=True, slots=True)
class Reached:
    """What came in. `heard` is when the heartbeat last did, where it is waited for."""

    requests: Mapping[int, int]
    alerts: Mapping[AlertStatus, int]
    known: int
    heard: datetime | None = None


def tell(page: Page, reached: Reached | None) -> None:
    """Add what came in, where there is a way in."""
    if reached is None:
        return
    for code, number in reached.requests.items():
        page.add("opsd_webhook_requests_total", number, str(int(code)))
    for status, number in reached.alerts.items():
        page.add("opsd_webhook_alerts_total", number, status.value)
    page.add("opsd_webhook_alerts_deduplicated_total", reached.known)
    if reached.heard is not None:
        at = reached.heard.timestamp()
        page.add("opsd_watchdog_last_received_timestamp_seconds", at)
