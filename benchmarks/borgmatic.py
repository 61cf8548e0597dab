"""borgmatic with its PostgreSQL hook and its `spot` check, over Debian's borgbackup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import Cost
from benchmarks.peers import Place

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".tools" / "bench" / "bin" / "borgmatic"

# As its manual has them for the spot check; and all of it, which is what opsd's proof looks at.
_AS_IN_THE_MANUAL, _ALL = 1, 100


@dataclass(frozen=True, slots=True)
class Borgmatic:
    """borgmatic, with its defaults where it has any."""

    place: Place

    @property
    def name(self) -> str:
        """What it is called in the tables."""
        return "borgmatic"

    @property
    def repository(self) -> Path:
        """The borg repository."""
        return self.place.home / "repository"

    def back_up(self) -> Cost:
        """`borgmatic create`; the first time `repo-create` too."""
        config = self._configured(_AS_IN_THE_MANUAL)
        made = Cost()
        if not self.repository.exists():
            made = self._borgmatic(config, "repo-create", "--encryption", "repokey-blake2")
        return made + self._borgmatic(config, "create")

    def prove(self) -> Mapping[str, Cost]:
        """Its spot check as in the manual, and everything its checks can look at."""
        spot = self._configured(_AS_IN_THE_MANUAL)
        whole = self._configured(_ALL)
        return {
            "spot": self._borgmatic(spot, "check", "--force", "--only", "spot"),
            "data, spot": self._borgmatic(
                whole, "check", "--force", "--only", "data", "--only", "spot"
            ),
        }

    def _borgmatic(self, config: Path, *arguments: str) -> Cost:
        argv = (str(PROGRAM), "--config", str(config), *arguments)
        env = {
            "BORG_BASE_DIR": str(self.place.home / "base"),
            "PGHOST": self._reached["host"],
            "PGPORT": self._reached["port"],
        }
        return measure.run(argv, env)

    @property
    def _reached(self) -> dict[str, str]:
        return dict(part.split("=", 1) for part in self.place.connection.split())

    def _configured(self, percentage: int) -> Path:
        """JSON is YAML too."""
        home = self.place.home
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
        reached = self._reached
        spot = {
            "name": "spot",
            "count_tolerance_percentage": 10,
            "data_sample_percentage": percentage,
            "data_tolerance_percentage": 0.5,
        }
        settings = {
            "source_directories": [str(self.place.scans)],
            "repositories": [{"path": str(self.repository)}],
            "encryption_passphrase": "only for benchmarks",
            "user_state_directory": str(home / "state"),
            "user_runtime_directory": str(home / "run"),
            "checks": [{"name": "data"}, spot],
            # A socket's directory as `hostname` would become a part of its dump's path (2.1.10).
            "postgresql_databases": [{"name": reached["dbname"], "username": reached["user"]}],
        }
        path = home / f"borgmatic-{percentage}.yaml"
        path.write_text(json.dumps(settings, indent=1))
        path.chmod(0o600)
        return path
