"""What came in from Alertmanager and went out to people, as samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from opsd.metrics.table import Page
from opsd.people import AlertStatus
from opsd.store import Tally

# Why a channel may fail: docs/metrics.md.
REASONS: Final = ("auth", "connect", "program", "protocol", "refused", "timeout", "tls")


@dataclass(frozen=True, slots=True)
class Reached:
    """What came in. `heard` is when the heartbeat last did, where it is waited for."""

    requests: Mapping[int, int]
    alerts: Mapping[AlertStatus, int]
    known: int
    heard: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What went out: by channel, and the incidents that nobody took on."""

    channels: Mapping[str, Tally] = field(default_factory=dict)
    unowned: int = 0
    oldest_unowned: datetime | None = None
    pulses: Mapping[str, tuple[datetime | None, int]] = field(default_factory=dict)


def tell_of_people(page: Page, told: Told) -> None:
    """Add what people were told; reasons that never were count 0."""
    for channel, tally in told.channels.items():
        page.add("opsd_notifications_total", tally.sent, channel)
        page.add("opsd_notifications_given_up_total", tally.given_up, channel)
        page.add("opsd_notifications_waiting", tally.waiting, channel)
        for reason in sorted({*REASONS, *tally.failures}):
            failures = tally.failures.get(reason, 0)
            page.add("opsd_notification_failures_total", failures, channel, reason)
    for receiver, (arrived_at, failures) in told.pulses.items():
        page.add("opsd_heartbeat_failures_total", failures, receiver)
        if arrived_at is not None:
            at = arrived_at.timestamp()
            page.add("opsd_heartbeat_last_success_timestamp_seconds", at, receiver)
    if told.channels:
        page.add("opsd_incidents_unacknowledged", told.unowned)
    if told.oldest_unowned is not None:
        at = told.oldest_unowned.timestamp()
        page.add("opsd_incidents_oldest_unacknowledged_timestamp_seconds", at)


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
