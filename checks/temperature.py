"""Temperature: is a sensor near the limit that it knows itself?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from opsd.check import Plain, Read, Round, unreadable
from opsd.config.machines import TemperatureOptions
from opsd.model import CheckResult, Measurement, Status
from opsd.policy.thresholds import at_least

SENSORS = Read(
    "sensors",
    "grep -s . /dev/null /sys/class/hwmon/hwmon*/name /sys/class/hwmon/hwmon*/temp*_input"
    " /sys/class/hwmon/hwmon*/temp*_label /sys/class/hwmon/hwmon*/temp*_crit"
    " /sys/class/hwmon/hwmon*/temp*_max /sys/class/thermal/thermal_zone*/type"
    " /sys/class/thermal/thermal_zone*/temp || :",
)

_LINE = re.compile(
    r"/sys/class/(?:hwmon|thermal)/(?P<chip>[^/]+)/(?:(?P<sensor>temp\d+)_)?(?P<what>\w+):(?P<value>.+)"
)
_SENSIBLE = (1.0, 150.0)  # degrees: what is outside is a sensor that is not there


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor; its limits where it knows any."""

    name: str
    celsius: float
    high: float | None
    critical: float | None


@dataclass(frozen=True, slots=True)
class Temperature(Plain):
    """Judges each sensor; a machine without one has nothing to be judged."""

    options: TemperatureOptions

    def reads(self) -> tuple[Read, ...]:
        """Everything that the kernel lets be read."""
        return (SENSORS,)

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """One result a sensor."""
        answer = found.seen.answers[SENSORS.name]
        if not answer.good:
            return (unreadable(SENSORS, answer),)
        return tuple(self._judged(sensor) for sensor in parse(answer.text))

    def _judged(self, sensor: Sensor) -> CheckResult:
        critical = sensor.critical or self.options.critical
        high = min(sensor.high or self.options.warning, critical)
        status = at_least(sensor.celsius, high, critical)
        return CheckResult(
            status,
            "check.temperature",
            {"sensor": sensor.name, "celsius": sensor.celsius, "high": high, "critical": critical},
            cause="" if status is Status.OK else "too_hot",
            subject=sensor.name,
            measurements=(
                Measurement(
                    "opsd_host_temperature_celsius", sensor.celsius, {"sensor": sensor.name}
                ),
            ),
        )


def parse(text: str) -> Iterator[Sensor]:
    """The sensors of hardware monitoring, and the thermal zones where there are none."""
    chips: dict[str, dict[str, dict[str, str]]] = {}
    for line in text.splitlines():
        if found := _LINE.fullmatch(line):
            sensor = chips.setdefault(found["chip"], {}).setdefault(found["sensor"] or "", {})
            sensor[found["what"]] = found["value"]
    monitors = {chip: sensors for chip, sensors in chips.items() if chip.startswith("hwmon")}
    yield from _unique(_monitored(monitors) or _zones(chips))


def _monitored(chips: Mapping[str, Mapping[str, Mapping[str, str]]]) -> list[Sensor]:
    return [
        Sensor(
            f"{chip.get('', {}).get('name', '?')}/{sensor.get('label', place)}",
            celsius,
            _degrees(sensor.get("max")),
            _degrees(sensor.get("crit")),
        )
        for _, chip in sorted(chips.items())
        for place, sensor in sorted(chip.items())
        if (celsius := _degrees(sensor.get("input"))) is not None
    ]


def _zones(chips: Mapping[str, Mapping[str, Mapping[str, str]]]) -> list[Sensor]:
    return [
        Sensor(zone.get("type", name), celsius, None, None)
        for name, sensors in sorted(chips.items())
        if (zone := sensors.get("", {})) and (celsius := _degrees(zone.get("temp"))) is not None
    ]


def _unique(sensors: list[Sensor]) -> Iterator[Sensor]:
    """Sensors of one name are told apart by a number."""
    seen: dict[str, int] = {}
    for sensor in sensors:
        seen[sensor.name] = seen.get(sensor.name, 0) + 1
        number = seen[sensor.name]
        name = sensor.name if number == 1 else f"{sensor.name} {number}"
        yield Sensor(name, sensor.celsius, sensor.high, sensor.critical)


def _degrees(text: str | None) -> float | None:
    """Thousandths of a degree as degrees; nothing where that cannot be."""
    try:
        celsius = int(text or "") / 1000
    except ValueError:
        return None
    return celsius if _SENSIBLE[0] <= celsius <= _SENSIBLE[1] else None
