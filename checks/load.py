"""Load: do more processes want to run than the machine has processors?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.machines import LoadOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.thresholds import at_least

LOAD = Read("loadavg", "cat /proc/loadavg && getconf _NPROCESSORS_ONLN")


@dataclass(frozen=True, slots=True)
class Load(Plain):
    """Judges the five-minute load by the number of processors."""

    options: LoadOptions
    disturbed_by: ClassVar[frozenset[str]] = frozenset({"backup", "probe"})

    def reads(self) -> tuple[Read, ...]:
        """The kernel's averages, and how many processors there are."""
        return (LOAD,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result."""
        answer = found.seen.answers[LOAD.name]
        try:
            averages, processors = answer.text.splitlines()
            one, five, fifteen = (float(word) for word in averages.split()[:3])
            each = five / int(processors)
        except (ValueError, ZeroDivisionError):
            return (unreadable(LOAD, answer),)
        status = at_least(each, self.options.warning, self.options.critical)
        return (
            CheckResult(
                status,
                "check.load",
                {"load": five, "processors": int(processors)},
                cause="" if status is Status.OK else "overloaded",
                measurements=(
                    Measurement("opsd_host_load1", one),
                    Measurement("opsd_host_load5", five),
                    Measurement("opsd_host_load15", fifteen),
                ),
            ),
        )
