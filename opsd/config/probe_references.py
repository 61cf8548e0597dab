"""What no option of a probe can tell by itself: names, circles, and objectives that page too soon.

As in `opsd.config.references` the values are read as they were written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from pydantic_core import PydanticCustomError

from opsd.config.addresses import read_connection
from opsd.config.checks import Checks
from opsd.config.mistakes import Finding
from opsd.config.probe_values import read_objective, write_share
from opsd.config.probes import ProbeOptions
from opsd.config.schema import Location
from opsd.config.units import read_duration
from opsd.config.wrong import nearest

Group = Mapping[Any, Any]
Value = TypeVar("Value")

# The fast alert on a burning budget (grafana/prometheus): this many times too fast over an hour.
FAST_BURN: Final = Decimal("14.4")
# What is asked of hosts has names too; so has the way to them, and opsd itself.
_TAKEN: Final = {*Checks.model_fields, "reach", "backup"}
_HOUR = timedelta(hours=1)
_LOST_AT_LEAST = 3


def check(probes: Group, hosts: Group) -> Iterator[Finding]:
    """What does not fit together in the probes."""
    for name, probe in probes.items():
        location = ("probes", name)
        if name in _TAKEN:
            yield Finding(location, "config.probe_is_check", {"name": name}, of_name=True)
        if not isinstance(probe, Mapping):
            continue
        yield from _named(probe.get("host"), (*location, "host"), hosts)
        for index, needed in enumerate(_list(probe, "depends_on")):
            yield from _named(needed, (*location, "depends_on", index), probes)
        if circle := _circle(name, probes):
            fields = {"circle": " → ".join(circle)}
            yield Finding((*location, "depends_on"), "config.circle", fields)
        yield from _times(probe, location)
        yield from _database(probe, location)


def _named(name: object, location: Location, known: Group) -> Iterator[Finding]:
    words = sorted(one for one in known if isinstance(one, str))
    if not isinstance(name, str) or name in words:
        return
    close = nearest(name, words)
    fields = {"name": name, "known": ", ".join(words) or "-", **({"close": close} if close else {})}
    yield Finding(location, "config.no_such_name", fields)


def _circle(start: object, probes: Group) -> tuple[str, ...]:
    """The way from a probe back to itself, if there is one."""
    ways: list[tuple[str, ...]] = [(str(start),)]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        here = probes.get(way[-1])
        for following in _list(here, "depends_on") if isinstance(here, Mapping) else ():
            if following == start:
                return (*way, str(start))
            if isinstance(following, str) and following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ()


def _times(probe: Group, location: Location) -> Iterator[Finding]:
    """The deadline against the interval, and the interval against the objective."""
    interval = _read(probe, "interval", read_duration)
    timeout = _read(probe, "timeout", read_duration)
    objective = _read(probe, "objective", read_objective)
    if not interval or not timeout or objective is None:
        return
    if timeout > interval:
        here = (*location, "timeout" if "timeout" in probe else "interval")
        yield Finding(here, "config.timeout_interval")
    probes = Decimal(_HOUR // timedelta(milliseconds=1)) / (interval // timedelta(milliseconds=1))
    lost = FAST_BURN * (1 - objective) * probes
    if math.ceil(lost) < _LOST_AT_LEAST:
        here = (*location, "objective" if "objective" in probe else "interval")
        fields = {
            "probes": f"{probes:.4g}",
            "budget": write_share(1 - objective),
            "lost": f"{lost:.2f}",
            "least": _LOST_AT_LEAST,
        }
        yield Finding(here, "config.objective_pages", fields)


def _database(probe: Group, location: Location) -> Iterator[Finding]:
    if probe.get("kind") != "postgres":
        return
    if None not in (probe.get("passfile"), probe.get("passfile_credential")):
        fields = {"one": "passfile", "other": "passfile_credential"}
        yield Finding((*location, "passfile_credential"), "config.both", fields, of_name=True)
    settings = _read(probe, "connection", lambda text: read_connection(str(text))) or {}
    if "service" in settings or "," in settings.get("host", "") + settings.get("hostaddr", ""):
        yield Finding((*location, "connection"), "config.one_server")


def _read(probe: Group, option: str, read: Callable[[object], Value]) -> Value | None:
    """The value of an option, or its default; nothing where it is wrong, which is told anyway."""
    field = ProbeOptions.model_fields.get(option)
    if option not in probe:
        default: Value | None = field.default if field else None
        return default
    try:
        return read(probe[option])
    except PydanticCustomError:
        return None


def _list(values: Group, option: str) -> list[object]:
    found = values.get(option)
    return found if isinstance(found, list) else []
