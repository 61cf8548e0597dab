"""The binary log of a MariaDB member: where it is received, where it is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.catalogue import Size
from opsd.config.options import Options
from opsd.config.units import Bytes, PositiveDuration
from opsd.config.values import AbsolutePath, Name


class Binlog(Options):
    """The binary log of a server, received while it is written: what makes a loss seconds."""

    directory: AbsolutePath
    """Where it is received on this machine, an absolute path."""

    min_free: Bytes = Size(1 << 30)
    """Space that stays free on its disk."""

    repositories: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """The repositories that take the log: directories or buckets. Default: that of the set."""

    ship_every: PositiveDuration = timedelta(seconds=5)
    """How often what was received goes to the repositories."""

    window: PositiveDuration = timedelta(days=14)
    """How far back any moment can be recovered. Older base copies and their log are dropped."""
