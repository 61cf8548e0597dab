"""A member that the site's own commands take, bring back and look at (docs/command-members.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from opsd.catalogue import Size
from opsd.config.options import Options
from opsd.config.secret import Secret, secret
from opsd.config.units import PositiveBytes, PositiveDuration
from opsd.config.values import Credential, SecretFile, Text, program


def _runnable(argv: tuple[str, ...]) -> tuple[str, ...]:
    program(argv[0])
    return argv


class SiteCommand(Options):
    """A command of the site, and how much of the machine it may take."""

    argv: Annotated[tuple[Text, ...], Field(strict=False, min_length=1), AfterValidator(_runnable)]
    """Program and arguments. No shell reads them."""

    timeout: PositiveDuration = timedelta(hours=1)
    """How long it may take."""

    memory: PositiveBytes = Size(2 << 30)
    """Memory that it may use, with all that it starts."""

    output: PositiveBytes = Size(50 << 30)
    """Bytes that it may write."""


class CommandMember(Options):
    """Anything else, taken by commands of the site."""

    kind: Literal["command"]
    """Whatever the site's own commands can take and bring back."""

    produce: SiteCommand
    """Takes the data, and says what is in it."""

    restore: SiteCommand
    """Brings the data back from what was taken."""

    verify: SiteCommand
    """Says what is in the data that was brought back."""

    passfile: SecretFile | None = None
    """File with whatever the commands need to be let in, readable by its owner alone."""

    passfile_credential: Credential | None = None
    """Name of the systemd credential that holds such a file."""

    @property
    def passwords(self) -> Secret | None:
        """The file with what lets them in."""
        return secret(self.passfile, self.passfile_credential)
