"""A repository: where it lies, what opens it, and how it is used."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.config.addresses import RepositoryUrl
from opsd.config.coverage import Coverage
from opsd.config.options import Options
from opsd.config.secret import Secret, secret
from opsd.config.units import Bytes, Duration, PositiveBytes
from opsd.config.values import Credential, SecretFile
from opsd.errors import ConfigError


class Repository(Options):
    """A restic repository: where snapshots lie, encrypted."""

    url: RepositoryUrl
    """An absolute path, `s3:https://host/bucket/prefix`, `sftp:user@host:/path` or
    `rest:https://host/path`. Never with a password in it."""

    password_file: SecretFile | None = None
    """File with the repository's password, readable by its owner alone. Either this or
    `password_credential`."""

    password_credential: Credential | None = None
    """Name of the systemd credential (`LoadCredential=`) with the repository's password."""

    s3_credentials_file: SecretFile | None = None
    """AWS shared-credentials file; for `s3:` only."""

    s3_credentials_credential: Credential | None = None
    """Name of the systemd credential that holds an AWS shared-credentials file; for `s3:` only."""

    lock_wait: Duration = timedelta(minutes=10)
    """How long to wait for somebody else's lock on the repository."""

    min_free: Bytes = Size(5 << 30)
    """Space that stays free on the disk of a local repository: a backup does not begin below it."""

    upload: PositiveBytes | None = None
    """Bytes a second that restic and base copies send there at most. None: no limit."""

    download: PositiveBytes | None = None
    """Bytes a second that restic and proofs of base copies fetch from there at most, but for
    restores that people ask for. None: no limit."""

    coverage: Coverage = Coverage()
    """How often everything in it is read again."""

    @property
    def path(self) -> Path | None:
        """The directory of a local repository; nothing for a remote one."""
        return Path(self.url) if self.url.startswith("/") else None

    @property
    def password(self) -> Secret:
        """The secret that opens the repository."""
        found = secret(self.password_file, self.password_credential)
        if found is None:
            raise ConfigError("config.neither", one="password_file", other="password_credential")
        return found

    @property
    def s3_credentials(self) -> Secret | None:
        """The secret that opens the bucket."""
        return secret(self.s3_credentials_file, self.s3_credentials_credential)
