"""Fifteen things that a monitor asks of a host, the same for every tool, and checks of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsd.check import Plain, Read, Round
from opsd.model import CheckResult, Measurement, Status

READS = tuple(
    Read(name, script)
    for name, script in (
        ("load", "cat /proc/loadavg"),
        ("processors", "cat /proc/stat"),
        ("memory", "cat /proc/meminfo"),
        ("swap", "cat /proc/swaps /proc/vmstat"),
        ("pressure", "cat /proc/pressure/cpu /proc/pressure/io /proc/pressure/memory"),
        ("disks", "cat /proc/diskstats"),
        ("raid", "[ ! -e /proc/mdstat ] || cat /proc/mdstat"),
        ("space", "df -P -x tmpfs -x devtmpfs"),
        ("inodes", "df -Pi -x tmpfs -x devtmpfs"),
        ("mounts", "cat /proc/self/mounts"),
        ("network", "cat /proc/net/dev"),
        ("sockets", "cat /proc/net/sockstat"),
        ("files", "cat /proc/sys/fs/file-nr"),
        ("uptime", "cat /proc/uptime"),
        ("clock", "date +%s.%N"),
    )
)

_FIGURE = re.compile(r"\b\d+(\.\d+)?\b")


@dataclass(frozen=True, slots=True)
class Asked(Plain):
    """A check of one read: the first figure in it is measured."""

    read: Read

    def reads(self) -> tuple[Read, ...]:
        """Its read."""
        return (self.read,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """Good where there is an answer with a figure in it."""
        answer = found.seen.answers[self.read.name]
        figure = _FIGURE.search(answer.text)
        if not answer.good:
            return (CheckResult(Status.UNKNOWN, "check.unreadable", {"read": self.read.name}),)
        metric = f"opsd_bench_{self.read.name}"
        return (
            CheckResult(
                Status.OK,
                "check.reached",
                {"elapsed": found.seen.elapsed},
                measurements=(Measurement(metric, float(figure[0])),) if figure else (),
            ),
        )
