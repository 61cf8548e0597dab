"""Alerts that come in: kept, and sorted into incidents, in one transaction a message."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from opsd.clock import Clock
from opsd.config.schema import Config
from opsd.people import Alert, AlertStatus, Fate, Received
from opsd.policy import alerting
from opsd.policy.alerting import Opening
from opsd.store import Alerts, Sorting, Way


@dataclass(frozen=True, slots=True)
class Taken:
    """How many alerts of a message were new, and how many were known."""

    new: int
    known: int


class Intake:
    """Takes messages of Alertmanager, from any thread; `arrived` is told when something is new."""

    def __init__(
        self,
        alerts: Alerts,
        config: Callable[[], Config],
        clock: Clock,
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        self._alerts = alerts
        self._config = config
        self._clock = clock
        self._arrived = arrived
        self._lock = threading.Lock()
        self._by_status: Counter[AlertStatus] = Counter()
        self._known = 0

    def take(self, body: bytes) -> Taken:
        """Keep what a message says. Raises `Malformed`; `StorageFailed` when nothing was kept."""
        config = self._config()
        assert config.webhook is not None  # noqa: S101  (nobody else has a page)
        found = alerting.read(body, config.webhook.max_alerts)
        beats = [one for one in found if one.name == config.webhook.watchdog]
        if any(one.status is AlertStatus.FIRING for one in beats):
            self._alerts.hear(self._clock())
        others = [one for one in found if one.name != config.webhook.watchdog]
        received = receive(self._alerts, config, others, self._clock)
        known = sum(one.fate is Fate.KNOWN for one in received)
        with self._lock:
            self._by_status.update(one.status for one in found)
            self._known += known
        if known < len(received):
            self._arrived()
        return Taken(len(received) - known, known)

    @property
    def counted(self) -> Mapping[AlertStatus, int]:
        """How many alerts arrived, by status."""
        with self._lock:
            return {status: self._by_status[status] for status in AlertStatus}

    @property
    def known(self) -> int:
        """How many of them were here before."""
        with self._lock:
            return self._known


def receive(
    alerts: Alerts, config: Config, found: Sequence[Alert], clock: Clock, way: Way = Way.TAKE
) -> tuple[Received, ...]:
    """What becomes of alerts by a configuration."""
    return alerts.take(found, clock(), sorting(config), way) if found else ()


def sorting(config: Config) -> Sorting:
    """How a configuration sorts alerts."""
    webhook = config.webhook
    openings = [Opening(one.alert, one.labels) for one in webhook.incidents] if webhook else []
    hosts = {name: host.address or "" for name, host in config.hosts.items()}
    return Sorting(
        subject=lambda one: alerting.subject(one, hosts),
        own=alerting.own,
        opens=lambda one: alerting.opens(one, openings),
    )
