"""Our figures are those of node_exporter and of df, on the same second."""

import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping

import pytest

from checks import CHECKS
from opsd.config.checks import Checks
from tests.asking import judged, looked

# Ours, and theirs; what may lie between two looks in the same moment, as a part.
SAME: Mapping[str, tuple[str, float]] = {
    "opsd_host_filesystem_size_bytes": ("node_filesystem_size_bytes", 0),
    "opsd_host_filesystem_free_bytes": ("node_filesystem_free_bytes", 0.02),
    "opsd_host_filesystem_avail_bytes": ("node_filesystem_avail_bytes", 0.02),
    "opsd_host_filesystem_files": ("node_filesystem_files", 0),
    "opsd_host_filesystem_files_free": ("node_filesystem_files_free", 0.02),
    "opsd_host_filesystem_readonly": ("node_filesystem_readonly", 0),
    "opsd_host_memory_total_bytes": ("node_memory_MemTotal_bytes", 0),
    "opsd_host_memory_available_bytes": ("node_memory_MemAvailable_bytes", 0.2),
    "opsd_host_disk_reads_completed_total": ("node_disk_reads_completed_total", 0.02),
    "opsd_host_disk_read_bytes_total": ("node_disk_read_bytes_total", 0.02),
    "opsd_host_disk_read_time_seconds_total": ("node_disk_read_time_seconds_total", 0.02),
    "opsd_host_disk_writes_completed_total": ("node_disk_writes_completed_total", 0.02),
    "opsd_host_disk_written_bytes_total": ("node_disk_written_bytes_total", 0.02),
    "opsd_host_disk_write_time_seconds_total": ("node_disk_write_time_seconds_total", 0.02),
    "opsd_host_disk_io_time_seconds_total": ("node_disk_io_time_seconds_total", 0.02),
    "opsd_host_disk_io_time_weighted_seconds_total": (
        "node_disk_io_time_weighted_seconds_total",
        0.02,
    ),
    "opsd_host_pressure_io_waiting_seconds_total": (
        "node_pressure_io_waiting_seconds_total",
        0.02,
    ),
    "opsd_host_pressure_io_stalled_seconds_total": (
        "node_pressure_io_stalled_seconds_total",
        0.02,
    ),
    "opsd_host_load15": ("node_load15", 0.2),
    "opsd_host_swap_out_pages_total": ("node_vmstat_pswpout", 0),
}
EXACT_AGAIN = 5  # looks, of which one must agree to the byte

Page = Mapping[tuple[str, str], float]


@pytest.fixture
def exporter() -> Iterator[str]:
    """A node_exporter of one's own; gives the address of its page."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"
    process = subprocess.Popen(
        [
            "prometheus-node-exporter",
            f"--web.listen-address={address}",
            "--no-collector.systemd",
            "--collector.diskstats.device-exclude=^(z?ram)",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://{address}/metrics"
    finally:
        process.terminate()
        process.wait(30)


def theirs(url: str) -> Page:
    """Each metric by its name and by its mount point or device."""
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  (http, made here)
                text = answer.read().decode()
            break
        except OSError:
            assert time.monotonic() < end, "node_exporter did not come up"
            time.sleep(0.1)
    found = {}
    for name, labels, value in re.findall(r"^(node_\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE):
        subject = re.search(r'(?:mountpoint|device)="([^"]*)"[^=]*$', labels)
        point = re.search(r'mountpoint="([^"]*)"', labels) or subject
        found[name, point[1] if point else ""] = float(value)
    return found


def ours() -> Page:
    """The same of the checks of this machine."""
    found = {}
    for name in ("filesystems", "memory", "disk_latency", "load"):
        check = CHECKS[name](Checks().options(name))
        before = looked(check)
        time.sleep(0.1)  # what happened meanwhile is what a disk is judged by
        for result in judged(check, looked(check), before).values():
            for one in result.measurements:
                subject = one.labels.get("mountpoint") or one.labels.get("device") or ""
                found[one.metric, subject] = one.value
    return found


def test_our_figures_are_those_of_node_exporter(exporter: str) -> None:
    theirs(exporter)
    mine, other = ours(), theirs(exporter)
    compared = set()
    for (metric, subject), value in mine.items():
        if metric in SAME and (SAME[metric][0], subject) in other:
            name, part = SAME[metric]
            slack = 1e7 if metric.endswith("_bytes") and part else 5.0 if part else 0
            assert value == pytest.approx(other[name, subject], rel=part, abs=slack), (
                metric,
                subject,
            )
            compared.add(metric)
    assert compared == set(SAME), "something was not there to be compared"


def test_capacity_is_that_of_df_to_the_byte() -> None:
    """Of a filesystem that others write to, in one look of a few."""
    for _ in range(EXACT_AGAIN):
        mine = ours()
        df = subprocess.run(
            ["df", "--block-size=1", "--output=size,used,avail,itotal,iavail", "/"],
            check=True,
            capture_output=True,
            text=True,
        )
        told = [float(word) for word in df.stdout.splitlines()[1].split()]
        names = ("size_bytes", "used_bytes", "avail_bytes", "files", "files_free")
        found = [mine[f"opsd_host_filesystem_{name}", "/"] for name in names]
        assert found == pytest.approx(told, rel=0.02)
        if found == told:
            break
    assert (found[0], found[3]) == (told[0], told[3])
