"""Memory: is some left, is it swapping, and was something killed for want of it?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from opsd.catalogue import Size
from opsd.check import Answer, Plain, Read, Round, unreadable
from opsd.config.machines import MemoryOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.thresholds import at_least, at_most

MEMORY = Read(
    "memory",
    "cat /proc/uptime /proc/meminfo && grep -E '^(pswpin|pswpout|oom_kill) ' /proc/vmstat",
)
KILLS = "opsd_host_oom_kills_total"

_LINE = re.compile(r"^(\w+):? +(\d+)( kB)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Memory(Plain):
    """Judges what is left, what moves to and from swap, and what was killed lately."""

    options: MemoryOptions
    kept: ClassVar[Mapping[str, timedelta]] = {KILLS: timedelta(minutes=5)}
    disturbed_by: ClassVar[frozenset[str]] = frozenset({"backup", "probe"})

    def reads(self) -> tuple[Read, ...]:
        """What the kernel counts."""
        return (MEMORY,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result."""
        answer = found.seen.answers[MEMORY.name]
        now = parse(answer)
        if now is None:
            return (unreadable(MEMORY, answer),)
        available = now["MemAvailable"] / now["MemTotal"]
        swapped = _swapped(
            now, parse(found.before.answers.get(MEMORY.name)) if found.before else None
        )
        own = self.options
        kills = self._kills(found, now)
        verdicts = (
            (Status.WARNING if kills else Status.OK, "oom_kill"),
            (at_most(available, own.warning, own.critical), "memory_low"),
            (at_least(swapped, own.swapping, None), "swapping"),
        )
        status, cause = max(verdicts, key=lambda verdict: verdict[0])
        cause = "" if status is Status.OK else cause
        return (
            CheckResult(
                status,
                f"check.memory.{cause or 'enough'}",
                {
                    "available": Size(now["MemAvailable"]),
                    "percent": 100 * available,
                    "pages": swapped,
                    "kills": kills,
                    "within": own.remember,
                },
                cause=cause,
                measurements=_measured(now),
            ),
        )

    def _kills(self, found: Round, now: Mapping[str, int]) -> int:
        """How many were killed in the time that is remembered."""
        past = found.history.series(KILLS, {}, self.options.remember)
        if "oom_kill" not in now or not past:
            return 0
        return max(0, now["oom_kill"] - int(min(sample.value for sample in past)))


def parse(answer: Answer | None) -> Mapping[str, int] | None:
    """Bytes and counts by the kernel's names, and `uptime` in milliseconds."""
    if answer is None:
        return None
    found = {
        name: int(count) * (1024 if unit else 1) for name, count, unit in _LINE.findall(answer.text)
    }
    uptime = re.match(r"(\d+)\.(\d\d) ", answer.text)
    if not uptime or not found.get("MemTotal") or "MemAvailable" not in found:
        return None
    return {**found, "uptime": int(uptime[1] + uptime[2]) * 10}


def _swapped(now: Mapping[str, int], before: Mapping[str, int] | None) -> float:
    """Pages a second that went to swap or came back."""
    if before is None or now["uptime"] <= before["uptime"]:
        return 0.0
    pages = sum(now.get(way, 0) - before.get(way, 0) for way in ("pswpin", "pswpout"))
    return max(0, pages) / (now["uptime"] - before["uptime"]) * 1000


def _measured(now: Mapping[str, int]) -> tuple[Measurement, ...]:
    names = {
        "memory_total_bytes": "MemTotal",
        "memory_available_bytes": "MemAvailable",
        "swap_total_bytes": "SwapTotal",
        "swap_free_bytes": "SwapFree",
        "swap_in_pages_total": "pswpin",
        "swap_out_pages_total": "pswpout",
        "oom_kills_total": "oom_kill",
    }
    return tuple(
        Measurement(f"opsd_host_{metric}", now[name])
        for metric, name in names.items()
        if name in now
    )
