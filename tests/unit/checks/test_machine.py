"""The machine itself: load, memory, sensors, restarts, units."""

from datetime import timedelta

import pytest

from checks.boot import BOOTED, Boot
from checks.load import Load
from checks.memory import KILLS, Memory
from checks.temperature import Temperature
from checks.units import Units
from opsd.check import Sample
from opsd.config.machines import (
    BootOptions,
    LoadOptions,
    MemoryOptions,
    TemperatureOptions,
    UnitsOptions,
)
from opsd.model import Status
from tests import asking
from tests.asking import NOW, judged, measured, recorded, seen

LOAD, MEMORY = Load(LoadOptions()), Memory(MemoryOptions())
HEAT, BOOT = Temperature(TemperatureOptions()), Boot(BootOptions())
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("five", "status"),
    [(0.5, Status.OK), (7.9, Status.OK), (8.0, Status.WARNING), (20.0, Status.CRITICAL)],
)
def test_load_counts_for_each_processor(five: float, status: Status) -> None:
    (result,) = judged(LOAD, seen(LOAD, f"1.00 {five:.2f} 0.70 2/345 999\n4\n")).values()
    assert result.status is status
    assert measured(result)["opsd_host_load5"] == five


@pytest.mark.parametrize("text", ["", "1.0 2.0 3.0 1/1 1\n0\n", "a b c\n4\n"])
def test_a_load_that_cannot_be_read_is_unknown(text: str) -> None:
    assert judged(LOAD, seen(LOAD, text))[""].status is Status.UNKNOWN


# ------------------------------------------------------------------------------ memory


def memory_text(available: int = 50, swapped: int = 0, kills: int = 0, up: int = 1000) -> str:
    return (
        f"{up}.00 1.00\nMemTotal:       100 kB\nMemAvailable:    {available} kB\n"
        f"SwapTotal:       100 kB\npswpin {swapped}\npswpout 0\noom_kill {kills}\n"
    )


def test_a_real_answer_of_memory_is_read() -> None:
    figures = measured(judged(MEMORY, seen(MEMORY, recorded("memory.txt")))[""])
    total = next(line for line in recorded("memory.txt").splitlines() if "MemTotal" in line)
    assert figures["opsd_host_memory_total_bytes"] == int(total.split()[1]) * 1024
    assert "opsd_host_swap_in_pages_total" in figures


@pytest.mark.parametrize(
    ("available", "status"), [(50, Status.OK), (9, Status.WARNING), (3, Status.CRITICAL)]
)
def test_memory_that_is_left_is_judged(available: int, status: Status) -> None:
    result = judged(MEMORY, seen(MEMORY, memory_text(available)))[""]
    assert (result.status, result.cause) == (status, "memory_low" if status else "")


def test_swapping_is_what_moved_since_the_last_look() -> None:
    before = seen(MEMORY, memory_text(swapped=1_000_000))
    busy = seen(MEMORY, memory_text(swapped=1_050_000, up=1015))
    assert judged(MEMORY, busy, before)[""].cause == "swapping"
    quiet = seen(MEMORY, memory_text(swapped=1_000_300, up=1015))
    assert judged(MEMORY, quiet, before)[""].status is Status.OK
    again = seen(MEMORY, memory_text(swapped=5, up=3))
    assert judged(MEMORY, again, before)[""].status is Status.OK, "it restarted"


def test_a_killed_process_is_told_for_a_while() -> None:
    history = asking.Memory()
    history.keep(KILLS, Sample(NOW - HOUR / 2, 3))
    now = seen(MEMORY, memory_text(kills=4))
    assert judged(MEMORY, now, None, history)[""].cause == "oom_kill"
    assert judged(MEMORY, seen(MEMORY, memory_text(kills=3)), None, history)[""].cause == ""


def test_memory_that_cannot_be_read_is_unknown() -> None:
    assert judged(MEMORY, seen(MEMORY, "1.00 1.00\nMemTotal: 0 kB\n"))[""].cause == "unreadable"


# ------------------------------------------------------------------------------ temperature


def test_each_sensor_is_judged_by_its_own_limits() -> None:
    found = judged(HEAT, seen(HEAT, recorded("sensors.txt")))
    assert {name: result.status for name, result in found.items()} == {
        "acpitz/temp1": Status.OK,
        "coretemp/Package id 0": Status.OK,
        "coretemp/Core 0": Status.OK,
        "nvme/Composite": Status.CRITICAL,
        "drivetemp/temp1": Status.OK,
        "drivetemp/temp1 2": Status.WARNING,
    }
    assert measured(found["drivetemp/temp1 2"]) == {"opsd_host_temperature_celsius": 61}


def test_zones_are_read_where_there_is_nothing_better_and_absurd_figures_are_not() -> None:
    zone = "/sys/class/thermal/thermal_zone{0}/{1}:{2}\n".format
    text = zone(0, "type", "soc") + zone(0, "temp", 96500) + zone(1, "temp", -274000)
    found = judged(HEAT, seen(HEAT, text))
    assert {name: result.status for name, result in found.items()} == {"soc": Status.CRITICAL}
    assert judged(HEAT, seen(HEAT, "")) == {}, "a machine without sensors"


# ------------------------------------------------------------------------------ boot


def test_a_restart_is_told_for_an_hour_where_somebody_watched_before_it() -> None:
    history = asking.Memory()
    young = seen(BOOT, "600.00 1.00\n")
    assert judged(BOOT, young, None, history)[""].status is Status.OK, "nobody watched before"
    history.keep(BOOTED, Sample(NOW - HOUR, (NOW - 99 * HOUR).timestamp()))
    result = judged(BOOT, young, None, history)[""]
    assert (result.status, result.cause) == (Status.WARNING, "restarted")
    assert measured(result)[BOOTED] == (NOW - timedelta(minutes=10)).timestamp()
    old = seen(BOOT, "4000.00 1.00\n")
    assert judged(BOOT, old, None, history)[""].status is Status.OK
    history.samples.clear()
    history.keep(BOOTED, Sample(NOW - HOUR, (NOW - timedelta(minutes=10, seconds=1)).timestamp()))
    assert judged(BOOT, young, None, history)[""].status is Status.OK, "it is the same boot"


# ------------------------------------------------------------------------------ units

REQUIRED = ("postgresql.service", "nginx.service", "redis.service", "tomcat9.service")


def test_required_units_are_judged_one_by_one_and_failed_ones_together() -> None:
    check = Units(UnitsOptions(required=REQUIRED, ignore=("certbot.service",)))
    found = judged(check, seen(check, recorded("units.txt")))
    assert {name: (r.status, r.cause) for name, r in found.items()} == {
        "": (Status.WARNING, "unit_failed"),
        "postgresql.service": (Status.OK, ""),
        "nginx.service": (Status.CRITICAL, "unit_down"),
        "redis.service": (Status.CRITICAL, "unit_missing"),
        "tomcat9.service": (Status.WARNING, "unit_starting"),
    }
    assert found[""].fields["units"] == ["logrotate.service"]
    assert measured(found["nginx.service"]) == {"opsd_host_unit_active": 0}


def test_nothing_failed_is_good_and_no_systemd_is_nothing() -> None:
    check = Units(UnitsOptions())
    assert judged(check, seen(check, ""))[""].status is Status.OK
    assert judged(check, seen(check, "none\n")) == {}
    assert judged(check, seen(check, "Failed to connect to bus", code=1))[""].cause == "unreadable"
    strict = Units(UnitsOptions(required=("nginx.service",)))
    only = seen(strict, "\nId=nginx.service\nLoadState=loaded\nActiveState=active\n")
    assert {name: r.status for name, r in judged(strict, only).items()} == {
        "": Status.OK,
        "nginx.service": Status.OK,
    }
