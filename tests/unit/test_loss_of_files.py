"""What a log does not save is told beside what it does: files, and all without a base copy."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsd import assembly
from opsd.cli import main
from opsd.clock import now
from opsd.config.load import load
from opsd.model import (
    CheckId,
    CheckResult,
    CheckState,
    Closing,
    Measurement,
    MemberKind,
    MemberSnapshot,
    Outcome,
    RecoveryPoint,
    Run,
    Status,
    Task,
)
from opsd.policy.recoverable import Reach, Recoverable
from opsd.report import wal
from tests.configured import LOGGED, configured

HOUR = timedelta(hours=1)
CONFIG = LOGGED + "      scans: {{kind: files, path: {base}/scans}}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configured(tmp_path, CONFIG)


def pointed(config: Path, ago: timedelta, *members: str) -> None:
    """A recovery point that has these members."""
    at = now() - ago
    run = Run(f"backup-{at:%H%M%S}", Task.BACKUP, "dossiers", "main", at, "srv", 1, None)
    kept = tuple(
        MemberSnapshot(name, MemberKind.FILES, "f" * 64, "/x", 1, 1, 0, 1, HOUR) for name in members
    )
    kit = assembly.assemble(load(config))
    kit.store.open_run(run)
    kit.store.add_point(RecoveryPoint(run.id, "dossiers", "main", "srv", at, kept, complete=True))
    kit.store.close_run(Closing(run.id, at, Outcome.SUCCEEDED, HOUR))
    kit.store.close()


def told(config: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    main.main([*words, "--config", str(config)])
    return capsys.readouterr().out


@pytest.mark.parametrize("words", [["status"], ["wal", "status", "dossiers"]])
def test_files_are_lost_since_the_newest_point_that_has_them(
    config: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    said = "dossiers: What would be lost right now\n  files, since the newest recovery point"
    assert f"{said}  not known" in told(config, capsys, *words)
    pointed(config, 3 * HOUR, "database", "scans")
    pointed(config, HOUR, "database")  # whose files were not taken
    pointed(config, -HOUR, "database", "scans")  # of a clock that was ahead
    assert f"{said}  at most 3 h" in told(config, capsys, *words)


def test_a_program_is_told_the_same(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def lost() -> dict[str, Any]:
        body = json.loads(told(config, capsys, "status", "--json"))
        found: dict[str, Any] = body["sets"]["dossiers"]["loss"]["dossiers"]
        return found

    assert lost() == {"files": None}
    pointed(config, 3 * HOUR, "database", "scans")
    assert 3 * 3600 <= lost()["files"] < 3 * 3600 + 60


def test_a_log_without_a_base_copy_saves_nothing() -> None:
    at = now()
    figure = "opsd_wal_repository_held_timestamp_seconds"
    measured = (Measurement(figure, at.timestamp() - 5, {"repository": "main"}),)
    found = CheckResult(Status.OK, "wal.kept", {}, subject="a/b@main", measurements=measured)
    states = [CheckState(CheckId("", "wal", found.subject), Status.OK, at, found, at)]
    lost = {}
    for oldest in (None, at):
        known = Recoverable(HOUR, {"main": Reach(oldest=oldest)})
        lost[oldest] = wal.losses(states, at, known)["repository:main"]
    assert lost == {None: None, at: pytest.approx(5)}
