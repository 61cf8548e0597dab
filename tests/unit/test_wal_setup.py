"""`opsd wal setup` for a server that it does not set up."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsd.cli import main
from opsd.cli.exit_codes import ExitCode

CONFIG = """\
demo: true
state: {base}/state
repositories:
  main: {{url: {base}/repository, password_file: {base}/password}}
backup_sets:
  fees:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      fees:
        kind: mariadb
        database: fees
        socket: {base}/socket
        user: opsd
        binlog: {{directory: {base}/log}}
"""


def test_a_mariadb_server_is_set_up_by_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "opsd.yaml"
    path.write_text(CONFIG.format(base=tmp_path))
    words = ["wal", "setup", "fees", "--config", str(path), "--language", "en"]
    assert main.main(words) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "fees/fees: MariaDB" in said
    assert "docs/mariadb.md" in said
