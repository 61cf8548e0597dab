"""The machines that are watched, and how they are reached."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.config.checks import Checks
from opsd.config.options import Options, Truth
from opsd.config.secret import Secret, secret
from opsd.config.units import PositiveDuration
from opsd.config.values import AbsolutePath, Credential, HostName, Name, SecretFile, Text

Port = Annotated[int, Field(strict=True, ge=1, le=65535)]


class Host(Options):
    """A machine that is watched; without an address it is this one."""

    title: Text | None = None
    """Its name for people."""

    address: HostName | None = None
    """Name or address under which it is reached over SSH. Nothing: this machine itself."""

    port: Port = 22
    """Port of its SSH server."""

    user: HostName = "opsd"
    """Account there; it needs a shell and nothing else."""

    key_file: SecretFile | None = None
    """File with the private key, readable by its owner alone. Either this or `key_credential`."""

    key_credential: Credential | None = None
    """Name of the systemd credential that holds the private key."""

    known_hosts: AbsolutePath | None = None
    """File with its host key, in OpenSSH's format. A host whose key is not in it is refused."""

    connect_timeout: PositiveDuration = timedelta(seconds=3)
    """How long to wait for it to answer."""

    depends_on: Name | None = None
    """The host without which this one cannot be reached: that one's fault is not this one's."""

    node_exporter: Truth = False
    """Whether node_exporter runs there: opsd then exports no figures of the machine itself."""

    checks: Checks = Checks()
    """Where this host differs from `checks` of the whole site."""

    @property
    def key(self) -> Secret | None:
        """The private key."""
        return secret(self.key_file, self.key_credential)
