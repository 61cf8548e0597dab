"""Who is on duty, how each is reached, and who is called when nobody answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from opsd.config.options import Options
from opsd.config.units import PositiveDuration
from opsd.config.values import Name, Text, TimeOfDay
from opsd.config.wrong import wrong
from opsd.people import Absence, Rota, Shift

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _day(found: object) -> date:
    try:
        return date.fromisoformat(found if isinstance(found, str) else "")
    except ValueError:
        raise wrong("date", found=found) from None


def _weekday(found: object) -> str:
    if found not in _WEEK:
        raise wrong("weekday", found=found)
    return str(found)


Day = Annotated[
    date,
    PlainValidator(_day),
    PlainSerializer(date.isoformat),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$", "examples": ["2026-12-31"]}),
]
Weekday = Annotated[
    str, PlainValidator(_weekday), WithJsonSchema({"type": "string", "enum": list(_WEEK)})
]
Names = Annotated[tuple[Name, ...], Field(strict=False)]


class Person(Options):
    """Somebody who can be called."""

    title: Text | None = None
    """Their name for people."""

    reach: Annotated[Mapping[Name, Text], Field(min_length=1)]
    """Their address in each channel. Two at least for whoever is on duty: one may be down."""

    verified: Day | None = None
    """When the addresses were last tried, `YYYY-MM-DD`. Once a year they must be."""


class ShiftOptions(Options):
    """A time of the week in which somebody is on duty."""

    days: Annotated[tuple[Weekday, ...], Field(strict=False)] = _WEEK
    """The days on which it begins, `mon` to `sun`. Default: every day."""

    begins: TimeOfDay
    """Local time of day, `HH:MM`, in quotes."""

    ends: TimeOfDay
    """Local time of day; not after `begins` means on the next day."""

    main: Annotated[Names, Field(min_length=1)]
    """Who is on duty. Several take turns week by week."""

    deputy: Names = ()
    """Who stands in. Several take turns week by week."""


class AbsenceOptions(Options):
    """Days on which somebody cannot be called."""

    person: Name
    """Who."""

    first: Day
    """The first day, `YYYY-MM-DD`."""

    last: Day
    """The last day."""


class OnCall(Options):
    """The rota."""

    people: Annotated[Mapping[Name, Person], Field(min_length=1)]
    """Who can be called, each under a name."""

    shifts: Annotated[tuple[ShiftOptions, ...], Field(strict=False, min_length=1)]
    """Who is on duty when. Of two that overlap the first counts."""

    absences: Annotated[tuple[AbsenceOptions, ...], Field(strict=False)] = ()
    """Who cannot be called when."""

    leaders: Names = ()
    """Who is called when neither main nor deputy takes an incident on."""

    acknowledge_within: PositiveDuration = timedelta(minutes=15)
    """How long to wait for somebody to take an incident on, before the next one is called."""

    ahead: PositiveDuration = timedelta(days=7)
    """How far ahead a gap in the rota is told."""

    @property
    def rota(self) -> Rota:
        """The rota as it is reckoned with."""
        return Rota(
            tuple(
                Shift(
                    frozenset(_WEEK.index(day) for day in one.days),
                    one.begins,
                    one.ends,
                    one.main,
                    one.deputy,
                )
                for one in self.shifts
            ),
            tuple(Absence(one.person, one.first, one.last) for one in self.absences),
            self.leaders,
        )


def check(values: Mapping[Any, Any]) -> list[tuple[tuple[str | int, ...], str, dict[str, object]]]:
    """Names in the rota that nobody has, and people who are reached by one channel alone.

    As in `opsd.config.references` the values are read as they were written.
    """
    found: list[tuple[tuple[str | int, ...], str, dict[str, object]]] = []
    oncall, channels = _group(values, "oncall"), set(_group(values, "channels"))
    people = _group(oncall, "people")
    for name, person in people.items():
        reach = _group(person, "reach")
        here = ("oncall", "people", name, "reach")
        found += [
            ((*here, one), "config.no_such_name", {"name": one, "known": _known(channels)})
            for one in reach
            if one not in channels
        ]
        if len(reach) == 1:
            found.append((here, "config.one_channel", {"name": name}))
    for place, name in _named(oncall):
        if people and name not in people:
            fields: dict[str, object] = {"name": name, "known": _known(people)}
            found.append((("oncall", *place), "config.no_such_name", fields))
    return found


def _named(oncall: Mapping[Any, Any]) -> list[tuple[tuple[str | int, ...], object]]:
    """Every name in the rota, with its place."""
    found: list[tuple[tuple[str | int, ...], object]] = []
    for index, shift in enumerate(_list(oncall, "shifts")):
        for option in ("main", "deputy"):
            names = enumerate(_list(shift, option))
            found += [(("shifts", index, option, place), name) for place, name in names]
    for index, absence in enumerate(_list(oncall, "absences")):
        found.append((("absences", index, "person"), _group(absence).get("person")))
    found += [(("leaders", place), name) for place, name in enumerate(_list(oncall, "leaders"))]
    return [(place, name) for place, name in found if isinstance(name, str)]


def _known(names: Any) -> str:  # noqa: ANN401
    return ", ".join(sorted(map(str, names))) or "-"


def _group(values: Any, option: str | None = None) -> Mapping[Any, Any]:  # noqa: ANN401
    found = values.get(option) if option and isinstance(values, Mapping) else values
    return found if isinstance(found, Mapping) else {}


def _list(values: Any, option: str) -> list[Any]:  # noqa: ANN401
    found = _group(values).get(option)
    return found if isinstance(found, list) else []
