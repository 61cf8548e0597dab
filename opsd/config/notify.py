"""How people are told: channels, each with its way to reach somebody."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from opsd.config.hosts import Port
from opsd.config.options import Options
from opsd.config.probe_values import Url
from opsd.config.secret import Secret, secret
from opsd.config.units import PositiveDuration
from opsd.config.values import AbsolutePath, Credential, HostName, SecretFile, Text

Addresses = Annotated[tuple[Text, ...], Field(strict=False)]


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class ChannelOptions(Options):
    """What all channels have."""

    to: Addresses = ()
    """Who is told where nobody is on duty, or there is no rota: addresses as this channel has
    them."""

    timeout: PositiveDuration = timedelta(seconds=20)
    """How long one try may take."""

    password_file: SecretFile | None = None
    """File with the secret that is shown: a password, or a token. Readable by its owner alone."""

    password_credential: Credential | None = None
    """Name of the systemd credential that holds it."""

    @property
    def password(self) -> Secret | None:
        """What is shown to the other side."""
        return secret(self.password_file, self.password_credential)


class MailChannel(ChannelOptions):
    """Mail over SMTP."""

    kind: Literal["mail"]
    """Mail over SMTP."""

    host: HostName
    """The mail server."""

    port: Port = 587
    """Its port."""

    security: Security = Security.STARTTLS
    """`starttls`, `tls`, or `none` where the server stands on this machine."""

    user: Text | None = None
    """Account at the mail server; with a password."""

    sender: Text
    """The address that mail comes from."""

    ca_file: AbsolutePath | None = None
    """Trusted authorities in PEM. Default: this machine's."""


class WebhookChannel(ChannelOptions):
    """A POST of JSON."""

    kind: Literal["webhook"]
    """A POST of JSON."""

    url: Url
    """Where it goes. The address that is told stands in the message as `to`."""

    ca_file: AbsolutePath | None = None
    """Trusted authorities in PEM. Default: this machine's."""


class CommandChannel(ChannelOptions):
    """A program that is given the text: of an SMS modem, say."""

    kind: Literal["command"]
    """A program."""

    argv: Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
    """Program and arguments; `{to}` becomes the address. The text comes on standard input."""


class AlertmanagerChannel(ChannelOptions):
    """Alertmanager, which tells whom it is told to."""

    kind: Literal["alertmanager"]
    """Alertmanager."""

    url: Url
    """Its address."""

    ca_file: AbsolutePath | None = None
    """Trusted authorities in PEM. Default: this machine's."""


Channel = Annotated[
    MailChannel | WebhookChannel | CommandChannel | AlertmanagerChannel,
    Field(discriminator="kind"),
]
