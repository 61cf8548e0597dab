"""Disk health: RAID, LVM, SMART and the kernel's errors, on what hosts answered."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from checks.disk_errors import COUNTED, DiskErrors
from checks.raid import Raid
from checks.smart import Smart
from checks.volumes import Volumes
from opsd.check import Sample
from opsd.config.disks import DiskErrorsOptions, RaidOptions, SmartOptions, VolumesOptions
from opsd.model import CheckResult, Status
from tests.asking import NOW, Memory, judged, measured, recorded, seen

RAID, VOLUMES = Raid(RaidOptions()), Volumes(VolumesOptions())
SMART, ERRORS = Smart(SmartOptions()), DiskErrors(DiskErrorsOptions())


def told(found: dict[str, CheckResult]) -> dict[str, tuple[Status, str]]:
    return {subject: (result.status, result.cause) for subject, result in found.items()}


# ------------------------------------------------------------------------------ RAID


def test_whole_arrays_are_good_even_while_they_are_checked() -> None:
    found = judged(RAID, seen(RAID, recorded("mdstat-whole.txt")))
    assert told(found) == {"md0": (Status.OK, ""), "md1": (Status.OK, "")}
    assert measured(found["md1"])["opsd_host_raid_disks_active"] == 2


def test_each_fault_of_an_array_is_named() -> None:
    found = judged(RAID, seen(RAID, recorded("mdstat-ill.txt")))
    assert told(found) == {
        "md0": (Status.CRITICAL, "raid_degraded"),
        "md1": (Status.CRITICAL, "raid_rebuilding"),
        "md2": (Status.CRITICAL, "raid_inactive"),
        "md3": (Status.WARNING, "raid_disk_failed"),
        "md4": (Status.OK, ""),
    }
    assert found["md0"].fields["failed"] == ("sdb1",)
    assert found["md1"].fields["percent"] == 12.6


def test_a_machine_without_arrays_has_nothing_to_be_judged() -> None:
    assert judged(RAID, seen(RAID, "")) == {}
    assert judged(RAID, seen(RAID, "", code=1))[""].status is Status.UNKNOWN


# ------------------------------------------------------------------------------ LVM


def test_pools_snapshots_and_missing_disks_are_judged_and_plain_volumes_are_not() -> None:
    found = judged(VOLUMES, seen(VOLUMES, recorded("lvm.txt")))
    assert told(found) == {
        "vg0": (Status.OK, ""),
        "vg1": (Status.CRITICAL, "volume_disk_missing"),
        "vg0/pool": (Status.WARNING, "pool_full"),
        "vg0/before_upgrade": (Status.CRITICAL, "snapshot_full"),
        "vg1/mirror": (Status.CRITICAL, "volume_ill"),
    }
    assert measured(found["vg0/pool"])["opsd_host_volume_used_ratio"] == pytest.approx(0.8241)
    assert measured(found["vg0"])["opsd_host_volume_group_free_bytes"] == 21470642176


def test_a_group_whose_disk_was_taken_away_is_named_as_lvm_says_it() -> None:
    """Said by LVM itself, of a group with two disks of which one was detached."""
    found = judged(VOLUMES, seen(VOLUMES, recorded("lvm-missing.txt")))
    assert told(found) == {
        "archive": (Status.CRITICAL, "volume_disk_missing"),
        "papers": (Status.OK, ""),
    }


def test_a_host_without_lvm_has_nothing_and_one_that_refuses_is_unknown() -> None:
    assert judged(VOLUMES, seen(VOLUMES, "")) == {}
    refused = judged(VOLUMES, seen(VOLUMES, "sudo: a password is required\n", code=1))
    assert told(refused) == {"": (Status.UNKNOWN, "unreadable")}


def test_what_the_page_lets_sudo_do_is_what_is_asked_to_the_letter() -> None:
    page = Path(__file__).parents[3].joinpath("docs", "checks.md").read_text(encoding="utf-8")
    rules = re.findall(r"NOPASSWD: /usr/sbin/(\w+) (.+)", page)
    allowed = {(name, words.replace("\\,", ",").strip('"')) for name, words in rules}
    asked = re.findall(r"\$as (lvs|vgs) ?(.*?) 2>", VOLUMES.reads()[0].script)
    assert len(asked) == 3
    assert {one for one in allowed if one[0] != "smartctl"} == set(asked)
    (smart,) = (words for name, words in allowed if name == "smartctl")
    for device, kind in (("/dev/sda", "sat"), ("/dev/bus/0", "sat+megaraid,3")):
        assert f'$as smartctl {smart[1:].split("[", 1)[0]}"$3" "$2"' in SMART.reads()[0].script
        assert re.match(smart, f"--json=c -i -H -A -d {kind} {device}")
    assert not re.match(smart, "--json=c -i -H -A -d sat -s off /dev/sda")


# ------------------------------------------------------------------------------ SMART


def test_each_disk_says_how_it_is() -> None:
    found = judged(SMART, seen(SMART, recorded("smart.txt")))
    assert told(found) == {
        "sda": (Status.OK, ""),
        "sdb": (Status.WARNING, "disk_loses_sectors"),
        "sdc": (Status.CRITICAL, "disk_failing"),
        "nvme0": (Status.WARNING, "disk_worn"),
        "nvme1": (Status.CRITICAL, "disk_spare_low"),
        "bus/0-megaraid,3": (Status.OK, ""),
        "bus/0-megaraid,4": (Status.OK, ""),
        "vda": (Status.UNKNOWN, "smart_silent"),
        "sdd": (Status.UNKNOWN, "smart_silent"),
    }
    assert measured(found["sda"]) == {
        "opsd_host_smart_healthy": 1,
        "opsd_host_smart_lost_sectors": 0,
        "opsd_host_smart_temperature_celsius": 34,
    }
    assert measured(found["sdb"])["opsd_host_smart_lost_sectors"] == 16
    assert measured(found["nvme0"])["opsd_host_smart_worn_ratio"] == pytest.approx(0.93)
    assert "detect device type" in found["vda"].detail
    assert "password" in found["sdd"].detail


def test_the_type_behind_a_raid_controller_is_carried_through() -> None:
    devices = {"sda": "megaraid,0", "bay1": "/dev/sda megaraid,1", "nvme0": "nvme"}
    made = Smart(SmartOptions.model_validate({"devices": devices}))
    (read,) = made.reads()
    assert "ask sda /dev/sda megaraid,0\n" in read.script
    assert "ask bay1 /dev/sda megaraid,1\n" in read.script
    assert "--scan" not in read.script
    missing = judged(made, seen(made, "missing\n"))
    assert {one.cause for one in missing.values()} == {"smartctl_missing"}
    assert set(missing) == set(devices)
    assert judged(SMART, seen(SMART, "missing\n")) == {}


def test_a_disk_that_smartctl_is_refused_is_unknown() -> None:
    """Said by smartctl itself, of a virtual disk."""
    made = Smart(SmartOptions.model_validate({"devices": {"vda": "/dev/vda sat"}}))
    found = judged(made, seen(made, recorded("smart-refused.txt")))
    assert told(found) == {"vda": (Status.UNKNOWN, "smart_silent")}
    assert "Operation not permitted" in found["vda"].detail


# ------------------------------------------------------------------------------ the kernel


def test_no_error_is_good() -> None:
    found = judged(ERRORS, seen(ERRORS, recorded("disk_errors.txt")))
    assert told(found) == {"vda": (Status.OK, "")}
    assert measured(found["vda"])[COUNTED] == 0


def test_recent_messages_are_faults_of_the_disk_that_a_partition_is_on() -> None:
    found = judged(ERRORS, seen(ERRORS, recorded("disk_errors-ill.txt")))
    assert told(found) == {
        "sda": (Status.CRITICAL, "io_errors"),
        "sdb": (Status.OK, ""),
        "loop3": (Status.WARNING, "filesystem_errors"),
    }
    assert found["sda"].fields["errors"] == 2
    assert "critical medium error" in found["sda"].detail
    assert measured(found["sda"])[COUNTED] == 0x1C + 3


def test_a_counter_that_grew_lately_is_a_fault_although_nothing_is_told() -> None:
    """Where only root may read the messages."""
    text = "7205.11 1.00\n/sys/block/sda/device/ioerr_cnt 0x1c\n"
    memory = Memory()
    assert judged(ERRORS, seen(ERRORS, text), None, memory)["sda"].status is Status.OK
    memory.keep(COUNTED, Sample(NOW - timedelta(minutes=40), 0x1A), device="sda")
    memory.keep(COUNTED, Sample(NOW - timedelta(minutes=10), 0x1C), device="sda")
    result = judged(ERRORS, seen(ERRORS, text), None, memory)["sda"]
    assert (result.cause, result.fields["errors"]) == ("io_errors", 2)


def test_what_was_wrong_with_a_file_that_is_gone_is_no_fault_of_today() -> None:
    told_once = recorded("disk_errors-ill.txt")
    gone = f"{told_once}/sys/block/loop3/size 0\n/sys/block/loop4/size 2048\n"
    assert set(judged(ERRORS, seen(ERRORS, gone))) == {"sda", "sdb"}


def test_an_answer_without_uptime_is_unknown() -> None:
    assert told(judged(ERRORS, seen(ERRORS, ""))) == {"": (Status.UNKNOWN, "unreadable")}
