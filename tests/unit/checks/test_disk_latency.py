"""Disk latency: counters of two looks become waits, queues and pressure."""

from datetime import timedelta

import pytest

from checks.disk_latency import AWAIT, Disk, DiskLatency, pace, parse
from opsd.check import Answer, Sample
from opsd.config.disks import DiskLatencyOptions
from opsd.model import CheckResult, Status
from tests.asking import NOW, Memory, judged, measured, recorded, seen

CHECK = DiskLatency(DiskLatencyOptions())
IDLE = Disk(1000, 8000, 500, 2000, 16000, 4000, 0, 900, 4500)


def look(
    seconds: float,
    disk: Disk = IDLE,
    *,
    name: str = "sda",
    stalled: float | None = 0.0,
) -> str:
    pressure = (
        ""
        if stalled is None
        else f"some avg10=0.00 avg60=0.00 avg300=0.00 total={int(2e6 * stalled)}\n"
        f"full avg10=0.00 avg60=0.00 avg300=0.00 total={int(1e6 * stalled)}\n"
    )
    d = disk
    return (
        f"{1000 + seconds:.2f} 99.00\n"
        f"   8       0 {name} {d.reads} 0 {d.read_sectors} {d.read_ms} {d.writes} 0 "
        f"{d.write_sectors} {d.write_ms} {d.in_flight} {d.busy_ms} {d.weighted_ms} 0 0 0 0 0 0\n"
        f"   8       1 {name}1 {d.reads} 0 1 1 {d.writes} 0 1 1 0 1 1\n{pressure}"
        f"/sys/block/{name} /sys/block/loop0\n"
    )


def after(**more: int) -> Disk:
    """The counters, so much further on."""
    values = {name: getattr(IDLE, name) + more.get(name, 0) for name in Disk.__slots__}
    return Disk(**values)


def between(
    disk: Disk, *, stalled: float | None = 0.0, memory: Memory | None = None
) -> dict[str, CheckResult]:
    before = seen(CHECK, look(0))
    now = seen(CHECK, look(10, disk, stalled=stalled), at=NOW + timedelta(seconds=10))
    return judged(DiskLatency(DiskLatencyOptions()), now, before, memory)


def test_a_real_answer_is_read() -> None:
    first, second = (seen(CHECK, recorded(f"disks-{n}.txt")) for n in (1, 2))
    assert judged(CHECK, first) == {}, "of one look nothing can be said"
    found = judged(CHECK, second, first)
    assert set(found) == {"", "loop0", "vda"}, "whole disks, and loop devices that are written to"
    figures = measured(found["vda"])
    line = next(row for row in recorded("disks-2.txt").splitlines() if " vda " in row).split()
    assert figures["opsd_host_disk_reads_completed_total"] == int(line[3])
    assert figures["opsd_host_disk_read_bytes_total"] == int(line[5]) * 512
    assert figures["opsd_host_disk_write_time_seconds_total"] == int(line[10]) / 1000
    assert figures["opsd_host_disk_io_time_weighted_seconds_total"] == int(line[13]) / 1000
    assert "opsd_host_pressure_io_stalled_seconds_total" in measured(found[""])


def test_the_wait_is_the_time_by_the_number() -> None:
    disk = after(reads=60, read_ms=600, writes=40, write_ms=1400, weighted_ms=2000)
    figures = measured(between(disk)["sda"])
    assert figures[AWAIT] == pytest.approx(0.02)
    assert figures["opsd_host_disk_queue_length"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("disk", "status", "cause"),
    [
        (after(), Status.OK, ""),
        (after(writes=100, write_ms=1000), Status.OK, ""),
        (after(writes=100, write_ms=25_000), Status.WARNING, "disk_slow"),
        (after(writes=100, write_ms=250_000), Status.CRITICAL, "disk_slow"),
        (after(writes=3, write_ms=9000), Status.OK, ""),
    ],
)
def test_each_disk_is_judged_by_its_wait(disk: Disk, status: Status, cause: str) -> None:
    result = between(disk)["sda"]
    assert (result.status, result.cause) == (status, cause)


def test_a_disk_on_which_nothing_gets_done_is_stuck() -> None:
    stuck = Disk(*[*(getattr(IDLE, name) for name in Disk.__slots__[:6]), 4, 10_900, 44_500])
    before = Disk(*[*(getattr(IDLE, name) for name in Disk.__slots__[:6]), 4, 900, 4500])
    first, second = seen(CHECK, look(0, before)), seen(CHECK, look(10, stuck))
    result = judged(CHECK, second, first)["sda"]
    assert (result.status, result.cause) == (Status.CRITICAL, "disk_stuck")


def test_what_is_ten_times_the_usual_wait_is_a_warning() -> None:
    memory = Memory()
    for hour in range(48):
        memory.keep(AWAIT, Sample(NOW - hour * timedelta(hours=1), 0.003), device="sda")
    slow = after(reads=100, read_ms=5000)
    assert between(slow, memory=memory)["sda"].cause == "disk_slow"
    assert between(slow)["sda"].status is Status.OK, "what is usual is not known"
    quick = after(reads=100, read_ms=1500)
    assert between(quick, memory=memory)["sda"].status is Status.OK


def test_pressure_is_a_warning_and_no_incident_of_its_own() -> None:
    assert between(after(), stalled=1.0)[""].status is Status.OK
    result = between(after(), stalled=9.0)[""]
    assert (result.status, result.cause) == (Status.WARNING, "io_pressure")
    assert measured(result)["opsd_host_pressure_io_waiting_seconds_total"] == 18
    assert "" not in between(after(), stalled=None), "a kernel that does not tell it"


def test_a_counter_that_wraps_goes_on_and_one_that_begins_anew_says_nothing() -> None:
    high = (1 << 32) - 500
    wrapped = pace(Disk(10, 0, high, 10, 0, 0, 0, 0, 0), Disk(110, 0, 500, 10, 0, 0, 0, 0, 0), 10.0)
    assert wrapped.wait == pytest.approx(0.01)
    assert pace(IDLE, Disk(5, 0, 1, 5, 0, 1, 0, 0, 0), 10.0).wait is None
    first, second = seen(CHECK, look(500)), seen(CHECK, look(3))
    assert judged(CHECK, second, first) == {}, "it restarted"


@pytest.mark.parametrize(
    "text", ["", "nothing", "12.0 1.0\n 8 0 sda 1 x 1 1 1 1 1 1 1 1 1 1\n/sys/block/sda\n"]
)
def test_what_is_no_answer_is_unknown(text: str) -> None:
    assert judged(CHECK, seen(CHECK, text))[""].status is Status.UNKNOWN


def test_an_answer_that_failed_is_none() -> None:
    assert parse(Answer(look(0), 1)) is None
    assert parse(None) is None
    assert parse(Answer(look(0))) is not None


def test_a_disk_tells_of_all_that_it_lies_on() -> None:
    below = (
        "/sys/block/dm-0/slaves/sda3 /sys/block/dm-0/slaves/nvme0n1p2 /sys/block/dm-1/slaves/dm-0 "
        "/sys/block/md0/slaves/sdb\n"
    )

    def told(seconds: float) -> str:
        *lines, last = look(seconds).splitlines(keepends=True)
        return "".join((*lines, below, last))

    found = parse(Answer(told(0)))
    assert found is not None
    assert found.whole("dm-1") == {"dm-1", "dm-0", "sda", "nvme0n1"}
    assert found.whole("md0") == {"md0", "sdb"}
    results = judged(CHECK, seen(CHECK, told(10)), seen(CHECK, told(0)))
    assert results["sda"].disks == {"sda"}
