"""What the record of an incident says: its class, who has it, its deadlines, how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from opsd.model import Incident
from opsd.people import (
    Classified,
    Deadline,
    Entry,
    EntryKind,
    Grade,
    LegalClock,
    Sort,
)

# Parts of a deadline at which people are warned.
WARNINGS: Final = (50, 75, 90, 100)


def detected(incident: Incident) -> datetime:
    """T0 to the minute: the first answer that was bad, the earliest of what could be argued."""
    return min(incident.began, incident.opened_at).replace(second=0, microsecond=0)


def classified(entries: Iterable[Entry]) -> Classified:
    """What was decided last; ordinary and technical where nothing was."""
    found = Classified()
    for one in entries:
        if one.kind is EntryKind.CLASS:
            found = Classified(
                Sort(one.body["sort"]),
                Grade(one.body["grade"]),
                one.body["personal_data"] == "yes",
                one.named,
            )
    return found


def proposed(incident: Incident, ordinary: Sequence[str]) -> Grade:
    """What opsd proposes: the higher grade, wherever there is doubt."""
    return Grade.ORDINARY if incident.id.check in ordinary else Grade.SERIOUS


def deadlines(
    clocks: Sequence[LegalClock],
    incident: Incident,
    entries: Sequence[Entry],
    decided: Classified,
    zone: tzinfo,
) -> Sequence[Deadline]:
    """The clocks that run for an incident of this class, from its detection on."""
    if decided.sort is not Sort.SECURITY:
        return ()
    began = detected(incident)
    day = began.astimezone(zone).date()
    given = {e.body["name"]: e.at for e in entries if e.kind is EntryKind.NOTICE}
    return tuple(
        Deadline(one, began, began + one.within, given.get(one.name))
        for one in clocks
        if one.since <= day and (one.until is None or day <= one.until)
        if decided.personal_data or not one.personal_data
        if decided.grade.rank >= one.grade.rank
    )


def passed(one: Deadline, now: datetime) -> Sequence[int]:
    """The warnings that are due of a deadline whose notice was not given."""
    if one.given_at is not None:
        return ()
    return [part for part in WARNINGS if now >= one.began + (one.due - one.began) * part / 100]


def undone(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """What reviews want done, of whatever incident, and nobody has said is; the earliest first."""
    every = tuple(entries)
    done = {(e.incident, e.body["action"]) for e in every if e.kind is EntryKind.DONE}
    wanted = (e for e in every if e.kind is EntryKind.ACTION)
    left = (e for e in wanted if (e.incident, e.body["action"]) not in done)
    return tuple(sorted(left, key=lambda one: one.body["due"]))


@dataclass(frozen=True, slots=True)
class Month:
    """The incidents that began in a month: how long until one was taken on, and until it ended."""

    opened: int
    acknowledged: int
    ended: int
    mean_to_acknowledge: timedelta | None
    mean_to_end: timedelta | None


def month(incidents: Sequence[Incident], owned: Mapping[str, datetime]) -> Month:
    """The figures of incidents that were opened in a month."""
    waits = [owned[one.code] - one.opened_at for one in incidents if one.code in owned]
    spans = [one.closed_at - one.opened_at for one in incidents if one.closed_at is not None]
    return Month(len(incidents), len(waits), len(spans), _mean(waits), _mean(spans))


def _mean(spans: Sequence[timedelta]) -> timedelta | None:
    return sum(spans, timedelta()) / len(spans) if spans else None
