"""Metrics of the machines themselves: what checks of hosts measure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from opsd.metrics.families import Family


def _families(begin: str, labels: tuple[str, ...], helps: dict[str, str]) -> Iterator[Family]:
    """Families that begin alike and have the same labels."""
    return (Family(f"{begin}_{what}", labels, text) for what, text in helps.items())


_HOST = _families(
    "opsd_host",
    ("host",),
    {
        "load1": "Load average of 1 minute.",
        "load5": "Load average of 5 minutes.",
        "load15": "Load average of 15 minutes.",
        "memory_total_bytes": "Memory in all.",
        "memory_available_bytes": "Memory that new programs could have without swapping.",
        "swap_total_bytes": "Swap in all.",
        "swap_free_bytes": "Swap that is free.",
        "swap_in_pages_total": "Pages that came back from swap.",
        "swap_out_pages_total": "Pages that went to swap.",
        "oom_kills_total": "Processes that the kernel killed for want of memory.",
        "boot_timestamp_seconds": "Time when the host was started.",
        "clock_offset_seconds": "Clock of the host minus clock of opsd, half a round trip exact.",
        "clock_synchronized": "1 when the time service of the host says that the clock is kept.",
        "units_failed": "Units of systemd that failed, without those that may.",
        "pressure_io_waiting_seconds_total": "Time in which some task waited for disks (PSI some).",
        "pressure_io_stalled_seconds_total": "Time in which no task got on for disks (PSI full).",
    },
)

_DISK = _families(
    "opsd_host_disk",
    ("host", "device"),
    {
        "reads_completed_total": "Reads completed.",
        "read_bytes_total": "Bytes read.",
        "read_time_seconds_total": "Time spent by all reads.",
        "writes_completed_total": "Writes completed.",
        "written_bytes_total": "Bytes written.",
        "write_time_seconds_total": "Time spent by all writes.",
        "io_time_seconds_total": "Time with at least one read or write under way.",
        "io_time_weighted_seconds_total": "The same time, weighted with how many were under way.",
        "await_seconds": "Mean wait of reads and writes between the last two looks.",
        "queue_length": "Mean number of reads and writes under way between the last two looks.",
        "errors_total": "Errors that the kernel counts of the disk and of its filesystem.",
    },
)

_FILESYSTEM = _families(
    "opsd_host_filesystem",
    ("host", "mountpoint"),
    {
        "size_bytes": "Size of the filesystem.",
        "free_bytes": "Space that is free, for root.",
        "avail_bytes": "Space that is free, for everybody else.",
        "used_bytes": "Space that is used.",
        "files": "Inodes in all.",
        "files_free": "Inodes that are free.",
        "readonly": "1 when it is mounted read-only, else 0.",
        "device_error": "1 when it does not answer, or answers with an error, else 0.",
        "full_predicted_timestamp_seconds": "When it will be full; absent when it is not filling.",
    },
)

_DEVICES = (
    Family(
        "opsd_host_filesystem_info",
        ("host", "mountpoint", "device", "fstype"),
        "Facts about a filesystem; always 1.",
    ),
    *_families(
        "opsd_host_smart",
        ("host", "device"),
        {
            "healthy": "1 when the disk says of itself that it is well, else 0.",
            "lost_sectors": "Sectors that cannot be read, or were replaced.",
            "worn_ratio": "Used part of the life of a solid-state disk.",
            "temperature_celsius": "Temperature of the disk.",
        },
    ),
    *_families(
        "opsd_host_raid",
        ("host", "device"),
        {
            "disks_required": "Disks that the array should have.",
            "disks_active": "Disks that work in it.",
        },
    ),
    *_families(
        "opsd_host_volume",
        ("host", "volume"),
        {
            "used_ratio": "Used part of a thin pool or of a snapshot.",
            "metadata_used_ratio": "Used part of the metadata of a thin pool.",
        },
    ),
    *_families(
        "opsd_host_volume_group",
        ("host", "group"),
        {"size_bytes": "Size of the volume group.", "free_bytes": "What no volume has."},
    ),
    Family("opsd_host_temperature_celsius", ("host", "sensor"), "Temperature of a sensor."),
    Family("opsd_host_unit_active", ("host", "unit"), "1 when a required unit is active, else 0."),
    Family(
        "opsd_host_certificate_expiry_timestamp_seconds",
        ("host", "file"),
        "When the first certificate of a file expires.",
    ),
    Family(
        "opsd_plugin_value",
        ("host", "plugin", "label"),
        "Figure of a monitoring plugin, in seconds, bytes or parts of one.",
    ),
)

_VOLUME = ("host", "volume")
_PROBE = (
    Family("opsd_disk_probe_runs_total", _VOLUME, "Disk speed probes that ended."),
    Family(
        "opsd_disk_probe_run_failures_total",
        (*_VOLUME, "reason"),
        "Disk speed probes that failed, by reason.",
    ),
    Family(
        "opsd_disk_probe_skips_total",
        (*_VOLUME, "reason"),
        "Disk speed probes that were skipped so as not to disturb, by reason.",
    ),
    *_families(
        "opsd_disk_probe",
        _VOLUME,
        {
            "last_success_timestamp_seconds": "Time of the last probe that gave figures.",
            "read_bytes_per_second": "Sequential read speed in the last probe (cached).",
            "write_bytes_per_second": "Sequential write speed in the last probe (cached).",
            "read_latency_median_seconds": "Median wait of a read of 4 KiB in the last probe.",
            "read_latency_p99_seconds": "99th percentile of the wait of a read of 4 KiB.",
            "fsync_latency_median_seconds": "Median fdatasync latency in the last probe.",
            "fsync_latency_p99_seconds": "99th percentile of the fdatasync latency.",
            "baseline_read_bytes_per_second": "Usual read speed: median of the older half of all.",
            "baseline_write_bytes_per_second": "Usual write speed, likewise.",
            "baseline_read_latency_median_seconds": "Usual median wait of a read of 4 KiB.",
            "baseline_fsync_latency_median_seconds": "Usual median fdatasync latency.",
            "baseline_fsync_latency_p99_seconds": "Usual 99th percentile of the fdatasync latency.",
        },
    ),
)

OF_HOSTS: Final = (*_HOST, *_DISK, *_FILESYSTEM, *_DEVICES, *_PROBE)
