"""A MariaDB database as a member."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from opsd.config.binlog import Binlog
from opsd.config.options import Options
from opsd.config.secret import Secret, secret
from opsd.config.values import AbsolutePath, Credential, HostName, SecretFile, Text


class MariadbMember(Options):
    """A MariaDB database."""

    kind: Literal["mariadb"]
    """A MariaDB database."""

    database: Text
    """Its name."""

    user: Text = "opsd_backup"
    """The account that reads it."""

    socket: AbsolutePath | None = None
    """The server's Unix socket, where it runs on this machine."""

    host: HostName | None = None
    """The server's machine, where it is another one."""

    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 3306
    """Its port."""

    passfile: SecretFile | None = None
    """Option file with the password (a group `[client]`), readable by its owner alone."""

    passfile_credential: Credential | None = None
    """Name of the systemd credential that holds such a file."""

    binlog: Binlog | None = None
    """The server's binary log, received while it is written. None: what is newer than the last
    backup is lost."""

    @property
    def passwords(self) -> Secret | None:
        """The option file with the password."""
        return secret(self.passfile, self.passfile_credential)
