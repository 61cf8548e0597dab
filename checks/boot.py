"""Boot: did the machine restart?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.machines import BootOptions
from opsd.model import CheckResult, Measurement, Status

UPTIME = Read("uptime", "cat /proc/uptime")
BOOTED = "opsd_host_boot_timestamp_seconds"

_LOOKED_BACK = timedelta(days=7)
_SAME = timedelta(minutes=2)  # the moment is worked out anew each time


@dataclass(frozen=True, slots=True)
class Boot(Plain):
    """Tells a restart for a while, when the machine was watched before it."""

    options: BootOptions
    kept: ClassVar[Mapping[str, timedelta]] = {BOOTED: timedelta(hours=1)}

    def reads(self) -> tuple[Read, ...]:
        """How long it has been up."""
        return (UPTIME,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result."""
        answer = found.seen.answers[UPTIME.name]
        try:
            up = timedelta(seconds=float(answer.text.split()[0]))
        except (ValueError, IndexError):
            return (unreadable(UPTIME, answer),)
        booted = found.seen.at - up
        past = found.history.series(BOOTED, {}, _LOOKED_BACK)
        other = any(booted - datetime.fromtimestamp(s.value, UTC) > _SAME for s in past)
        restarted = other and up < self.options.remember
        return (
            CheckResult(
                Status.WARNING if restarted else Status.OK,
                "check.boot.restarted" if restarted else "check.boot.up",
                {"at": booted, "up": up},
                cause="restarted" if restarted else "",
                measurements=(Measurement(BOOTED, booted.timestamp()),),
            ),
        )
