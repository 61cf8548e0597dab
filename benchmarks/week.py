"""A week of a database's log and base copies as tables that people read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import machine
from benchmarks.measure import Cost

SCATTERED = 6  # from this day on changes lie everywhere, as after an import
_DAYS = (
    "| day | log MiB | opsd grows MiB | pgBackRest grows MiB | opsd CPU s | pgBackRest CPU s |"
    " opsd copy s | pgBackRest copy s |\n|--:|--:|--:|--:|--:|--:|--:|--:|"
)
_NOTES = """\
Day 0 is the first copy; to day {last} a hundredth of the rows changes together, then as many everywhere. Growth
is of the whole repository, log included. CPU is the copy's, then the log's (opsd: the daemon and its receivers, less the
{idle:.1%} of a core that they take to watch when nothing is written, and on day 0 its whole first night; pgBackRest:
archive-push); the server's own work is in neither. pgBackRest: block incremental, bundles, zstd 3, encrypted as opsd's
repositories always are, two processes."""  # noqa: E501  (text of a page)
_BACK = """\
To the last commit: opsd's from what is at hand (`cache_bases`), then fetched from the repository. It ends with a
verified, promoted and stopped server, pgBackRest's with a promoted one. CPU of pgBackRest's replay is not in its figure."""  # noqa: E501  (text of a page)


@dataclass(frozen=True, slots=True)
class Day:
    """What one day added to each repository, and what taking its copy cost."""

    day: int
    wal_mib: float
    opsd_mib: float
    opsd_cpu: float
    opsd_wall: float
    shipped_cpu: float
    backrest_mib: float
    backrest_cpu: float
    backrest_wall: float
    archived_cpu: float


def told(
    mib: int,
    days: Sequence[Day],
    idle: float,
    back: Mapping[str, Cost],
    latency: Mapping[str, float],
) -> str:
    """The page; `idle` is the part of a core that opsd takes to watch."""
    facts = "\n".join(f"- {k}: {v}" for k, v in machine.facts(borgmatic=False).items())
    rows = "\n".join(
        f"| {d.day} | {d.wal_mib:.0f} | {d.opsd_mib:.1f} | {d.backrest_mib:.1f} |"
        f" {d.opsd_cpu:.1f} + {d.shipped_cpu:.1f} | {d.backrest_cpu:.1f} + {d.archived_cpu:.1f} |"
        f" {d.opsd_wall:.1f} | {d.backrest_wall:.1f} |"
        for d in days
    )
    recovery = "\n".join(f"| {n} | {c.wall:.1f} | {c.cpu:.1f} |" for n, c in back.items())
    commits = "\n".join(f"| {name} | {value:.2f} |" for name, value in latency.items())
    return "\n\n".join(
        (
            "# A database's log and base copies, beside pgBackRest",
            f"{facts}\n- load at the end: {os.getloadavg()[0]:.1f}\n- server: {mib} MiB, one run",
            _NOTES.format(last=SCATTERED - 1, idle=idle),
            f"{_DAYS}\n{rows}",
            _BACK,
            f"| recovery | seconds | CPU s |\n|---|--:|--:|\n{recovery}",
            f"| commits wait for | ms, one client |\n|---|--:|\n{commits}",
        )
    )
