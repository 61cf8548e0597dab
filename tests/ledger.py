"""A small real database of another kind, taken by the sample of a site's commands."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsd import assembly
from opsd.clock import now
from opsd.config.load import load
from opsd.tasks.kit import Kit
from tests.faults.telling import empty_repository
from tests.site import CONFIG, ROOT, workplace

SAMPLE = str(ROOT / "docs" / "samples" / "sqlite")
ROWS = ROOT / "tests" / "fixtures" / "ledger.sql"
PYTHON = sys.executable


@dataclass(slots=True)
class Ledger:
    """A database of fees with a repository; `changes` are options of its member."""

    base: Path
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """The living database."""
        return self.base / "ledger.db"

    @property
    def config_file(self) -> Path:
        """The configuration, with the wanted changes."""
        member: dict[str, Any] = {
            "kind": "command",
            "produce": {"argv": [SAMPLE, "produce", str(self.database)]},
            "restore": {"argv": [SAMPLE, "restore"]},
            "verify": {"argv": [SAMPLE, "verify"]},
        }
        for name, change in self.changes.items():
            group = isinstance(change, Mapping)
            member[name] = {**member.get(name, {}), **change} if group else change
        members = {"ledger": member, "scans": {"kind": "files", "path": str(self.base / "scans")}}
        text = CONFIG.format(base=self.base)
        path = self.base / "opsd.yaml"
        path.write_text(f"{text}    members: {json.dumps(members)}\n", encoding="utf-8")
        return path

    @contextmanager
    def kit(self, clock: Any = now) -> Iterator[Kit]:
        """A kit for tasks in this process."""
        made = assembly.assemble(load(self.config_file), clock=clock)
        try:
            yield made
        finally:
            made.store.close()

    def execute(self, sql: str) -> None:
        """Change the living database."""
        with sqlite3.connect(self.database) as connection:
            connection.execute(sql)
        connection.close()


@contextmanager
def ledger() -> Iterator[Ledger]:
    """One of one's own."""
    with workplace() as base:
        (base / "scans").mkdir()
        (base / "scans" / "one.txt").write_text("một\n")
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        empty_repository(base / "repository")
        made = Ledger(base)
        connection = sqlite3.connect(made.database)
        connection.executescript(ROWS.read_text(encoding="utf-8"))
        connection.close()
        yield made
