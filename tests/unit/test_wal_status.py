"""`opsd wal status`: the room under the server as it was seen just now, or that it is not known."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from opsd import assembly
from opsd.cli import main
from opsd.clock import now
from opsd.config.load import load
from opsd.model import CheckId, CheckResult, CheckState, Measurement, Status
from opsd.store import Page
from tests.configured import LOGGED, configured


@pytest.mark.parametrize(
    ("status", "ago", "said", "free"),
    [
        (Status.OK, timedelta(seconds=3), "2.0 GiB", 2 << 30),
        (Status.OK, timedelta(hours=1), "not known", None),
        (Status.UNKNOWN, timedelta(seconds=3), "not known", None),
    ],
)
def test_the_room_under_the_server_is_told_while_it_is_seen(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    status: Status,
    ago: timedelta,
    said: str,
    free: int | None,
) -> None:
    path, at = configured(tmp_path, LOGGED), now() - ago
    labels = {"backup_set": "dossiers", "member": "database"}
    figures = (Measurement("opsd_wal_server_free_bytes", 2 << 30, labels),)
    found = CheckResult(status, "wal.standby", subject="dossiers/database", measurements=figures)
    state = CheckState(CheckId("", "wal", found.subject), status, at, found, at)
    assembly.assemble(load(path)).store.close()
    with closing(assembly.samples(load(path))) as watch:
        watch.write(Page((state,)))
    words = ["wal", "status", "dossiers", "--config", str(path)]
    main.main(words)
    assert f"Free on the server's own disk: {said}" in capsys.readouterr().out
    main.main([*words, "--json"])
    body = json.loads(capsys.readouterr().out)
    assert body["logs"]["dossiers/database"]["server_free_bytes"] == free
