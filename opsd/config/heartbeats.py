"""Signs of life for a dead-man switch on another machine (Healthchecks, or what speaks like it)."""

from __future__ import annotations

from datetime import timedelta

from opsd.config.options import Options
from opsd.config.secret import Secret, secret
from opsd.config.units import PositiveDuration
from opsd.config.values import AbsolutePath, Credential, Name, SecretFile
from opsd.errors import ConfigError


class Heartbeat(Options):
    """An address that complains when it hears nothing of the daemon, or of a set's backups."""

    url_file: SecretFile | None = None
    """File with the address: who knows it may write there, so that it is a secret. Either this or
    `url_credential`."""

    url_credential: Credential | None = None
    """Name of the systemd credential that holds it."""

    backup_set: Name | None = None
    """The set whose backups are told: start, success or failure, with an id. None: the daemon."""

    every: PositiveDuration = timedelta(minutes=1)
    """How often the daemon says that it lives."""

    timeout: PositiveDuration = timedelta(seconds=10)
    """How long one sign may take."""

    ca_file: AbsolutePath | None = None
    """Trusted authorities in PEM. Default: this machine's."""

    @property
    def url(self) -> Secret:
        """The address."""
        found = secret(self.url_file, self.url_credential)
        if found is None:
            raise ConfigError("config.neither", one="url_file", other="url_credential")
        return found
