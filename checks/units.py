"""Units: does systemd say that something failed, or that something required does not run?"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.machines import UnitsOptions
from opsd.model import CheckResult, Measurement, Status

SCRIPT = """[ -d /run/systemd/system ] || { echo none; exit 0; }
timeout 3 systemctl list-units --failed --plain --no-legend --no-pager --full"""
_SHOWN = "-p Id -p LoadState -p ActiveState -p SubState -p Result -p NRestarts"
_UNIT = re.compile(r"\S+\.\w+")


@dataclass(frozen=True, slots=True)
class Units(Plain):
    """Judges the required units one by one, and all that failed together."""

    options: UnitsOptions

    def reads(self) -> tuple[Read, ...]:
        """What failed, and how the required units are; nothing where systemd does not run."""
        required = shlex.join(self.options.required)
        show = f"echo; timeout 3 systemctl show {_SHOWN} -- {required}" if required else ":"
        return (Read("units", f"{SCRIPT} || exit\n{show}", timedelta(seconds=8)),)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result for all that failed, and one a required unit."""
        (read,) = self.reads()
        answer = found.seen.answers[read.name]
        if answer.text.strip() == "none":
            return tuple(_unit(name, {}) for name in self.options.required)
        if not answer.good:
            return (unreadable(read, answer),)
        failed, _, shown = f"\n{answer.text}".partition("\n\n")
        known = {unit["Id"]: unit for unit in _shown(shown)}
        return (
            self._failed(failed),
            *(_unit(name, known.get(name, {})) for name in self.options.required),
        )

    def _failed(self, text: str) -> CheckResult:
        lines = [line.split() for line in text.splitlines() if line.strip()]
        named = [next((word for word in line if _UNIT.fullmatch(word)), line[0]) for line in lines]
        apart = {*self.options.ignore, *self.options.required}
        failed = sorted(name for name in named if name not in apart)
        return CheckResult(
            Status.WARNING if failed else Status.OK,
            "check.units.failed" if failed else "check.units.well",
            {"units": failed, "count": len(failed)},
            cause="unit_failed" if failed else "",
            measurements=(Measurement("opsd_host_units_failed", len(failed)),),
        )


def _shown(text: str) -> Iterator[Mapping[str, str]]:
    for block in text.strip().split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in unit:
            yield unit


def _unit(name: str, shown: Mapping[str, str]) -> CheckResult:
    """How a required unit is: running, coming up, absent or down."""
    state = shown.get("ActiveState", "")
    labels = {"unit": name}
    up = state in {"active", "reloading", "refreshing"}
    if up:
        status, cause = Status.OK, ""
    elif state == "activating":
        status, cause = Status.WARNING, "unit_starting"
    else:
        absent = not shown or shown.get("LoadState") == "not-found"
        status, cause = Status.CRITICAL, "unit_missing" if absent else "unit_down"
    return CheckResult(
        status,
        f"check.units.{cause or 'active'}",
        {"unit": name, "state": f"{state or '?'} ({shown.get('SubState', '?')})"},
        shown.get("Result", ""),
        cause,
        name,
        (Measurement("opsd_host_unit_active", up, labels),),
    )
