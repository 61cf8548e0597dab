"""Tools take turns on the same days: so that noise hits all alike."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import source
from benchmarks.borgmatic import Borgmatic
from benchmarks.measure import Cost
from benchmarks.ours import Ours
from benchmarks.peers import Bare, Place, Tool
from opsd.demo.system import DossierSystem

BACKUP = "backup"
DAYS = ("first day", "unchanged day", "day with 1 % change")
_SHARE = 0.01

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """What one step of one tool cost.

    `stored` is what its repository grew by, `load` the load average when it began.
    """

    round: int
    day: str
    tool: str
    step: str
    cost: Cost
    stored: int
    load: float

    @property
    def plain(self) -> dict[str, Any]:
        """The row for JSON."""
        return {
            "round": self.round,
            "day": self.day,
            "tool": self.tool,
            "step": self.step,
            **self.cost.figures,
            "stored_bytes": self.stored,
            "load_before": round(self.load, 2),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """How often, how many days, and with whom."""

    rounds: int = 1
    borgmatic: bool = True
    piped: bool = True
    days: int = len(DAYS)


def play(system: DossierSystem, base: Path, plan: Plan, say: Say) -> tuple[list[Row], list[Any]]:
    """All rounds; gives the rows, and opsd's own phases."""
    rows: list[Row] = []
    phases: list[Any] = []
    for number in range(plan.rounds):
        tools = _tools(system, base / f"round-{number}", plan)
        for index, day in enumerate(DAYS[: plan.days]):
            if day == DAYS[-1]:
                system.let_a_day_pass(system.next_day(), _SHARE)
                source.settle(system)
            turn = (number + index) % len(tools)  # nobody is always the first
            for tool in (*tools[turn:], *tools[:turn]):
                rows += _day(system, tool, (number, day), say)
        phases += [one for tool in tools if isinstance(tool, Ours) for one in tool.phases]
        shutil.rmtree(base / f"round-{number}")
    return rows, phases


def _tools(system: DossierSystem, home: Path, plan: Plan) -> tuple[Tool, ...]:
    def place(name: str) -> Place:
        return Place(home / name, system.connection, system.scans)

    home.mkdir(mode=0o711)
    peers: list[Tool] = [Ours(place("opsd")), Bare(place("bare"))]
    if plan.piped:
        peers.append(Bare(place("piped"), piped=True))
    if plan.borgmatic:
        peers.append(Borgmatic(place("borgmatic")))
    return tuple(peers)


def _day(system: DossierSystem, tool: Tool, when: tuple[int, str], say: Say) -> list[Row]:
    number, day = when
    source.warm(system.scans, system.cluster.data)
    load, before = os.getloadavg()[0], _stored(tool)
    cost = tool.back_up()
    rows = [Row(number, day, tool.name, BACKUP, cost, _stored(tool) - before, load)]
    load = os.getloadavg()[0]
    rows += [
        Row(number, day, tool.name, step, cost, 0, load) for step, cost in tool.prove().items()
    ]
    for row in rows:
        say(
            f"{row.day}, {row.tool}, {row.step}: {row.cost.wall:.1f} s,"
            f" {row.cost.cpu:.1f} s of CPU (load before: {row.load:.1f})"
        )
    return rows


def _stored(tool: Tool) -> int:
    return sum(path.stat().st_size for path in source.files_below(tool.repository))
