"""opsd as its users run it: the command line, with a configuration of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.measure import Cost
from benchmarks.peers import Place
from opsd.demo import protection

_CONFIG = """\
demo: true
host: benchmark
state: {home}/state
scratch: {home}/scratch
repositories:
  main:
    url: {home}/repository
    password_file: {home}/password
    min_free: 1MiB
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
"""


@dataclass(slots=True)
class Ours:
    """opsd. Without a connection in its place it protects the files alone."""

    place: Place
    phases: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return "opsd"

    @property
    def repository(self) -> Path:
        """The restic repository."""
        return self.place.home / "repository"

    def back_up(self) -> Cost:
        """`opsd backup --no-prove`."""
        cost, told = self._opsd("backup", "dossiers", "--no-prove")
        self._keep("backup", cost, told["backup"]["phases"])
        return cost

    def prove(self) -> Mapping[str, Cost]:
        """`opsd prove`."""
        cost, told = self._opsd("prove", "dossiers")
        self._keep("prove", cost, told["proof"]["figures"]["seconds"])
        return {"proof": cost}

    def _opsd(self, *arguments: str) -> tuple[Cost, dict[str, Any]]:
        config = self._configured()
        argv = (sys.executable, "-m", "opsd", *arguments, "--json", "--config", str(config))
        cost = measure.run(argv)
        told: dict[str, Any] = json.loads(cost.output)
        return cost, told

    def _keep(self, command: str, cost: Cost, phases: Mapping[str, float]) -> None:
        rounded = {name: round(seconds, 2) for name, seconds in phases.items()}
        self.phases.append({"command": command, "wall": round(cost.wall, 2), "phases": rounded})

    def _configured(self) -> Path:
        home = self.place.home
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
        password = home / "password"
        password.touch(mode=0o600)
        password.write_text("only for benchmarks\n")
        path = home / "opsd.yaml"
        protected = protection.lines(self.place.connection, self.place.scans)
        path.write_text(_CONFIG.format(home=home) + protected, encoding="utf-8")
        return path
