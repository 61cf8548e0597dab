"""How the two ports are guarded: who may ask, and by which certificate they know us."""

from __future__ import annotations

from collections.abc import Mapping

from opsd.config.options import Options
from opsd.config.secret import Secret, secret
from opsd.config.values import AbsolutePath, Credential, SecretFile


class Guard(Options):
    """What stands before one port. Changed files are used from the next connection on."""

    certificate_file: AbsolutePath | None = None
    """File with the certificate and those that lead to its authority, in PEM. With it the port
    speaks TLS and nothing else."""

    key_file: SecretFile | None = None
    """File with the certificate's private key in PEM, without a passphrase, readable by its owner
    alone. Either this or `key_credential`."""

    key_credential: Credential | None = None
    """Name of the systemd credential that holds the private key."""

    users_file: SecretFile | None = None
    """File with who may ask, a line each as `opsd config user NAME` prints it, readable by its
    owner alone."""

    users_credential: Credential | None = None
    """Name of the systemd credential that holds such a file."""

    @property
    def key(self) -> Secret | None:
        """The private key."""
        return secret(self.key_file, self.key_credential)

    @property
    def users(self) -> Secret | None:
        """The file with the users."""
        return secret(self.users_file, self.users_credential)


class Web(Options):
    """The guards of the ports."""

    metrics: Guard = Guard()
    """Before `listen`."""

    admin: Guard = Guard()
    """Before `admin_listen`. Beyond this machine it needs both a certificate and users."""

    @property
    def guards(self) -> Mapping[str, Guard]:
        """Each guard by its name."""
        return {"metrics": self.metrics, "admin": self.admin}
