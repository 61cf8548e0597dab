"""Disk errors: what could the kernel not read or write, and what is wrong with a filesystem?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.disks import DiskErrorsOptions
from opsd.model import CheckResult, Measurement, Status

# Many a host shows its kernel's messages to root alone; the counters are for everybody.
ERRORS = Read(
    "disk_errors",
    r"""cat /proc/uptime
for file in /sys/block/*/device/ioerr_cnt /sys/fs/ext4/*/errors_count \
  /sys/block/loop*/size; do
  [ ! -r "$file" ] || { read -r count <"$file" && echo "$file $count"; }
done
timeout 2 dmesg 2>/dev/null |
  grep -E -e 'I/O error|medium error|EXT4-fs error|emounting filesystem read-only' \
    -e 'XFS .*(error|shutdown)|BTRFS.* error' | tail -n 200""",
)

# A loop device that is not attached: what was wrong with it was wrong with a file that is gone.
_DETACHED = re.compile(r"/sys/block/(loop\d+)/size 0")
_COUNTER = re.compile(
    r"/sys/(?:block|fs/ext4)/(?P<device>[^/]+)/(?:device/ioerr_cnt|errors_count) (?P<count>\w+)"
)
_LINE = re.compile(r"\[ *(?P<seconds>\d+\.\d+)\] (?P<text>.*)")
_DEVICE = re.compile(
    r"(?:\bdev |EXT4-fs error \(device |EXT4-fs \(|XFS \(|BTRFS \w+ \(device )(?P<device>[\w!-]+)"
)
_PART = re.compile(r"((?:nvme\d+n|mmcblk|loop|md)\d+)p\d+|([shv]d[a-z]+|xvd[a-z]+)\d+")
COUNTED = "opsd_host_disk_errors_total"


@dataclass(frozen=True, slots=True)
class DiskErrors(Plain):
    """Judges what happened lately; what happened long ago is told by counters only."""

    options: DiskErrorsOptions
    kept: ClassVar[Mapping[str, timedelta]] = {COUNTED: timedelta(minutes=5)}

    def reads(self) -> tuple[Read, ...]:
        """Counters of disks and filesystems, and the kernel's messages about them."""
        return (ERRORS,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a device that has a counter or a message."""
        answer = found.seen.answers[ERRORS.name]
        try:
            first, *lines = answer.text.splitlines()
            uptime = float(first.split()[0])
        except (ValueError, IndexError):
            return (unreadable(ERRORS, answer),)
        counters = _counters(lines)
        remembered = uptime - self.options.remember.total_seconds()
        recent = _messages(lines, remembered)
        detached = {gone[1] for line in lines if (gone := _DETACHED.fullmatch(line))}
        devices = sorted({*counters, *_messages(lines, 0.0)} - detached)
        return tuple(
            self._judged(found, device, counters.get(device), recent.get(device, []))
            for device in devices
        )

    def _judged(
        self, found: Round, device: str, counter: int | None, messages: list[str]
    ) -> CheckResult:
        labels = {"device": device}
        errors = max(len(messages), self._grown(found, device, counter))
        status, cause = self._verdict(errors, messages)
        return CheckResult(
            status,
            f"check.disk_errors.{cause or 'none'}",
            {"device": device, "errors": errors, "within": self.options.remember},
            "\n".join(messages[-3:]),
            cause,
            device,
            () if counter is None else (Measurement(COUNTED, counter, labels),),
        )

    def _verdict(self, errors: int, messages: list[str]) -> tuple[Status, str]:
        """An ill filesystem is a warning: that it became read-only is another check's to tell."""
        if not errors:
            return Status.OK, ""
        if messages and all("-fs " in text for text in messages):
            return Status.WARNING, "filesystem_errors"
        critical = errors >= self.options.critical
        return Status.CRITICAL if critical else Status.WARNING, "io_errors"

    def _grown(self, found: Round, device: str, counter: int | None) -> int:
        """How much a counter grew in the time that is remembered."""
        past = found.history.series(COUNTED, {"device": device}, self.options.remember)
        if counter is None or not past:
            return 0
        return max(0, counter - int(min(sample.value for sample in past)))


def _counters(lines: list[str]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for line in lines:
        if counter := _COUNTER.fullmatch(line):
            found[_disk(counter["device"])] += int(counter["count"], 0)
    return found


def _messages(lines: list[str], since: float) -> Mapping[str, list[str]]:
    """The messages since that second of the uptime, by device."""
    found: dict[str, list[str]] = {}
    for line in lines:
        message = _LINE.fullmatch(line)
        if message and float(message["seconds"]) >= since:
            device = _DEVICE.search(message["text"])
            name = _disk(device["device"]) if device else "?"
            found.setdefault(name, []).append(message["text"])
    return found


def _disk(name: str) -> str:
    """The disk that a partition is on: one that fails is one fault, not one a partition."""
    part = _PART.fullmatch(name)
    return (part[1] or part[2]) if part else name
