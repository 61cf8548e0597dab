"""Disk latency: how long do reads and writes wait while the host works?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from statistics import median
from typing import ClassVar

from opsd.check import Answer, Plain, Read, Remembered, Round, unreadable
from opsd.config.disks import DiskLatencyOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.thresholds import at_least

DISKS = Read(
    "disks",
    "cat /proc/uptime /proc/diskstats; cat /proc/pressure/io 2>/dev/null; "
    "echo /sys/block/*/slaves/*; echo /sys/block/*",
)

AWAIT = "opsd_host_disk_await_seconds"
_NOT_DISKS = ("ram", "zram", "fd", "sr", "nbd")
_SECTOR = 512
_PART = re.compile(r"((?:[shv]|xv)d[a-z]+|.*[0-9](?=p))p?[0-9]+")  # sda3, nvme0n1p3
_WRAPS = 1 << 32  # some kernels count milliseconds in 32 bits
_FEW = 5  # operations, below which a mean says little
_ENOUGH = 24  # kept figures, before anything is called usual
_USUAL_OVER = timedelta(days=14)
_NOTICEABLE = 0.02  # seconds: below it nothing is slow, whatever is usual


@dataclass(frozen=True, slots=True)
class Disk:
    """The kernel's counters of one disk."""

    reads: int
    read_sectors: int
    read_ms: int
    writes: int
    write_sectors: int
    write_ms: int
    in_flight: int
    busy_ms: int
    weighted_ms: int


@dataclass(frozen=True, slots=True)
class Look:
    """What the host said at one moment; pressure in microseconds, where the kernel tells it.

    `below` has the disks that each disk lies on: a volume of LVM, an array.
    """

    uptime: float
    disks: Mapping[str, Disk]
    waiting: int | None
    stalled: int | None
    below: Mapping[str, frozenset[str]]

    def whole(self, name: str) -> frozenset[str]:
        """A disk, and all that it lies on."""
        return frozenset({name}).union(*map(self.whole, self.below.get(name, ())))


@dataclass(frozen=True, slots=True)
class Pace:
    """What a disk did between two looks."""

    wait: float | None
    queue: float
    stuck: bool


@dataclass(frozen=True, slots=True)
class DiskLatency(Plain):
    """Judges each disk, and the machine as a whole, by what happened since the last look."""

    options: DiskLatencyOptions
    kept: ClassVar[Mapping[str, timedelta]] = {AWAIT: timedelta(minutes=15)}
    disturbed_by: ClassVar[frozenset[str]] = frozenset({"backup", "probe"})
    _usual: Remembered[float | None] = field(
        default_factory=lambda: Remembered(timedelta(minutes=10)), compare=False, repr=False
    )

    def reads(self) -> tuple[Read, ...]:
        """The counters of all disks, and the pressure on them."""
        return (DISKS,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a disk and one for all; at the first look nothing."""
        answer = found.seen.answers[DISKS.name]
        now = parse(answer)
        if now is None:
            return (unreadable(DISKS, answer),)
        before = parse(found.before.answers.get(DISKS.name)) if found.before else None
        if before is None or now.uptime <= before.uptime:  # the first look, or it restarted
            return ()
        elapsed = now.uptime - before.uptime
        disks = (
            replace(
                self._disk(found, name, disk, pace(before.disks[name], disk, elapsed)),
                disks=now.whole(name),
            )
            for name, disk in now.disks.items()
            if name in before.disks and name not in self.options.exclude
        )
        return (*disks, *self._pressure(now, before, elapsed))

    def _disk(self, found: Round, name: str, disk: Disk, seen: Pace) -> CheckResult:
        def work() -> float | None:
            past = found.history.series(AWAIT, {"device": name}, _USUAL_OVER)
            return median(s.value for s in past) if len(past) >= _ENOUGH else None

        usual = self._usual.get((found.host, name), found.seen.at, work)
        status, cause = self._verdict(seen, usual)
        return CheckResult(
            status,
            f"check.disk_latency.{cause or 'calm'}",
            {
                "device": name,
                "wait": 1000 * (seen.wait or 0.0),
                "usual": 1000 * (usual or 0.0),
                "queue": seen.queue,
            },
            cause=cause,
            subject=name,
            measurements=_measured(name, disk, seen),
        )

    def _verdict(self, seen: Pace, usual: float | None) -> tuple[Status, str]:
        if seen.stuck:
            return Status.CRITICAL, "disk_stuck"
        if seen.wait is None:
            return Status.OK, ""
        own = self.options
        status = at_least(seen.wait, own.warning / 1000, own.critical / 1000)
        unusual = usual is not None and seen.wait >= max(_NOTICEABLE, own.usual_factor * usual)
        status = max(status, Status.WARNING if unusual else Status.OK)
        return status, "" if status is Status.OK else "disk_slow"

    def _pressure(self, now: Look, before: Look, elapsed: float) -> Iterator[CheckResult]:
        if now.stalled is None or now.waiting is None or before.stalled is None:
            return
        part = min(1.0, max(0, now.stalled - before.stalled) / 1e6 / elapsed)
        status = at_least(part, self.options.stalled_warning, None)
        cause = "" if status is Status.OK else "io_pressure"
        yield CheckResult(
            status,
            f"check.disk_latency.{cause or 'no_pressure'}",
            {"percent": 100 * part},
            cause=cause,
            measurements=(
                Measurement("opsd_host_pressure_io_waiting_seconds_total", now.waiting / 1e6),
                Measurement("opsd_host_pressure_io_stalled_seconds_total", now.stalled / 1e6),
            ),
        )


def pace(before: Disk, now: Disk, elapsed: float) -> Pace:
    """What happened between two looks; counters that began anew say nothing."""
    reads, writes = now.reads - before.reads, now.writes - before.writes
    if reads < 0 or writes < 0:
        return Pace(None, 0.0, stuck=False)
    waited = _grown(before.read_ms, now.read_ms) + _grown(before.write_ms, now.write_ms)
    done, busy = reads + writes, _grown(before.busy_ms, now.busy_ms) / 1000
    return Pace(
        wait=waited / 1000 / done if done >= _FEW else None,
        queue=_grown(before.weighted_ms, now.weighted_ms) / 1000 / elapsed,
        stuck=not done and bool(before.in_flight and now.in_flight) and busy >= elapsed / 2,
    )


def _grown(before: int, now: int) -> int:
    """How much a counter grew that may have wrapped."""
    if now >= before:
        return now - before
    return now + _WRAPS - before if _WRAPS // 2 < before < _WRAPS else 0


def parse(answer: Answer | None) -> Look | None:
    """What the host said; nothing when it is not what a Linux says."""
    lines = answer.text.splitlines() if answer and answer.good else []
    try:
        uptime = float(lines[0].split()[0])
        whole = {path.rpartition("/")[2] for path in lines[-1].split()}
        rows = [line.split() for line in lines[1:-1]]
        disks = {r[2]: _disk(r) for r in rows if len(r) >= 14 and r[2] in whole and _counts(r)}
        pressure = {
            r[0]: int(r[-1].partition("=")[2]) for r in rows if r[:1] in (["some"], ["full"])
        }
    except (IndexError, ValueError):
        return None
    below = _below(lines[-2]) if len(lines) > 2 else {}
    return Look(uptime, disks, pressure.get("some"), pressure.get("full"), below)


def _below(line: str) -> Mapping[str, frozenset[str]]:
    """What lies on what, by paths as `/sys/block/dm-0/slaves/sda3`: a part stands for its disk."""
    found: dict[str, frozenset[str]] = {}
    for path in line.split():
        match path.split("/"):
            case ["", "sys", "block", name, "slaves", under] if under != "*":
                part = _PART.fullmatch(under)
                found[name] = found.get(name, frozenset()) | {part[1] if part else under}
    return found


def _counts(row: list[str]) -> bool:
    """Whether it is a disk: a loop device is one when something was ever written to it."""
    name, done, written = row[2], int(row[3]) + int(row[7]), int(row[7])
    loop = name.startswith("loop")
    return done > 0 and not name.startswith(_NOT_DISKS) and (written > 0 or not loop)


def _disk(row: list[str]) -> Disk:
    n = [int(word) for word in row[3:14]]
    return Disk(n[0], n[2], n[3], n[4], n[6], n[7], n[8], n[9], n[10])


def _measured(name: str, disk: Disk, seen: Pace) -> tuple[Measurement, ...]:
    figures = {
        "reads_completed_total": disk.reads,
        "read_bytes_total": disk.read_sectors * _SECTOR,
        "read_time_seconds_total": disk.read_ms / 1000,
        "writes_completed_total": disk.writes,
        "written_bytes_total": disk.write_sectors * _SECTOR,
        "write_time_seconds_total": disk.write_ms / 1000,
        "io_time_seconds_total": disk.busy_ms / 1000,
        "io_time_weighted_seconds_total": disk.weighted_ms / 1000,
        "queue_length": seen.queue,
    }
    if seen.wait is not None:
        figures["await_seconds"] = seen.wait
    return tuple(
        Measurement(f"opsd_host_disk_{what}", value, {"device": name})
        for what, value in figures.items()
    )
