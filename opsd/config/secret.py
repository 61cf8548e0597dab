"""Secrets: named by the configuration, never in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from opsd.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies: a file, or a credential that systemd hands to the service."""

    file: Path | None = None
    credential: str | None = None

    def path(self) -> Path:
        """The file with the secret. Raises `ConfigError` when systemd gave no such credential."""
        if self.file is not None:
            return self.file
        directory = os.environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise ConfigError("config.credential_directory", name=self.credential)
        found = Path(directory) / str(self.credential)
        if not found.is_file():
            raise ConfigError("config.credential_missing", name=self.credential)
        return found


def secret(file: Path | None, credential: str | None) -> Secret | None:
    """The secret that two options name together, if they name one."""
    return Secret(file, credential) if file is not None or credential is not None else None
