"""SMART: what do the disks say of their own health?"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.disks import SmartOptions
from opsd.model import CheckResult, Measurement, Status

_FIND = (
    'smartctl --scan | while read -r path d type rest; do ask "${path#/dev/}" "$path" "$type"; done'
)
SCRIPT = r"""PATH=$PATH:/usr/sbin:/sbin
command -v smartctl >/dev/null || { echo missing; exit 0; }
[ "$(id -u)" = 0 ] && as= || as="sudo -n"
ask() {
  said=$(timeout -k 1 8 $as smartctl --json=c -i -H -A -d "$3" "$2" 2>&1 </dev/null)
  printf '%s %s %s\n' "$1" "$3" "$(printf %s "$said" | tr '\n' ' ')"
}
@ASK@"""

# Attributes of ATA disks that count what cannot be read any more.
_LOST = frozenset({5, 197, 198})  # reallocated, pending, uncorrectable
_CANNOT_SAY = 0b11  # bits of smartctl's exit status: it could not even ask


@dataclass(frozen=True, slots=True)
class Disk:
    """What one disk says; nothing where it does not say it."""

    name: str
    passed: bool | None
    lost: int
    worn: float | None
    spare_low: bool
    celsius: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Smart(Plain):
    """Judges each disk that can be asked."""

    options: SmartOptions

    def reads(self) -> tuple[Read, ...]:
        """What smartctl says of each disk that is named, or that it finds."""
        named = [_asked(name, device) for name, device in self.options.devices.items()]
        script = SCRIPT.replace("@ASK@", "\n".join(named) or _FIND)
        return (Read("smart", script, timedelta(seconds=60)),)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a disk; without smartctl unknown where disks are named, else nothing."""
        (read,) = self.reads()
        answer = found.seen.answers[read.name]
        if answer.text.strip() == "missing":
            named = self.options.devices
            return tuple(_unknown(name, "smartctl_missing") for name in named)
        if not answer.good:
            return (unreadable(read, answer),)
        return tuple(self._judged(disk) for disk in parse(answer.text))

    def _judged(self, disk: Disk) -> CheckResult:
        if disk.passed is None:
            return _unknown(disk.name, "smart_silent", disk.why)
        status, cause = self._verdict(disk)
        labels = {"device": disk.name}
        worn = (
            ()
            if disk.worn is None
            else (Measurement("opsd_host_smart_worn_ratio", disk.worn, labels),)
        )
        warm = (
            ()
            if disk.celsius is None
            else (Measurement("opsd_host_smart_temperature_celsius", disk.celsius, labels),)
        )
        return CheckResult(
            status,
            f"check.smart.{cause or 'healthy'}",
            {"disk": disk.name, "lost": disk.lost, "percent": 100 * (disk.worn or 0.0)},
            cause=cause,
            subject=disk.name,
            measurements=(
                Measurement("opsd_host_smart_healthy", disk.passed, labels),
                Measurement("opsd_host_smart_lost_sectors", disk.lost, labels),
                *worn,
                *warm,
            ),
        )

    def _verdict(self, disk: Disk) -> tuple[Status, str]:
        if not disk.passed:
            return Status.CRITICAL, "disk_failing"
        if disk.spare_low:
            return Status.CRITICAL, "disk_spare_low"
        if disk.lost:
            return Status.WARNING, "disk_loses_sectors"
        if disk.worn is not None and disk.worn >= self.options.worn_warning:
            return Status.WARNING, "disk_worn"
        return Status.OK, ""


def _asked(name: str, device: str) -> str:
    path, _, kind = device.rpartition(" ")
    return "ask " + shlex.join((name, path or f"/dev/{name}", kind))


def _unknown(name: str, cause: str, detail: str = "") -> CheckResult:
    return CheckResult(
        Status.UNKNOWN, f"check.smart.{cause}", {"disk": name}, detail, cause, subject=name
    )


def parse(text: str) -> Iterator[Disk]:
    """The disks of an answer: name, type, and what smartctl said as JSON, one a line."""
    taken: set[str] = set()
    for line in text.splitlines():
        name, kind, said = ([*line.split(" ", 2), "", ""])[:3]
        if name in taken or name.startswith("bus/"):  # one path, many disks behind it
            name = f"{name}-{kind}"
        taken.add(name)
        try:
            found = json.loads(said)
        except ValueError:
            found = None
        if isinstance(found, dict):
            yield _disk(name, found)
        else:
            yield Disk(name, None, 0, None, False, None, said)


def _disk(name: str, said: Mapping[str, Any]) -> Disk:
    status = _number(said, "smartctl", "exit_status") or 0
    passed = _at(said, "smart_status", "passed")
    messages = _at(said, "smartctl", "messages")
    used = _number(said, "nvme_smart_health_information_log", "percentage_used")
    used = _number(said, "scsi_percentage_used_endurance_indicator") if used is None else used
    spare = _number(said, "nvme_smart_health_information_log", "available_spare")
    least = _number(said, "nvme_smart_health_information_log", "available_spare_threshold")
    return Disk(
        name=name,
        passed=passed if isinstance(passed, bool) and not int(status) & _CANNOT_SAY else None,
        lost=_lost(said),
        worn=None if used is None else used / 100,
        spare_low=spare is not None and least is not None and spare < least,
        celsius=_number(said, "temperature", "current"),
        why="; ".join(str(_at(one, "string")) for one in messages or () if isinstance(one, dict)),
    )


def _lost(said: Mapping[str, Any]) -> int:
    """Sectors that were lost, whatever the disk calls them."""
    table = _at(said, "ata_smart_attributes", "table")
    sectors = [
        _number(row, "raw", "value") or 0
        for row in table or ()
        if isinstance(row, dict) and row.get("id") in _LOST
    ]
    scsi = _number(said, "scsi_grown_defect_list") or 0
    media = _number(said, "nvme_smart_health_information_log", "media_errors") or 0
    return int(sum(sectors) + scsi + media)


def _at(said: object, *path: str) -> Any:  # noqa: ANN401  (JSON is untyped)
    for key in path:
        said = said.get(key) if isinstance(said, Mapping) else None
    return said


def _number(said: object, *path: str) -> float | None:
    found = _at(said, *path)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
