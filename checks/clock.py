"""Clock: how far is the clock of the host off, and does a time server keep it?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opsd.check import Offset, Plain, Read, Round, Seen, unreadable
from opsd.config.machines import ClockOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.thresholds import at_least

TIME = Read(
    "clock",
    """date +%s.%N
if command -v chronyc >/dev/null; then echo "chrony $(timeout 2 chronyc -n -c tracking 2>&1)"
elif command -v ntpq >/dev/null; then echo "ntp $(timeout 2 ntpq -c 'rv 0 leap,offset' 2>&1)"
elif [ -d /run/systemd/system ] && command -v timedatectl >/dev/null; then
  echo "systemd $(timeout 2 timedatectl show -p NTPSynchronized 2>&1)"
fi""",
    timedelta(seconds=5),
)

_ZERO = timedelta()


@dataclass(frozen=True, slots=True)
class Kept:
    """What keeps the clock says of it; nothing where it does not say it."""

    by: str
    kept: bool | None = None
    offset: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Clock(Plain):
    """Judges what is certain of the difference from our clock, and what the host says itself."""

    options: ClockOptions

    def reads(self) -> tuple[Read, ...]:
        """The time there, and what its time service says."""
        return (TIME,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result."""
        answer = found.seen.answers[TIME.name]
        try:
            offset, kept = parse(answer.text, found.seen)
        except (ValueError, IndexError, OverflowError, OSError):
            return (unreadable(TIME, answer),)
        certain = max(_ZERO, abs(offset.ahead) - offset.within)
        off = max(certain, abs(kept.offset or _ZERO))
        own = self.options
        status = at_least(
            off.total_seconds(), own.warning.total_seconds(), own.critical.total_seconds()
        )
        cause = "" if status is Status.OK else "clock_off"
        if status is Status.OK and kept.kept is False:
            status, cause = Status.WARNING, "clock_not_kept"
        told = (
            () if kept.kept is None else (Measurement("opsd_host_clock_synchronized", kept.kept),)
        )
        return (
            CheckResult(
                status,
                f"check.clock.{cause or 'right'}",
                {"off": off or abs(offset.ahead), "by": kept.by or "-"},
                cause=cause,
                measurements=(
                    Measurement("opsd_host_clock_offset_seconds", offset.ahead.total_seconds()),
                    *told,
                ),
            ),
        )


def parse(text: str, seen: Seen) -> tuple[Offset, Kept]:
    """The difference, and what keeps the clock. Raises `ValueError` without a time.

    The time is from somewhere on the way there and back; the round trip itself may know better.
    """
    first, _, rest = text.partition("\n")
    there = datetime.fromtimestamp(float(first), UTC)
    half = seen.elapsed / 2
    offset = Offset(there - seen.at + half, half)
    if seen.clock is not None and seen.clock.within < half:
        offset = seen.clock
    by, _, said = rest.partition(" ")
    return offset, _kept(by.strip(), said)


def _kept(by: str, said: str) -> Kept:
    """What chrony, ntpd or systemd says."""
    if by == "chrony" and len(fields := said.strip().split(",")) == 14:
        synchronized = fields[13] != "Not synchronised"
        return Kept(by, synchronized, timedelta(seconds=float(fields[4])) if synchronized else None)
    if by == "ntp" and (leap := re.search(r"leap=(\w+)", said)):
        synchronized = leap[1] not in {"11", "leap_alarm"}
        offset = re.search(r"offset=([-+]?[\d.]+)", said)
        return Kept(
            by,
            synchronized,
            timedelta(milliseconds=float(offset[1])) if offset and synchronized else None,
        )
    if by == "systemd" and (known := re.search(r"NTPSynchronized=(yes|no)", said)):
        return Kept(by, known[1] == "yes")
    return Kept(by)
