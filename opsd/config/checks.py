"""What is asked of hosts, how often, and where worry begins: one group of options a check."""

from __future__ import annotations

from opsd.config.check import CheckOptions
from opsd.config.disks import (
    DiskErrorsOptions,
    DiskLatencyOptions,
    DiskSpeedOptions,
    FilesystemsOptions,
    RaidOptions,
    SmartOptions,
    VolumesOptions,
)
from opsd.config.machines import (
    BootOptions,
    CertificatesOptions,
    ClockOptions,
    LoadOptions,
    MemoryOptions,
    PluginsOptions,
    TemperatureOptions,
    UnitsOptions,
)
from opsd.config.options import Options


class Checks(Options):
    """The options of every check."""

    load: LoadOptions = LoadOptions()
    """Processes that want to run, for each processor."""

    memory: MemoryOptions = MemoryOptions()
    """Memory that is left, swapping, and what was killed for want of it."""

    filesystems: FilesystemsOptions = FilesystemsOptions()
    """Room on each filesystem, until when it lasts, and whether it answers."""

    disk_latency: DiskLatencyOptions = DiskLatencyOptions()
    """How long reads and writes wait while the host works."""

    disk_speed: DiskSpeedOptions = DiskSpeedOptions()
    """How fast disks read and write, tried out with fio."""

    disk_errors: DiskErrorsOptions = DiskErrorsOptions()
    """What the kernel could not read or write."""

    smart: SmartOptions = SmartOptions()
    """What disks say of their own health."""

    raid: RaidOptions = RaidOptions()
    """Software RAID."""

    volumes: VolumesOptions = VolumesOptions()
    """LVM: thin pools, snapshots, missing disks."""

    temperature: TemperatureOptions = TemperatureOptions()
    """Sensors."""

    boot: BootOptions = BootOptions()
    """Whether the machine restarted."""

    units: UnitsOptions = UnitsOptions()
    """Units of systemd."""

    clock: ClockOptions = ClockOptions()
    """How far the clock is off."""

    certificates: CertificatesOptions = CertificatesOptions()
    """Files with certificates and keys."""

    plugins: PluginsOptions = PluginsOptions()
    """Any monitoring plugin that is on the host."""

    def options(self, check: str) -> CheckOptions:
        """The options of the check of this name."""
        found = getattr(self, check)
        assert isinstance(found, CheckOptions)  # noqa: S101  (a test closes the names)
        return found

    def over(self, site: Checks) -> Checks:
        """What is written here, and for all else what is written for the whole site."""
        own = {name: getattr(self, name) for name in self.model_fields_set}
        merged = {
            name: site.options(name).model_copy(
                update={option: getattr(group, option) for option in group.model_fields_set}
            )
            for name, group in own.items()
        }
        return site.model_copy(update=merged)
