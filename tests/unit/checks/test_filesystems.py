"""Filesystems: what `stat` said becomes room, dates and causes."""

from datetime import timedelta

import pytest

from checks.filesystems import READONLY, USED, Filesystems
from opsd.check import Sample
from opsd.config.disks import FilesystemsOptions
from opsd.model import Status
from tests.asking import NOW, Memory, judged, measured, recorded, seen

GIB = 1 << 30
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def check(**options: object) -> Filesystems:
    return Filesystems(FilesystemsOptions.model_validate(options))


def mount(
    free: float,
    *,
    size: int = 100,
    files: float = 0.9,
    options: str = "rw,relatime",
    point: str = "/srv",
    answer: str = "",
) -> str:
    """A filesystem of so many GiB with so many of them free."""
    blocks, left = size * GIB // 4096, int(free * GIB) // 4096
    said = answer or f"4096 {blocks} {left} {left} 1000 {int(1000 * files)}"
    return f"= 1 /dev/sdb1 {point} ext4 {options}\n? 1 {said}\n"


def test_a_real_answer_is_read() -> None:
    found = judged(check(), seen(check(), recorded("filesystems.txt")))
    assert set(found) == {"/", "/srv/reference"}, "each filesystem once, none of the kernel's own"
    figures = measured(found["/"])
    assert figures["opsd_host_filesystem_size_bytes"] == 66053021 * 4096
    assert figures["opsd_host_filesystem_avail_bytes"] == 16616608 * 4096
    assert figures["opsd_host_filesystem_used_bytes"] == (66053021 - 56071901) * 4096
    assert figures["opsd_host_filesystem_files_free"] == 16233890
    info = next(m for m in found["/"].measurements if m.metric.endswith("_info"))
    assert info.labels == {"mountpoint": "/", "device": "/dev/vda", "fstype": "ext4"}
    assert measured(found["/srv/reference"])["opsd_host_filesystem_readonly"] == 1


@pytest.mark.parametrize(
    ("text", "status", "cause"),
    [
        (mount(50), Status.OK, ""),
        (mount(9), Status.WARNING, "filesystem_full"),
        (mount(2), Status.CRITICAL, "filesystem_full"),
        (mount(0), Status.CRITICAL, "filesystem_full"),
        (mount(50, files=0.05), Status.WARNING, "inodes_full"),
        (mount(50, files=0.01), Status.CRITICAL, "inodes_full"),
        (mount(0, options="ro,relatime"), Status.OK, ""),
        (mount(50, options="rw,emergency_ro"), Status.CRITICAL, "readonly"),
        (mount(0, answer="hangs"), Status.CRITICAL, "mount_hangs"),
        (mount(0, answer="stat: cannot read: Stale file handle"), Status.CRITICAL, "mount_fails"),
        (mount(0, answer="stat: cannot read: Permission denied"), Status.UNKNOWN, "mount_fails"),
        ("= 1 /dev/sdb1 /srv ext4 rw\n", Status.CRITICAL, "mount_hangs"),
    ],
)
def test_each_fault_is_named_as_what_it_is(text: str, status: Status, cause: str) -> None:
    (result,) = judged(check(), seen(check(), text)).values()
    assert (result.status, result.cause, result.subject) == (status, cause, "/srv")


def test_a_filesystem_without_a_number_of_inodes_is_not_out_of_them() -> None:
    (result,) = judged(check(), seen(check(), mount(0, answer="4096 900 800 800 0 0"))).values()
    assert result.status is Status.OK


def test_read_only_is_a_fault_only_where_it_could_be_written_before() -> None:
    now = seen(check(), mount(50, options="ro"), at=NOW + 15 * timedelta(seconds=1))
    assert judged(check(), now)["/srv"].status is Status.OK
    before = seen(check(), mount(50))
    assert judged(check(), now, before)["/srv"].cause == "readonly"
    memory = Memory()
    memory.keep(READONLY, Sample(NOW - DAY, 0), mountpoint="/srv")
    assert judged(check(), now, None, memory)["/srv"].cause == "readonly"
    always = Memory()
    always.keep(READONLY, Sample(NOW - DAY, 1), mountpoint="/srv")
    assert judged(check(), now, None, always)["/srv"].status is Status.OK


def weeks(per_day: float, now: float) -> Memory:
    """Used GiB over four weeks, hour by hour."""
    memory = Memory()
    for hour in range(28 * 24, 0, -1):
        used = (now - per_day * hour / 24) * GIB
        memory.keep(USED, Sample(NOW - hour * 60 * MINUTE, used), mountpoint="/srv")
    return memory


def test_days_until_full_are_told_and_exported_and_a_worry_below_the_floor() -> None:
    (result,) = judged(check(), seen(check(), mount(20)), None, weeks(2, 80)).values()
    assert (result.status, result.cause) == (Status.WARNING, "filling")
    full = measured(result)["opsd_host_filesystem_full_predicted_timestamp_seconds"]
    assert full == pytest.approx((NOW + 10 * DAY).timestamp(), abs=DAY.total_seconds())
    left = result.fields["left"]
    assert isinstance(left, timedelta)
    assert abs(left - 10 * DAY) < DAY
    (soon,) = judged(check(), seen(check(), mount(20)), None, weeks(8, 80)).values()
    assert (soon.status, soon.cause) == (Status.CRITICAL, "filling")
    (roomy,) = judged(check(), seen(check(), mount(60)), None, weeks(10, 40)).values()
    assert roomy.status is Status.OK, "more than the floor is free"


def test_what_runs_away_is_seen_within_minutes() -> None:
    memory = Memory()
    for minute in range(10, 0, -2):
        used = (70 - 0.1 * minute) * GIB
        memory.keep(USED, Sample(NOW - minute * MINUTE, used), mountpoint="/srv")
    (result,) = judged(check(), seen(check(), mount(30)), None, memory).values()
    assert (result.status, result.cause) == (Status.WARNING, "filling_fast")
    left = result.fields["left"]
    assert isinstance(left, timedelta)
    assert abs(left - 300 * MINUTE) < 10 * MINUTE
    eager = check(fast_critical="6h")
    assert judged(eager, seen(eager, mount(30)), None, memory)["/srv"].status is Status.CRITICAL


def test_what_is_left_out_is_and_what_must_be_there_is_missed() -> None:
    text = "".join(
        f"= {n} /dev/sd{d}1 {point} ext4 rw\n? {n} 4096 900 800 800 9 9\n"
        for n, (d, point) in enumerate((("a", "/"), ("b", "/srv"), ("c", "/srv/old"), ("a", "/x")))
    )
    chosen = check(exclude=["/srv"], required=["/srv/old", "/data"])
    found = judged(chosen, seen(chosen, text))
    assert {p: r.cause for p, r in found.items()} == {
        "/": "",
        "/srv/old": "",
        "/data": "not_mounted",
    }


def test_a_name_with_spaces_is_read() -> None:
    text = "= 1 //nas/scans /mnt/h\\303\\241\\040so\\304\\240 cifs rw\n? 1 4096 9 8 8 0 0\n"
    plain = "= 1 //nas/scans /mnt/old\\040scans cifs rw\n? 1 4096 9 8 8 0 0\n"
    assert set(judged(check(), seen(check(), plain))) == {"/mnt/old scans"}
    assert len(judged(check(), seen(check(), text))) == 1


def test_of_two_mounts_on_one_place_the_upper_one_counts() -> None:
    lower = "= 1 /dev/sda1 /srv ext4 rw\n? 1 4096 9 0 0 0 0\n"
    text = f"{lower}= 2 /dev/sdb1 /srv xfs rw\n? 2 4096 9 8 8 0 0\n"
    assert judged(check(), seen(check(), text))["/srv"].status is Status.OK


@pytest.mark.parametrize(("text", "code"), [("", 0), ("sh: 1: Syntax error", 2), ("= 1 a", None)])
def test_what_cannot_be_read_is_unknown(text: str, code: int | None) -> None:
    (result,) = judged(check(), seen(check(), text, code=code)).values()
    assert result.status is Status.UNKNOWN
    assert result.cause == ("no_answer" if code is None else "unreadable")
