"""What would hang or harm a recovered server is cleared, wherever and however it was set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.drivers import cluster, process
from opsd.tasks.wal.clearing import clear
from tests.site import workplace

MAJOR = cluster.newest()
ELSEWHERE = "elsewhere.conf"

# The file it is set in, how it is written there, the setting, and what it must be.
SETTINGS = [
    ("postgresql.conf", "synchronous_standby_names = 'a'", "synchronous_standby_names", ""),
    ("postgresql.conf", "Synchronous_Standby_Names='a'", "synchronous_standby_names", ""),
    ("postgresql.conf", "archive_command 'x'", "archive_command", ""),
    ("postgresql.conf", "\tARCHIVE_MODE\t=\ton # always", "archive_mode", "off"),
    ("postgresql.conf", "include_dir 'more'\n", "primary_conninfo", ""),
    ("postgresql.conf", "archive_library = 'x'", "archive_library", ""),
    ("postgresql.conf", "restore_command = 'x'", "restore_command", ""),
    ("postgresql.auto.conf", "synchronous_standby_names = 'a'", "synchronous_standby_names", ""),
    ("postgresql.auto.conf", "Primary_Slot_Name 'a'", "primary_slot_name", ""),
    ("postgresql.auto.conf", "Recovery_Target_Name 'a'", "recovery_target_name", ""),
    ("postgresql.auto.conf", "work_mem = 5MB", "work_mem", "5120"),
    ("postgresql.auto.conf", "recovery_min_apply_delay = 1h", "recovery_min_apply_delay", "0"),
    (ELSEWHERE, "recovery_end_command = 'x'", "recovery_end_command", ""),
    (ELSEWHERE, "synchronous_standby_names = 'ANY 1 (a)'", "synchronous_standby_names", ""),
]


@pytest.fixture(scope="module")
def made() -> Iterator[cluster.Cluster]:
    """A cluster that is never started."""
    with workplace() as base:
        server = cluster.Cluster(base / "server", MAJOR)
        server.create()
        yield server


def value(data: Path, setting: str, settings: Path) -> str:
    """What a server takes a setting to be."""
    argv = (str(cluster.binaries(MAJOR) / "postgres"), "-D", str(data), "-C", setting)
    where = (f"--config_file={settings}", f"--data_directory={data}")
    limit = timedelta(seconds=30)
    done = process.run(process.Command((*argv, *where), limit, user=cluster.SERVER_ACCOUNT))
    assert done.exit_code == 0, done.complaint
    return done.text.strip()


@pytest.mark.parametrize(("file", "line", "setting", "wanted"), SETTINGS)
def test_a_setting_is_cleared_however_it_was_written(
    made: cluster.Cluster, file: str, line: str, setting: str, wanted: str
) -> None:
    more = made.data / "more"
    more.mkdir(exist_ok=True)
    (more / "one.conf").write_text("primary_conninfo = 'host=lost'\n")
    for name in ("postgresql.conf", "postgresql.auto.conf", ELSEWHERE):
        (made.data / name).write_text("")
    (made.data / file).write_text(f"work_mem = 3MB\n{line}\n")
    settings = made.data / (file if file == ELSEWHERE else "postgresql.conf")
    stays = setting == "work_mem"  # which harms nobody
    assert (value(made.data, setting, settings) == wanted) is stays
    for _ in range(2):  # twice is as good as once
        clear(made.data, MAJOR)
        assert value(made.data, setting, settings) == wanted


@pytest.mark.parametrize(
    ("major", "there", "not_there"),
    [
        (14, {"promote_trigger_file"}, {"archive_library", "synchronized_standby_slots"}),
        (15, {"promote_trigger_file", "archive_library"}, {"synchronized_standby_slots"}),
        (16, {"archive_library"}, {"promote_trigger_file", "synchronized_standby_slots"}),
        (17, {"archive_library", "synchronized_standby_slots"}, {"promote_trigger_file"}),
    ],
)
def test_no_server_is_told_what_it_does_not_know(
    tmp_path: Path, major: int, there: set[str], not_there: set[str]
) -> None:
    clear(tmp_path, major)
    lines = (tmp_path / "postgresql.auto.conf").read_text().splitlines()
    names = {line.partition(" ")[0] for line in lines}
    assert there <= names
    assert not not_there & names
