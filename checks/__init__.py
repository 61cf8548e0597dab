"""The checks that opsd knows.

The key is the name in the configuration, on the command line and in metrics. A check is one file
here, one line in this table, and its options in `opsd.config.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from checks.boot import Boot
from checks.certificates import Certificates
from checks.clock import Clock
from checks.disk_errors import DiskErrors
from checks.disk_latency import DiskLatency
from checks.disk_speed import DiskSpeed
from checks.filesystems import Filesystems
from checks.load import Load
from checks.memory import Memory
from checks.plugins import Plugins
from checks.raid import Raid
from checks.smart import Smart
from checks.temperature import Temperature
from checks.units import Units
from checks.volumes import Volumes
from opsd.check import Check

CHECKS: Final[Mapping[str, Callable[[Any], Check]]] = {
    "load": Load,
    "memory": Memory,
    "filesystems": Filesystems,
    "disk_latency": DiskLatency,
    "disk_speed": DiskSpeed,
    "disk_errors": DiskErrors,
    "smart": Smart,
    "raid": Raid,
    "volumes": Volumes,
    "temperature": Temperature,
    "boot": Boot,
    "units": Units,
    "clock": Clock,
    "certificates": Certificates,
    "plugins": Plugins,
}
