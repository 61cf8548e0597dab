"""Options of the checks of disks and what lies on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated

from pydantic import Field

from opsd.catalogue import Size
from opsd.config.check import CheckOptions, EachMinute, Part, Positive, Times
from opsd.config.options import Options
from opsd.config.units import Bytes, Duration, PositiveDuration
from opsd.config.values import AbsolutePath, Name, SmartDevice, TimeOfDay

Paths = Annotated[tuple[AbsolutePath, ...], Field(strict=False)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]


class FilesystemsOptions(CheckOptions):
    """`filesystems`: room on each, until when it lasts, and whether it answers."""

    exclude: Paths = ()
    """Mount points that are left out, with all below them."""

    required: Paths = ()
    """Mount points that must be mounted."""

    timeout: PositiveDuration = timedelta(seconds=2)
    """How long a network disk may take to answer."""

    free_warning: Part = 0.1
    """Free part of the bytes, or of the inodes, from which it is a warning."""

    free_critical: Part = 0.03
    """The same, from which it is critical."""

    full_within_warning: PositiveDuration = timedelta(days=14)
    """It is a warning when it will be full within this time, by what weeks have shown."""

    full_within_critical: PositiveDuration = timedelta(days=3)
    """The same, from which it is critical."""

    floor: Part = 0.4
    """As long as more than this part is free, no forecast is told as a worry."""

    fast_warning: PositiveDuration = timedelta(hours=12)
    """It is a warning when it will be full within this time, as it grew in the last half hour."""

    fast_critical: PositiveDuration = timedelta(hours=3)
    """The same, from which it is critical."""


class RaidOptions(EachMinute):
    """`raid`: software RAID (md)."""


class VolumesOptions(EachMinute):
    """`volumes`: LVM: thin pools, snapshots, missing disks."""

    warning: Part = 0.8
    """Used part of a thin pool, of its metadata or of a snapshot from which it is a warning."""

    critical: Part = 0.95
    """The same, from which it is critical."""


class DiskErrorsOptions(EachMinute):
    """`disk_errors`: what the kernel could not read or write."""

    remember: PositiveDuration = timedelta(hours=1)
    """How long an error is told after it happened."""

    critical: Times = 1
    """Errors in that time from which it is critical."""


class SmartOptions(CheckOptions):
    """`smart`: what disks say of their own health."""

    interval: PositiveDuration = timedelta(minutes=30)
    """How often it is asked."""

    confirm: Times = 1
    """Answers in a row that are worse before its status is worse."""

    devices: Mapping[Name, SmartDevice] = {}
    """Disks by name, each with smartctl's type: `sda: sat`, or with the path before it where many
    lie behind one controller: `bay0: /dev/sda megaraid,0`. Nothing: those that smartctl finds."""

    worn_warning: Part = 0.9
    """Used part of the life of a solid-state disk from which it is a warning."""


class DiskLatencyOptions(CheckOptions):
    """`disk_latency`: how long reads and writes wait while the host works, nothing added."""

    exclude: Names = ()
    """Devices that are left out."""

    warning: Positive = 200.0
    """Mean wait in milliseconds from which it is a warning."""

    critical: Positive = 1000.0
    """The same, from which it is critical."""

    usual_factor: Positive = 10.0
    """Mean wait, in times of what is usual for the disk, from which it is a warning."""

    stalled_warning: Part = 0.3
    """Part of the time in which nobody got on for waiting for disks, from which it is a warning;
    critical is only the disk that is to blame."""


class Window(Options):
    """A time of the day, by the clock of the host."""

    begins: TimeOfDay
    """When it begins."""

    ends: TimeOfDay
    """When it ends; before the beginning: on the next day."""

    @property
    def minutes(self) -> tuple[int, int]:
        """Beginning and end in minutes of the day."""
        return _minute(self.begins), _minute(self.ends)


class DiskSpeedOptions(CheckOptions):
    """`disk_speed`: how fast a disk reads and writes, tried out with fio."""

    interval: PositiveDuration = timedelta(hours=6)
    """How often it is asked."""

    confirm: Times = 1
    """Answers in a row that are worse before its status is worse."""

    recover: Times = 1
    """Answers in a row that are better before its status is better."""

    volumes: Mapping[Name, AbsolutePath] = {}
    """Directories that are tried, by the name of their volume. Nothing: none is."""

    drop_warning: Part = 0.3
    """Loss of speed against what is usual for the volume, from which it is a warning."""

    drop_critical: Part = 0.6
    """The same, from which it is critical."""

    slower_warning: Positive = 3.0
    """Median wait of a read or an fsync, in times of what is usual, from which it is a warning."""

    slower_critical: Positive = 10.0
    """The same, from which it is critical."""

    min_free: Bytes = Size(2 << 30)
    """With less room than this nothing is tried."""

    max_pressure: Part = 0.1
    """While more than this part of the last ten seconds stood still for disks, nothing is tried."""

    busy: Names = ("restic", "borg", "pg_dump", "pg_basebackup", "pgbackrest")
    """Programs on the host during which nothing is tried: backups that opsd does not know of."""

    window: Window | None = None
    """When it may be tried. Nothing: at any time."""

    patience: Duration = timedelta(days=2)
    """After so long without a figure it is unknown."""


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
