"""Rows as tables that people read: medians, each value, and ratios from this one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.flat import Flat
from benchmarks.measure import Cost
from benchmarks.rounds import BACKUP, DAYS, Row

MIB = 1 << 20
OWN_LIMIT_MIB = 150


@dataclass(frozen=True, slots=True)
class Comparison:
    """What opsd does beside what a peer does: steps that are added up on both sides."""

    label: str
    ours: tuple[str, ...]
    peer: str
    theirs: tuple[str, ...]
    aim: float | None = None


_PROOF = ("proof",)
COMPARISONS = (
    Comparison("backup / bare (same form of dump)", (BACKUP,), "bare", (BACKUP,), 1.05),
    Comparison("backup / bare, dump piped", (BACKUP,), "bare, piped", (BACKUP,)),
    Comparison("backup / borgmatic", (BACKUP,), "borgmatic", (BACKUP,)),
    Comparison("proof / check + restore by hand", _PROOF, "bare", ("check", "restore"), 1.0),
    Comparison("proof / the same + load", _PROOF, "bare", ("check", "restore", "load"), 1.0),
    Comparison(
        "proof / the same + load, piped", _PROOF, "bare, piped", ("check", "restore", "load")
    ),
    Comparison("proof / borgmatic spot 1 %", _PROOF, "borgmatic", ("spot",)),
    Comparison("proof / borgmatic data + spot 100 %", _PROOF, "borgmatic", ("data, spot",)),
)
_UNCHANGED_AIM = 1.10
_COLUMNS = (
    *("day", "tool", "step", "wall s", "each round", "CPU s"),
    *("peak MiB, own", "peak MiB, tree", "written MiB", "stored MiB"),
)

Figure = Callable[[Cost], float]


def costs(rows: Sequence[Row]) -> str:
    """What each step cost: medians over the rounds, and each wall time."""
    lines = [
        f"| {' | '.join(_COLUMNS)} |",
        "|---|---|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    for day, tool, step in dict.fromkeys((r.day, r.tool, r.step) for r in rows):
        found = [r for r in rows if (r.day, r.tool, r.step) == (day, tool, step)]
        wall, cpu = (_median(found, one) for one in (_wall, _cpu))
        own, tree, written = (
            max(figure(r.cost) for r in found) / MIB for figure in (_own, _tree, _written)
        )
        stored = statistics.median(r.stored for r in found) / MIB
        each = " ".join(f"{r.cost.wall:.1f}" for r in found)
        lines.append(
            f"| {day} | {tool} | {step} | {wall:.1f} | {each} | {cpu:.1f} | {_or_dash(own)}"
            f" | {tree:.0f} | {written:.0f} | {_or_dash(stored)} |"
        )
    return "\n".join(lines)


def ratios(rows: Sequence[Row]) -> str:
    """Opsd beside its peers: less than 1 is better than the peer."""
    lines = [
        "| day | opsd / peer | wall | CPU | written | aim (wall) |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for day in DAYS:
        for one in COMPARISONS:
            ours = _sum(rows, day, "opsd", one.ours)
            theirs = _sum(rows, day, one.peer, one.theirs)
            if not (ours and theirs):
                continue
            values = [f"{_ratio(ours, theirs, figure):.2f}" for figure in (_wall, _cpu, _written)]
            aim = _UNCHANGED_AIM if one.aim == 1.05 and day == DAYS[1] else one.aim
            said = f"{aim:.2f}" if aim else ""
            lines.append(f"| {day} | {one.label} | {' | '.join(values)} | {said} |")
    return "\n".join(lines)


def memory(rows: Sequence[Row], flat: Sequence[Flat]) -> str:
    """Opsd's own memory, and whether it stays flat."""
    lines = [
        "| files | backup: opsd's own peak MiB | proof | / the smallest |",
        "|--:|--:|--:|--:|",
    ]
    for row in flat:
        first = max(flat[0].backup.own, flat[0].proof.own)
        ratio = max(row.backup.own, row.proof.own) / first
        lines.append(
            f"| {row.files:,} | {row.backup.own / MIB:.0f} | {row.proof.own / MIB:.0f}"
            f" | {ratio:.2f} |"
        )
    own = [row.cost.own for row in rows if row.tool == "opsd"] + [
        cost.own for one in flat for cost in (one.backup, one.proof)
    ]
    peak = max(own) / MIB
    lines.append(f"\nPeak of opsd itself over all of this: {peak:.0f} MiB (aim: {OWN_LIMIT_MIB}).")
    return "\n".join(lines)


def terminal(markdown: str) -> str:
    """A Markdown table with its columns set in line."""
    tabled = [line for line in markdown.splitlines() if line.startswith("|")]
    rest = [line for line in markdown.splitlines() if not line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in tabled]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    shown = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
        if not set("".join(row)) <= {"-", ":"}
    )
    return "\n".join([*shown, *rest])


def _sum(rows: Iterable[Row], day: str, tool: str, steps: Sequence[str]) -> list[Cost]:
    """For each round the sum over the steps; nothing where a step was not measured."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        if (row.day, row.tool) == (day, tool) and row.step in steps:
            found.setdefault(row.round, []).append(row)
    return [sum((r.cost for r in one), Cost()) for one in found.values() if len(one) == len(steps)]


def _ratio(ours: Sequence[Cost], theirs: Sequence[Cost], figure: Figure) -> float:
    """The median of what each round says: tools of one round met the same noise."""
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(figure(a) / max(figure(b), 1e-9) for a, b in pairs)


def _median(rows: Sequence[Row], figure: Figure) -> float:
    return statistics.median(figure(row.cost) for row in rows)


def _or_dash(value: float) -> str:
    return f"{value:.0f}" if value else "-"


def _wall(cost: Cost) -> float:
    return cost.wall


def _cpu(cost: Cost) -> float:
    return cost.cpu


def _own(cost: Cost) -> float:
    return float(cost.own)


def _tree(cost: Cost) -> float:
    return float(cost.tree)


def _written(cost: Cost) -> float:
    return float(cost.written)
