"""The probe of a disk tells the truth, is small and short, and leaves nothing behind."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import pytest

from checks.disk_speed import DiskSpeed, Probe, parse
from opsd.check import Answer
from opsd.config.disks import DiskSpeedOptions
from tests.disks import Loop, loop, throttle

MIB = 1 << 20
LIMIT = 12 * MIB

pytestmark = pytest.mark.xdist_group("disks")


def probing(place: Path, /, **options: object) -> DiskSpeed:
    chosen = {"volumes": {"it": str(place)}, "min_free": "64MiB", "max_pressure": 1, "busy": []}
    return DiskSpeed(DiskSpeedOptions.model_validate({**chosen, **options}))


def shell(script: str, group: Path | None = None, **env: str) -> str:
    """What a script says; in the group of processes, where one is given."""
    join = f"echo $$ >{group}\n" if group else ""
    done = subprocess.run(
        ["/bin/sh", "-c", join + script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin", **env},
    )
    return done.stdout


def probed(place: Path, group: Path | None = None, /, **options: object) -> Probe:
    (read,) = probing(place, **options).reads()
    return parse(Answer(shell(read.script, group)))


def figures_of(place: Path, group: Path | None = None) -> Mapping[str, float]:
    """The figures of a probe; where others take the processor, of one that came to its end."""
    for _ in range(8):
        found = probed(place, group)
        if found.figures is not None:
            return found.figures
    raise AssertionError(found)


def long_run(place: Path, group: Path | None, *job: str) -> dict[str, object]:
    """The same work, ten times as long."""
    fio = "fio --output-format=json --direct=1 --ioengine=libaio --size=64m --time_based"
    said = shell(f"{fio} --filename={place}/long --percentile_list=50 {' '.join(job)}", group)
    (place / "long").unlink()
    (found,) = json.loads(said[said.index("{") :])["jobs"]
    return dict(found)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Loop]:
    with loop(tmp_path, "400M") as found:
        yield found


def test_it_finds_the_true_speed_of_a_throttled_disk(disk: Loop) -> None:
    """Within 15 % of what the disk was limited to, and of a run of ten times the length."""
    with throttle(disk, LIMIT) as group:
        told = [figures_of(disk.point, group) for _ in range(3)]
        slow = long_run(disk.point, group, "--name=w --rw=write --bs=256k --iodepth=2 --runtime=6s")
    for way in ("read", "write"):
        assert median(one[f"{way}_bytes_per_second"] for one in told) == pytest.approx(
            LIMIT, rel=0.15
        )
    written = slow["write"]
    assert isinstance(written, dict)
    assert median(one["write_bytes_per_second"] for one in told) == pytest.approx(
        written["bw_bytes"], rel=0.15
    )


def test_the_wait_of_a_read_is_that_of_a_long_run(tmp_path: Path) -> None:
    """Medians of several, taken in turn: who shares the machine makes any one shot scatter."""
    short: list[float] = []
    long: list[float] = []
    end = time.monotonic() + 120
    while len(short) < 3 or (not near(short, long) and time.monotonic() < end):
        short.append(figures_of(tmp_path)["read_latency_median_seconds"])
        found = long_run(tmp_path, None, "--name=r --rw=randread --bs=4k --runtime=4s")["read"]
        assert isinstance(found, dict)
        long.append(found["clat_ns"]["percentile"]["50.000000"] / 1e9)
    assert near(short, long), (short, long)


def near(short: list[float], long: list[float]) -> bool:
    return bool(median(short) == pytest.approx(median(long), rel=0.2))


def written_sectors(name: str) -> int:
    return int(Path(f"/sys/block/{name}/stat").read_text(encoding="ascii").split()[6])


def test_it_is_small_and_short_and_leaves_nothing(disk: Loop) -> None:
    before = written_sectors(disk.name)
    began = time.monotonic()
    probed(disk.point)
    assert time.monotonic() - began < 12
    assert (written_sectors(disk.name) - before) * 512 < 128 * MIB
    assert [found.name for found in disk.point.iterdir()] == ["lost+found"]


def test_it_names_the_disk_that_the_volume_lies_on(disk: Loop) -> None:
    assert probed(disk.point, min_free="10TiB").disks == {disk.name}


def test_killed_on_the_way_it_leaves_nothing_either(disk: Loop) -> None:
    (read,) = probing(disk.point).reads()
    child = subprocess.Popen(
        ["setsid", "timeout", "-s", "KILL", "0.8", "/bin/sh", "-c", read.script],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    child.wait(30)
    assert [found.name for found in disk.point.iterdir()] == ["lost+found"]


def test_a_disk_that_hardly_moves_is_told_and_not_waited_for(disk: Loop) -> None:
    with throttle(disk, 60 * 1024) as group:
        began = time.monotonic()
        found = probed(disk.point, group)
        assert time.monotonic() - began < 12
    assert found.failed == "disk_stalls"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"min_free": "10TiB"}, "free_space"),
        ({"busy": ["sleep"]}, "backup"),
        ({"window": {"begins": "00:00", "ends": "00:00"}}, ""),
    ],
)
def test_it_does_not_begin_where_it_would_disturb(
    options: dict[str, object], reason: str, tmp_path: Path
) -> None:
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    try:
        found = probed(tmp_path, **options)
    finally:
        sleeper.kill()
        sleeper.wait()
    assert found.skipped == reason


@pytest.mark.parametrize(
    ("begins", "ends", "hour", "skipped"),
    [
        ("22:00", "05:00", "23:30", ""),
        ("22:00", "05:00", "04:59", ""),
        ("22:00", "05:00", "08:09", "window"),
        ("08:00", "09:00", "08:09", ""),
        ("08:00", "09:00", "09:00", "window"),
        ("00:00", "00:30", "00:08", ""),
    ],
)
def test_the_window_is_by_the_clock_of_the_host(
    begins: str, ends: str, hour: str, skipped: str, tmp_path: Path
) -> None:
    date = tmp_path / "date"
    date.write_text(f"#!/bin/sh\necho {hour}\n")
    date.chmod(0o755)
    window = {"begins": begins, "ends": ends}
    (read,) = probing(tmp_path, window=window, min_free="10TiB").reads()
    said = shell(read.script, PATH=f"{tmp_path}:/usr/bin:/bin")
    assert said.splitlines()[-1] == f"skipped {skipped or 'free_space'}"


def test_pressure_on_the_disks_keeps_it_away(tmp_path: Path) -> None:
    """Judged by what the script reads: the figure of the last ten seconds, in hundredths."""
    pressure = tmp_path / "io"
    pressure.write_text("some avg10=60.00 avg60=1 total=9\nfull avg10=12.34 avg60=1 total=9\n")
    for most, said in ((0.13, "free_space"), (0.12, "pressure")):
        (read,) = probing(tmp_path, max_pressure=most, min_free="10TiB").reads()
        script = read.script.replace("/proc/pressure/io", str(pressure))
        assert shell(script).splitlines()[-1] == f"skipped {said}"


def test_a_host_without_fio_says_so(tmp_path: Path) -> None:
    (read,) = probing(tmp_path).reads()
    script = read.script.replace("command -v fio", "command -v no-such-fio")
    assert parse(Answer(shell(script))).failed == "fio_missing"
    assert probed(tmp_path / "gone").failed == "volume_gone"
