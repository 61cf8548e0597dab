"""Software RAID: is every array whole?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.disks import RaidOptions
from opsd.model import CheckResult, Measurement, Status

MDSTAT = Read("mdstat", "[ ! -e /proc/mdstat ] || cat /proc/mdstat")

_ARRAY = re.compile(
    r"^(?P<name>md\S*) : (?P<state>active|inactive)(?P<mode> \([a-z-]+\))?"
    r"(?: (?P<level>raid\d+|linear|multipath|faulty))?(?P<disks>(?: \S+\[\d+\](?:\([A-Z]\))*)*)"
)
_COUNT = re.compile(r"\[(?P<wanted>\d+)/(?P<working>\d+)\] \[[U_]+\]")
_PROGRESS = re.compile(r"(?P<what>recovery|resync|reshape|check)\s*=\s*(?P<part>[\d.]+)%")


@dataclass(frozen=True, slots=True)
class Array:
    """An array as the kernel tells of it; `part` is how far its repair is."""

    name: str
    active: bool
    wanted: int
    working: int
    failed: tuple[str, ...]
    part: float | None


@dataclass(frozen=True, slots=True)
class Raid(Plain):
    """Judges each array; a machine without one has nothing to be judged."""

    options: RaidOptions

    def reads(self) -> tuple[Read, ...]:
        """What the kernel says."""
        return (MDSTAT,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result an array."""
        answer = found.seen.answers[MDSTAT.name]
        if not answer.good:
            return (unreadable(MDSTAT, answer),)
        return tuple(_judged(array) for array in parse(answer.text))


def _judged(array: Array) -> CheckResult:
    status, cause = _verdict(array)
    labels = {"device": array.name}
    return CheckResult(
        status,
        f"check.raid.{cause or 'whole'}",
        {
            "array": array.name,
            "wanted": array.wanted,
            "working": array.working,
            "failed": array.failed or "-",
            "percent": 100.0 if array.part is None else array.part,
        },
        cause=cause,
        subject=array.name,
        measurements=(
            Measurement("opsd_host_raid_disks_required", array.wanted, labels),
            Measurement("opsd_host_raid_disks_active", array.working, labels),
        ),
    )


def _verdict(array: Array) -> tuple[Status, str]:
    if not array.active:
        return Status.CRITICAL, "raid_inactive"
    if array.working < array.wanted:
        return Status.CRITICAL, "raid_degraded" if array.part is None else "raid_rebuilding"
    if array.failed:
        return Status.WARNING, "raid_disk_failed"
    return Status.OK, ""


def parse(text: str) -> Iterator[Array]:
    """The arrays of /proc/mdstat."""
    for block in re.split(r"\n(?=\S)", text):
        if array := _ARRAY.match(block):
            disks = array["disks"].split()
            count, progress = _COUNT.search(block), _PROGRESS.search(block)
            repair = progress and progress["what"] in {"recovery", "resync"}
            yield Array(
                name=array["name"],
                active=array["state"] == "active",
                wanted=int(count["wanted"]) if count else len(disks),
                working=int(count["working"]) if count else len(disks),
                failed=tuple(disk.partition("[")[0] for disk in disks if "(F)" in disk),
                part=float(progress["part"]) if progress and repair else None,
            )
