"""The log of a PostgreSQL member: who receives it, where it is kept, and what if nobody does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.catalogue import Size
from opsd.config.addresses import Connection
from opsd.config.options import Options
from opsd.config.secret import Secret, secret
from opsd.config.units import Bytes, PositiveBytes, PositiveDuration
from opsd.config.values import AbsolutePath, Credential, Name, SecretFile, SlotName


class Receiver(Options):
    """A place that receives the log while it is written."""

    directory: AbsolutePath | None = None
    """Where it lies, an absolute path on this machine. None: another opsd, elsewhere, runs it."""

    slot: SlotName | None = None
    """Its replication slot on the server. Default: `opsd_` and the receiver's name."""

    application_name: SlotName | None = None
    """Its name in `synchronous_standby_names`. Default: the name of its slot."""

    connection: Connection | None = None
    """Another way to the server than the member's, in libpq keywords."""


class Wal(Options):
    """The log of a database server, received while it is written: what makes a loss seconds."""

    role: SlotName = "opsd_wal"
    """The role that receives it; it may replicate and nothing else."""

    passfile: SecretFile | None = None
    """File with that role's password in libpq's format. Default: the member's."""

    passfile_credential: Credential | None = None
    """Name of the systemd credential that holds such a file."""

    receivers: Annotated[Mapping[Name, Receiver], Field(min_length=1)]
    """Who receives the log. Two on different machines: one alone that fails makes commits wait."""

    wait_for: Annotated[int, Field(strict=True, ge=1)] = 1
    """How many receivers, whichever, must have a commit safely before it is acknowledged. With 2, a
    server and the disk of a receiver may be lost in the same instant."""

    fall_back_after: PositiveDuration | None = None
    """How long commits wait while there are fewer receivers than that, before the server goes on
    with those that there are; with none it goes on without protection. None: they wait."""

    slot_limit: PositiveBytes = Size(16 << 30)
    """What the server keeps at most for a receiver that is away; beyond it there is a gap. The
    server's own disk must have room for so much."""

    min_free: Bytes = Size(1 << 30)
    """Space that stays free on the disk of a receiver, and on the server's own."""

    keep: Bytes = Size(1 << 30)
    """Received log that stays with a receiver after every repository has it."""

    repositories: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """The repositories that take the log: directories or buckets. Default: that of the set."""

    ship_every: PositiveDuration = timedelta(seconds=5)
    """How often what was received goes to the repositories."""

    whole_every: PositiveDuration = timedelta(days=7)
    """How long base copies add only what changed since the one before, until one is taken that
    shares nothing. From PostgreSQL 17 on, with `summarize_wal = on` (`opsd wal setup`), only that
    is copied from the server, too."""

    cache_bases: bool = False
    """Whether the newest base copy stays in `cache`, so that a recovery on this machine need not
    fetch it. There must be room for the whole cluster, readable by root and opsd alone."""

    window: PositiveDuration = timedelta(days=14)
    """How far back any moment can be recovered. Older base copies and their log are dropped."""

    @property
    def passwords(self) -> Secret | None:
        """The file with the role's password."""
        return secret(self.passfile, self.passfile_credential)

    @property
    def here(self) -> Mapping[str, Receiver]:
        """The receivers that this machine runs."""
        return {name: one for name, one in self.receivers.items() if one.directory is not None}

    def slot(self, name: str) -> str:
        """The slot of a receiver."""
        return self.receivers[name].slot or f"opsd_{name.replace('-', '_')}"

    def application(self, name: str) -> str:
        """The name by which the server knows a receiver."""
        return self.receivers[name].application_name or self.slot(name)
