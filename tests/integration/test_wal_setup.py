"""`opsd wal setup` where a person has to do it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from opsd.cli import main
from opsd.cli.exit_codes import ExitCode
from opsd.model import Task
from opsd.tasks.wal import setting_up
from opsd.tasks.wal.log import logs_of
from tests.faults.child import in_a_mount_of_its_own
from tests.logs import sql, with_log
from tests.site import ROOT, SET, Site

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


def test_who_is_no_superuser_is_told_who_does_the_statements_and_how_to_see_them(
    site: Site,
) -> None:
    sql(site, "CREATE ROLE plain LOGIN")
    changed = with_log(site)
    changed.changes["user=opsd"] = "user=plain"
    asked = changed.opsd("wal", "setup", SET, "--language", "en")
    _, said = asked.communicate(timeout=60)
    assert asked.returncode == 1
    assert "the server refused a statement" in said
    assert f"opsd wal setup {SET} --plan" in said


def test_the_doctor_looks_at_where_the_log_is_received(site: Site) -> None:
    def found() -> list[tuple[str, str]]:
        told, _ = with_log(site).opsd("doctor", "--json").communicate(timeout=60)
        findings = json.loads(told)["findings"]
        keys = {"doctor.receiver", "target.barred"}
        return [(one["key"], one["status"]) for one in findings if one["key"] in keys]

    assert found() == 2 * [("doctor.receiver", "ok")]
    (site.base / "wal").write_text("a file where the directory should be")
    assert found() == 2 * [("target.barred", "critical")]


@pytest.mark.parametrize(
    ("where", "code", "reason"),
    [
        ("scratch", ExitCode.DONE, ""),  # no copy lies there
        ("repository/opsd-objects/packs", ExitCode.FAILED, "space"),
    ],
)
def test_a_base_copy_needs_room_in_its_repository_alone(
    site: Site, where: str, code: ExitCode, reason: str
) -> None:
    place = with_log(site).base / where
    place.mkdir(mode=0o711, parents=True, exist_ok=True)
    with site.kit() as kit:
        setting_up.carry_out(setting_up.plan(logs_of(kit, SET)[0]))
    words = ("wal", "base", SET, "--language", "en", "--config", str(site.config_file))
    command = in_a_mount_of_its_own("1m", place, (sys.executable, "-m", "opsd", *words))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    with site.kit() as kit:
        assert [end.reason for _, end in kit.store.runs(Task.BASE, SET) if end] == [reason]
    assert (str(place) in done.stdout + done.stderr) == bool(reason)
