"""The way in for Alertmanager in a running daemon."""

from __future__ import annotations

from collections.abc import Callable

from opsd import assembly
from opsd.config.schema import Config
from opsd.metrics import Reached
from opsd.tasks.incidents.intake import Intake
from opsd.tasks.kit import Kit
from opsd.web import Webhook


class Reception:
    """Takes alerts, where the configuration has a way in; `arrived` is told when one is new.

    Raises `ConfigError` or `OSError` where who may use it cannot be read, `StorageFailed` where the
    history cannot be opened.
    """

    def __init__(self, kit: Kit, config: Callable[[], Config], arrived: Callable[[], None]) -> None:
        self._alerts = assembly.alerts(kit.config)
        self._intake = Intake(self._alerts, config, kit.clock, arrived)
        options = kit.config.webhook
        self.webhook = Webhook(options, self._intake) if options else None

    def reached(self) -> Reached | None:
        """What came in, for the metrics."""
        if self.webhook is None:
            return None
        return Reached(
            requests=self.webhook.answered,
            alerts=self._intake.counted,
            known=self._intake.known,
            heard=self._alerts.last_heard(),
        )

    def close(self) -> None:
        """Let go of the history."""
        self._alerts.close()
