"""Does opsd's own memory stay where it is when the tree grows?"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost
from benchmarks.ours import Ours
from benchmarks.peers import Place
from benchmarks.rounds import Say

_IN_A_DIRECTORY = 200


@dataclass(frozen=True, slots=True)
class Flat:
    """What backup and proof of so many tiny files cost."""

    files: int
    backup: Cost
    proof: Cost

    @property
    def plain(self) -> dict[str, Any]:
        """The row for JSON."""
        return {
            "files": self.files,
            "backup": self.backup.figures,
            "proof": self.proof.figures,
        }


def grow(base: Path, counts: Sequence[int], say: Say) -> list[Flat]:
    """Backup and proof of trees of tiny files, one after the other."""
    rows = []
    for count in counts:
        home = base / f"flat-{count}"
        tree = home / "tree"
        _plant(tree, count)
        ours = Ours(Place(home / "opsd", "", tree))
        row = Flat(count, ours.back_up(), ours.prove()["proof"])
        rows.append(row)
        say(
            f"{count:,} files: {row.backup.own / 2**20:.0f} MiB of opsd itself in the backup,"
            f" {row.proof.own / 2**20:.0f} MiB in the proof"
        )
        shutil.rmtree(home)
    return rows


def _plant(tree: Path, count: int) -> None:
    for first in range(0, count, _IN_A_DIRECTORY):
        directory = tree / f"{first // 10_000:04d}" / f"{first:08d}"
        directory.mkdir(parents=True)
        for number in range(first, min(first + _IN_A_DIRECTORY, count)):
            (directory / f"{number:08d}.txt").write_text(f"hồ sơ {number}\n")
