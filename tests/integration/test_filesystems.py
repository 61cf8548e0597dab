"""Filesystems that run full, turn read-only, fail or hang: told within two looks, as what it is."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.disk_errors import DiskErrors
from checks.filesystems import Filesystems
from opsd.config.disks import DiskErrorsOptions, FilesystemsOptions
from opsd.model import Status
from tests.asking import Memory, judged, looked, measured
from tests.disks import Loop, loop, run, silent_mount

pytestmark = pytest.mark.xdist_group("disks")

CHECK = Filesystems(FilesystemsOptions.model_validate({"timeout": "1s"}))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Loop]:
    with loop(tmp_path, "64M") as found:
        yield found


def at(point: Path) -> tuple[Status, str]:
    result = judged(CHECK, looked(CHECK))[str(point)]
    return result.status, result.cause


def test_the_figures_are_those_of_df(disk: Loop) -> None:
    (disk.point / "some").write_bytes(bytes(7_000_000))
    run("sync", "-f", disk.point)
    df = run("df", "--block-size=1", "--output=size,used,avail,itotal,iavail", disk.point)
    figures = measured(judged(CHECK, looked(CHECK))[str(disk.point)])
    told = [
        figures[f"opsd_host_filesystem_{what}"]
        for what in ("size_bytes", "used_bytes", "avail_bytes", "files", "files_free")
    ]
    assert told == [float(word) for word in df.splitlines()[1].split()]


def test_a_disk_that_runs_full_is_full_until_it_is_emptied(disk: Loop) -> None:
    assert at(disk.point) == (Status.OK, "")
    subprocess.run(["dd", "if=/dev/zero", f"of={disk.point}/big"], capture_output=True, check=False)
    assert at(disk.point) == (Status.CRITICAL, "filesystem_full")
    (disk.point / "big").unlink()
    assert at(disk.point) == (Status.OK, "")


def test_a_disk_without_inodes_is_told_as_that(tmp_path: Path) -> None:
    with loop(tmp_path, "16M", "-N", "64") as disk:
        for number in range(60):
            try:
                (disk.point / str(number)).touch()
            except OSError:
                break
        assert at(disk.point) == (Status.CRITICAL, "inodes_full")


def test_a_remount_read_only_is_told_where_it_was_writable(disk: Loop) -> None:
    before = looked(CHECK)
    run("mount", "-o", "remount,ro", disk.point)
    result = judged(CHECK, looked(CHECK), before)[str(disk.point)]
    assert (result.status, result.cause) == (Status.CRITICAL, "readonly")
    run("mount", "-o", "remount,rw", disk.point)
    assert judged(CHECK, looked(CHECK), before)[str(disk.point)].status is Status.OK


def test_a_hung_mount_hangs_only_its_own_answer(disk: Loop, tmp_path: Path) -> None:
    """Asked again and again it leaves no heap of waiting programs behind either."""
    point = tmp_path / "hung"
    with silent_mount(point):
        for _ in range(3):
            began = time.monotonic()
            found = judged(CHECK, looked(CHECK))
            assert time.monotonic() - began < 6
            result = found[str(point)]
            assert (result.status, result.cause) == (Status.CRITICAL, "mount_hangs")
            assert found[str(disk.point)].status is Status.OK
            assert measured(result)["opsd_host_filesystem_device_error"] == 1
        waiting = subprocess.run(
            ["pgrep", "-f", f"stat -f .* {point}"], capture_output=True, text=True, check=False
        )
        assert len(waiting.stdout.split()) <= 2
    point.rmdir()
    assert str(point) not in judged(CHECK, looked(CHECK))


def test_a_name_with_a_space_is_asked(tmp_path: Path) -> None:
    with loop(tmp_path, "16M") as disk:
        other = tmp_path / "hồ sơ 'cũ'"
        other.mkdir()
        run("mount", "--move", disk.point, other)
        try:
            assert at(other) == (Status.OK, "")
        finally:
            run("mount", "--move", other, disk.point)


def test_what_the_kernel_cannot_read_is_an_error_of_the_disk(disk: Loop) -> None:
    check = DiskErrors(DiskErrorsOptions())
    memory = Memory()
    file = disk.point / "file"
    file.write_bytes(bytes(8_000_000))
    run("sync", "-f", disk.point)
    run("truncate", "-s", "1M", disk.image)
    subprocess.run(
        ["dd", f"if={file}", "of=/dev/null", "iflag=direct"], check=False, capture_output=True
    )
    result = judged(check, looked(check), None, memory)[disk.name]
    assert (result.status, result.cause) == (Status.CRITICAL, "io_errors")
    run("truncate", "-s", "64M", disk.image)
