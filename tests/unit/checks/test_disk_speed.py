"""Disk speed: figures of fio against what is usual, and probes that were not made."""

import random
from datetime import timedelta

import pytest

from checks.disk_speed import FAILURES, SKIPS, DiskSpeed, parse
from opsd.check import Answer, Seen
from opsd.config.disks import DiskSpeedOptions
from opsd.model import CheckResult, Status
from tests.asking import NO_TIME, NOW, Memory, judged, measured, recorded

CHECK = DiskSpeed(DiskSpeedOptions.model_validate({"volumes": {"data": "/srv"}}))
SIX_HOURS = timedelta(hours=6)
PROBE = "opsd_disk_probe_"


def answer(read: float, write: float, wait: float = 1e-4, fsync: float = 1e-3) -> str:
    """What fio would say, as far as it is read."""
    zero = '"50.000000":{0:.0f},"99.000000":{1:.0f}'
    waits, syncs = (zero.format(1e9 * one, 5e9 * one) for one in (wait, fsync))
    return (
        f'fio {{"jobs":[{{"jobname":"write","error":0,"write":{{"bw_bytes":{write:.0f}}}}}]}}\n'
        f'fio {{"jobs":[{{"jobname":"read","error":0,"read":{{"bw_bytes":{read:.0f}}}}},'
        f'{{"jobname":"random","error":0,"read":{{"clat_ns":{{"percentile":{{{waits}}}}}}}}},'
        f'{{"jobname":"sync","error":0,"sync":{{"lat_ns":{{"percentile":{{{syncs}}}}}}}}}]}}\n'
    )


class Story:
    """Probes one after the other, each kept as the watch keeps them."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.memory = Memory()
        self.at = NOW

    def tell(self, text: str, code: int | None = 0) -> CheckResult:
        self.at += SIX_HOURS
        now = Seen(self.at, NO_TIME, {"disk_speed.data": Answer(text, code)})
        found = judged(CHECK, now, None, self.memory)
        self.memory.take(CHECK, self.at, list(found.values()))
        return found["data"]

    def probe(self, part: float = 1.0, scatter: float = 0.1, wait: float = 1e-4) -> CheckResult:
        speed = [part * self.chance.lognormvariate(0, scatter) * 4e8 for _ in range(2)]
        return self.tell(answer(speed[0], speed[1], wait * self.chance.uniform(0.9, 1.1)))


def test_real_output_of_fio_is_read() -> None:
    found = parse(Answer(recorded("disk_speed.txt"))).figures
    assert found is not None
    assert found["write_bytes_per_second"] == 789516047
    assert 1e-6 < found["read_latency_median_seconds"] < found["read_latency_p99_seconds"] < 1
    assert 1e-6 < found["fsync_latency_median_seconds"] <= found["fsync_latency_p99_seconds"] < 1


def test_it_learns_what_is_usual_first() -> None:
    story = Story()
    results = [story.probe() for _ in range(11)]
    assert [result.status for result in results] == [Status.OK] * 11
    assert results[0].key == "check.disk_speed.learning"
    assert results[10].key == "check.disk_speed.usual"
    figures = measured(results[10])
    usual = figures[f"{PROBE}baseline_read_bytes_per_second"]
    assert usual == pytest.approx(4e8, rel=0.1)
    assert figures[f"{PROBE}last_success_timestamp_seconds"] == story.at.timestamp()
    assert f"{PROBE}baseline_read_bytes_per_second" not in measured(results[0])


def test_a_disk_too_slow_for_the_whole_probe_is_judged_by_what_it_wrote() -> None:
    story = Story()
    for _ in range(20):
        story.probe()
    written, _ = answer(4e8, 2e6).splitlines()
    results = [story.tell(f"disks sda\n{written}\nfio \n") for _ in range(2)]
    assert (results[1].status, results[1].cause) == (Status.CRITICAL, "writes_slower")
    assert results[1].disks == {"sda"}
    assert f"{PROBE}read_bytes_per_second" not in measured(results[1])
    assert story.memory.samples


def test_a_sudden_drop_shows_at_the_second_probe_and_ends_when_it_ends() -> None:
    story = Story()
    for _ in range(20):
        story.probe()
    assert story.probe(0.1).status is Status.OK, "one shot is no proof"
    result = story.probe(0.1)
    assert result.status is Status.CRITICAL
    assert result.cause in {"reads_slower", "writes_slower"}
    assert story.probe(1).status is Status.CRITICAL
    assert story.probe(1).status is Status.OK


def test_a_slow_decline_shows() -> None:
    story = Story()
    statuses = [story.probe(1 - 0.6 * n / 120, scatter=0.05).status for n in range(120)]
    assert statuses[:30] == [Status.OK] * 30
    assert statuses[-1] is not Status.OK


def test_a_wait_that_grows_shows_although_the_speed_stays() -> None:
    story = Story()
    for _ in range(12):
        story.probe()
    for _ in range(3):
        result = story.probe(wait=5e-4)
    assert (result.status, result.cause) == (Status.WARNING, "read_latency_worse")


def test_scatter_of_a_quarter_opens_no_incident() -> None:
    for seed in range(5):
        story = Story(seed)
        statuses = [story.probe(scatter=0.25).status for _ in range(60)]
        assert Status.CRITICAL not in statuses
        assert statuses.count(Status.WARNING) <= 3


@pytest.mark.parametrize("reason", SKIPS)
def test_a_skip_is_no_failure_and_no_success(reason: str) -> None:
    story = Story()
    for _ in range(12):
        story.probe()
    before = measured(story.probe())
    for _ in range(3):
        skipped = story.tell(f"skipped {reason}\n")
    figures = measured(skipped)
    assert (skipped.status, skipped.cause) == (Status.OK, "")
    assert skipped.key == f"check.disk_speed.skipped_{reason}"
    for name in ("last_success_timestamp_seconds", "read_bytes_per_second", "runs_total"):
        assert figures[PROBE + name] == before[PROBE + name]
    counted = {
        m.labels["reason"]: m.value
        for m in skipped.measurements
        if m.metric == f"{PROBE}skips_total"
    }
    assert counted == {one: 3 * (one == reason) for one in SKIPS}


def test_a_skip_leaves_a_bad_status_bad_and_does_not_count_twice() -> None:
    story = Story()
    for _ in range(12):
        story.probe()
    story.probe(0.1)
    for _ in range(3):
        assert story.tell("skipped pressure\n").status is Status.OK, "one bad figure told again"
    story.probe(0.1)
    assert story.tell("skipped backup\n").status is Status.CRITICAL


def test_what_was_not_measured_for_days_is_unknown() -> None:
    story = Story()
    assert story.tell("skipped pressure\n").cause == "not_measured", "it never was"
    story.probe()
    results = [story.tell("skipped pressure\n") for _ in range(9)]
    assert results[0].status is Status.OK
    assert (results[-1].status, results[-1].cause) == (Status.UNKNOWN, "not_measured")


@pytest.mark.parametrize(
    ("text", "code", "status", "cause"),
    [
        ("failed fio_missing\n", 0, Status.UNKNOWN, "fio_missing"),
        ("failed volume_gone\n", 0, Status.UNKNOWN, "volume_gone"),
        ("fio \nfailed disk_stalls\n", 0, Status.CRITICAL, "disk_stalls"),
        ("", None, Status.CRITICAL, "disk_stalls"),
        ("", 0, Status.UNKNOWN, "probe_failed"),
        ('fio fio:file:filesetup.c:150{"jobs":[]}\n', 0, Status.UNKNOWN, "probe_failed"),
        ('fio {"jobs":[{"jobname":"write","error":22}]}\n', 0, Status.UNKNOWN, "probe_failed"),
        (answer(0, 0), 0, Status.UNKNOWN, "probe_failed"),
        ("fio {half", 0, Status.UNKNOWN, "probe_failed"),
    ],
)
def test_each_failure_is_told_and_counted(
    text: str, code: int | None, status: Status, cause: str
) -> None:
    story = Story()
    result = story.tell(text, code)
    assert (result.status, result.cause) == (status, cause)
    failed = {
        m.labels["reason"]: m.value
        for m in result.measurements
        if m.metric == f"{PROBE}run_failures_total"
    }
    assert failed == {one: float(one == cause) for one in FAILURES}
    assert measured(result)[f"{PROBE}runs_total"] == 1


def test_percentiles_that_are_not_there_are_no_crash() -> None:
    """Fio leaves them out when there were no samples."""
    text = answer(1e8, 1e8).replace('"percentile"', '"percentil"')
    assert parse(Answer(text)).failed == "probe_failed"


def test_the_script_carries_what_was_configured() -> None:
    made = DiskSpeed(
        DiskSpeedOptions.model_validate(
            {
                "volumes": {"a": "/srv/it's here"},
                "window": {"begins": "22:00", "ends": "05:30"},
                "min_free": "1GiB",
                "max_pressure": 0.25,
            }
        )
    )
    (read,) = made.reads()
    assert read.name == "disk_speed.a"
    assert "at='/srv/it'\"'\"'s here' begins=1320 ends=330" in read.script
    assert f"-ge {1 << 30} ]" in read.script
    assert "-le 2500 ]" in read.script
    assert "@" not in read.script.replace('"$@"', "")
