"""Options of the checks of a machine besides its disks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.config.check import CheckOptions, EachMinute, Part, Positive, Times
from opsd.config.options import Options, Truth
from opsd.config.units import PositiveDuration
from opsd.config.values import AbsolutePath, Name, Text, UnitName

Argv = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
Units = Annotated[tuple[UnitName, ...], Field(strict=False)]
Paths = Annotated[tuple[AbsolutePath, ...], Field(strict=False)]


class LoadOptions(CheckOptions):
    """`load`: processes that want to run, for each processor."""

    warning: Positive = 2.0
    """Five-minute load for each processor from which it is a warning."""

    critical: Positive = 5.0
    """The same, from which it is critical."""


class MemoryOptions(CheckOptions):
    """`memory`: what is left of it, swapping, and what the kernel killed for want of it."""

    warning: Part = 0.1
    """Available part from which it is a warning."""

    critical: Part = 0.04
    """The same, from which it is critical."""

    swapping: Positive = 2000.0
    """Pages swapped in and out a second from which it is a warning."""

    remember: PositiveDuration = timedelta(hours=1)
    """How long a killed process is told."""


class TemperatureOptions(EachMinute):
    """`temperature`: of whatever sensor can be read."""

    warning: Positive = 80.0
    """Degrees Celsius from which it is a warning, where the sensor knows no limit of its own."""

    critical: Positive = 95.0
    """The same, from which it is critical."""


class BootOptions(EachMinute):
    """`boot`: whether the machine restarted."""

    confirm: Times = 1
    """Answers in a row that are worse before its status is worse."""

    remember: PositiveDuration = timedelta(hours=1)
    """How long a restart is told."""


class UnitsOptions(EachMinute):
    """`units`: what systemd says of its units."""

    required: Units = ()
    """Units that must be active."""

    ignore: Units = ()
    """Units that may fail."""


class ClockOptions(EachMinute):
    """`clock`: how far the clock of the host is off."""

    warning: PositiveDuration = timedelta(seconds=1)
    """Offset from which it is a warning."""

    critical: PositiveDuration = timedelta(seconds=5)
    """The same, from which it is critical."""


class CertificatesOptions(CheckOptions):
    """`certificates`: files with certificates and keys on the host."""

    interval: PositiveDuration = timedelta(hours=1)
    """How often it is asked."""

    files: Paths = ()
    """Certificates in PEM; of a chain the first to expire counts."""

    keys: Paths = ()
    """Private keys: their rights are looked at, their content never."""

    warning: PositiveDuration = timedelta(days=21)
    """Time to expiry from which it is a warning."""

    critical: PositiveDuration = timedelta(days=7)
    """The same, from which it is critical."""


class Plugin(Options):
    """A program in the manner of the Nagios plugins."""

    command: Argv
    """The program on the host with its arguments. No shell reads them."""

    timeout: PositiveDuration = timedelta(seconds=10)
    """How long it may take."""

    title: Text | None = None
    """Its name for people."""


class PluginsOptions(EachMinute):
    """`plugins`: any monitoring plugin that is on the host."""

    programs: Mapping[Name, Plugin] = {}
    """Plugins by name."""

    figures: Truth = True
    """Whether their figures are exported."""
