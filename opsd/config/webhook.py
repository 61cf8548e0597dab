"""The way in for Alertmanager: who may use it, and which of its alerts open an incident."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.catalogue import Size
from opsd.config.options import Options
from opsd.config.secret import Secret, secret
from opsd.config.units import PositiveBytes, PositiveDuration
from opsd.config.values import AbsolutePath, Credential, SecretFile, Text

Alerts = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class Opening(Options):
    """Alerts that open an incident."""

    alert: Text
    """Their name (`alertname`), as it is written in the rule."""

    labels: Mapping[Text, Text] = {}
    """Labels that must be so, all of them. None: whatever they are."""


class Webhook(Options):
    """Who may hand in alerts, and what follows from them. On the admin port, `/-/alerts`."""

    token_file: SecretFile | None = None
    """File with the token that Alertmanager shows (`http_config.authorization`), readable by its
    owner alone."""

    token_credential: Credential | None = None
    """Name of the systemd credential that holds the token."""

    client_ca_file: AbsolutePath | None = None
    """File with the authority of client certificates, in PEM: who shows one of it may hand in
    alerts. Needs `web.admin.certificate_file`."""

    incidents: Annotated[tuple[Opening, ...], Field(strict=False)] = ()
    """The alerts that open an incident. opsd's own never do: their checks have one already."""

    watchdog: Text | None = None
    """The alert that fires always (`Watchdog`): when it stays away, the way of alerts is cut, and
    opsd says so itself. None: it is not waited for."""

    watchdog_within: PositiveDuration = timedelta(minutes=15)
    """How long it may stay away: some `repeat_interval`s of its route."""

    max_body: PositiveBytes = Size(16 << 20)
    """The longest message that is read."""

    max_alerts: Alerts = 20_000
    """The most alerts in one message."""

    @property
    def token(self) -> Secret | None:
        """What Alertmanager shows."""
        return secret(self.token_file, self.token_credential)
