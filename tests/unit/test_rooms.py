"""Where opsd itself writes: the room that is left, and a disk or a bucket that does not answer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsd import assembly
from opsd.config.load import load
from opsd.errors import ToolFailed
from opsd.model import CheckResult, Status
from opsd.tasks.check import rooms
from opsd.tasks.kit import Kit

CONFIG = """\
language: en
state: {base}/state
repositories:
  main: {{url: {base}/not/yet, password_file: {base}/password, min_free: {least}}}
  far: {{url: "sftp:backup@example.vn:/srv", password_file: {base}/password}}
  bucket:
    url: "s3:http://127.0.0.1:1/opsd"
    password_file: {base}/password
    s3_credentials_file: {base}/credentials
backup_sets:
  one:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: {base}/tree}}
"""


@contextmanager
def made(base: Path, least: str = "1MiB") -> Iterator[Kit]:
    for name in ("password", "credentials"):
        (base / name).write_text("[default]\naws_access_key_id = A\naws_secret_access_key = B\n")
        (base / name).chmod(0o600)
    (base / "opsd.yaml").write_text(CONFIG.format(base=base, least=least))
    kit = assembly.assemble(load(base / "opsd.yaml"))
    try:
        yield kit
    finally:
        kit.store.close()


def asked(base: Path, least: str = "1MiB") -> dict[str, CheckResult]:
    with made(base, least) as kit:
        return {result.subject: result for result in rooms.repositories(kit).results}


def test_the_room_is_that_of_the_disk_also_before_the_first_backup(tmp_path: Path) -> None:
    found = rooms.room(tmp_path / "not" / "yet")
    told = os.statvfs(tmp_path)
    assert found.size == told.f_blocks * told.f_frsize
    assert found.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)


@pytest.mark.parametrize(
    ("part", "status"), [(0.1, Status.OK), (0.7, Status.WARNING), (2.0, Status.CRITICAL)]
)
def test_a_repository_is_judged_by_what_a_backup_wants_to_find(
    part: float, status: Status, tmp_path: Path
) -> None:
    least = int(shutil.disk_usage(tmp_path).free * part)
    result = asked(tmp_path, f"{least >> 20}MiB")["main"]
    assert result.status is status
    assert result.cause == ("" if status is Status.OK else "room_low")


def test_a_bucket_that_does_not_answer_is_named_and_what_only_restic_reaches_is_not_asked(
    tmp_path: Path,
) -> None:
    found = asked(tmp_path)
    assert set(found) == {"main", "bucket"}
    assert (found["bucket"].status, found["bucket"].cause) == (Status.CRITICAL, "repository_silent")


def test_locks_are_counted_and_a_repository_that_cannot_be_looked_into_is_silent(
    tmp_path: Path,
) -> None:
    locks = tmp_path / "not" / "yet" / "locks"
    assert [one.value for one in asked(tmp_path)["main"].measurements] == [0]
    locks.mkdir(parents=True)
    for name in ("ab" * 32, "cd" * 32, "no lock"):
        (locks / name).touch()
    (found,) = asked(tmp_path)["main"].measurements
    assert (found.metric, found.value) == ("opsd_repository_locks", 2)
    assert found.labels == {"repository": "main"}
    shutil.rmtree(locks)
    locks.touch()
    silent = asked(tmp_path)["main"]
    assert (silent.status, silent.cause) == (Status.CRITICAL, "repository_silent")


def test_a_disk_that_does_not_answer_is_critical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(path: Path) -> rooms.Room:
        raise ToolFailed("process.timed_out", program="stat", limit=5)

    monkeypatch.setattr(rooms, "room", silent)
    with made(tmp_path) as kit:
        (result,) = rooms.state(kit).results
    assert (result.status, result.cause, result.subject) == (
        Status.CRITICAL,
        "room_silent",
        "state",
    )
