"""A week of a database's log and base copies as tables that people read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import Cost

OURS = "opsd"
SCATTERED = 6  # from this day on changes lie everywhere, as after an import
_NOTES = """\
Day 0 is the first copy, into a repository that was made before; to day {last} a hundredth of the rows changes together, then as many everywhere. Growth
is of copies and log. CPU is the copy's, then the log's; the server's own work is in neither.

- opsd: its log is the daemon and its receivers, less the {idle:.1%} of a core that they take to watch when nothing is
  written, and on day 0 its whole first night, dump and proof of it included.
{manners}"""  # noqa: E501  (text of a page)
_BACK = """\
To the last commit, the middle one of three, into nothing (full) and over an older cluster (delta). opsd's ends with a verified, promoted and stopped
server, all of it on the disk, the others' with one that answers. CPU of their replay is not in their figures."""  # noqa: E501  (text of a page)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one day added to a repository, and what its copy and its log cost."""

    mib: float
    copy_cpu: float
    copy_wall: float
    log_cpu: float


@dataclass(frozen=True, slots=True)
class Day:
    """One day, as each kept it."""

    day: int
    wal_mib: float
    kept: Mapping[str, Kept]


@dataclass(frozen=True, slots=True)
class Week:
    """All that was measured; `idle` is the part of a core that opsd takes to watch."""

    mib: int
    machine: Mapping[str, str]
    days: Sequence[Day]
    idle: float
    recovery: Mapping[str, Cost | None]
    latency: Mapping[str, float]


def told(week: Week, manners: Mapping[str, str]) -> str:
    """The page; `manners` tell how each peer works."""
    names = (OURS, *manners)
    ran = {"load at the end": f"{os.getloadavg()[0]:.1f}", "server": f"{week.mib} MiB, one run"}
    facts = "\n".join(f"- {k}: {v}" for k, v in {**week.machine, **ran}.items())
    how = "\n".join(f"- {name}: {manner}" for name, manner in manners.items())
    heads = [f"{name} {what}" for what in ("grows MiB", "CPU s", "copy s") for name in names]
    days = "\n".join(_line(_day(day, names)) for day in week.days)
    back = "\n".join(_line((name, *_seconds(cost))) for name, cost in week.recovery.items())
    commits = "\n".join(f"| {name} | {value:.2f} |" for name, value in week.latency.items())
    return "\n\n".join(
        (
            f"# A database's log and base copies, beside {' and '.join(manners)}",
            facts,
            _NOTES.format(last=SCATTERED - 1, idle=week.idle, manners=how),
            f"{_line(('day', 'log MiB', *heads))}\n{'|--:' * (len(heads) + 2)}|\n{days}",
            _BACK,
            f"| recovery | seconds | CPU s |\n|---|--:|--:|\n{back}",
            f"| commits wait for | ms, one client |\n|---|--:|\n{commits}",
        )
    )


def _day(day: Day, names: Sequence[str]) -> tuple[str, ...]:
    kept = [day.kept[name] for name in names]
    return (
        str(day.day),
        f"{day.wal_mib:.0f}",
        *(f"{one.mib:.1f}" for one in kept),
        *(f"{one.copy_cpu:.1f} + {one.log_cpu:.1f}" for one in kept),
        *(f"{one.copy_wall:.1f}" for one in kept),
    )


def _seconds(cost: Cost | None) -> tuple[str, str]:
    return (f"{cost.wall:.1f}", f"{cost.cpu:.1f}") if cost else ("none", "none")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
