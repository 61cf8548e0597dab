"""Incidents and their records, for people, for programs, and as a draft for an authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsd import record
from opsd.config.schema import Config
from opsd.model import Incident
from opsd.people import BY, Classified, Deadline, Entry, EntryKind, Grade, Received
from opsd.policy import alerting, records
from opsd.policy.records import Month
from opsd.report import layout
from opsd.report import plain as as_json
from opsd.report.voice import Voice

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything that is kept of an incident."""

    incident: Incident
    entries: tuple[Entry, ...]
    alerts: tuple[tuple[datetime, Received], ...]
    sendings: tuple[tuple[datetime, str, str, str], ...]
    decided: Classified
    proposed: Grade
    deadlines: tuple[Deadline, ...]


def listed(
    voice: Voice, found: Sequence[Incident], owners: Mapping[str, str], now: datetime
) -> str:
    """Those that are open, with who has them."""
    if not found:
        return voice.say("incident.none")
    return "\n".join(_row(voice, one, owners, now - one.began) for one in found)


def month(
    voice: Voice,
    found: Sequence[Incident],
    owners: Mapping[str, str],
    told: tuple[Month, Sequence[Entry]],
) -> str:
    """Those of a month, how long it took to take them on and to end them, what is to be done."""
    figures, todo = told
    rows = [
        _row(voice, one, owners, one.closed_at - one.began if one.closed_at else None)
        for one in found
    ]
    said = voice.say(
        "incident.month",
        opened=figures.opened,
        acknowledged=figures.acknowledged,
        ended=figures.ended,
        to_acknowledge=_span(voice, figures.mean_to_acknowledge),
        to_end=_span(voice, figures.mean_to_end),
    )
    return "\n".join([*rows, "", said, *(_action(voice, one) for one in todo)])


def _action(voice: Voice, one: Entry) -> str:
    fields = {name: alerting.shown(one.body[name]) for name in ("action", "owner", "due")}
    said = voice.say("incident.action", code=one.incident, **fields)
    return layout.hang("  ", said, _WIDTH)


def shown(voice: Voice, config: Config, found: Dossier) -> str:
    """The record on one screen."""
    del config
    pairs = [(voice.say(f"incident.field_{name}"), value) for name, value in _facts(voice, found)]
    parts = [
        f"{found.incident.code}  {alerting.shown(str(found.incident.id))}",
        layout.fields(pairs, "  ", _WIDTH),
    ]
    if found.deadlines:
        parts += ["", voice.say("incident.deadlines"), *(_due(voice, d) for d in found.deadlines)]
    lines = _timeline(voice, found)
    return "\n".join([*parts, "", voice.say("incident.timeline"), *lines])


def draft(voice: Voice, config: Config, found: Dossier) -> str:
    """What could be told to an authority: a person reads, mends, signs and sends it."""
    incidents = config.incidents
    system = (incidents.system or "…", incidents.level or "…", config.host)
    head = voice.say("incident.draft_head", system=system[0], level=system[1], host=system[2])
    asked = [f"- {one.clock.name}: {one.clock.source}" for one in found.deadlines]
    return "\n".join(
        [head, *asked, "", shown(voice, config, found), "", voice.say("incident.draft")]
    )


def plain(found: Incident) -> dict[str, Any]:
    """An incident for programs."""
    return {
        "code": found.code,
        "host": found.id.host,
        "check": found.id.check,
        "subject": found.id.subject,
        "cause": found.cause,
        "t0": as_json.moment(records.detected(found)),
        "began": as_json.moment(found.began),
        "opened_at": as_json.moment(found.opened_at),
        "closed_at": as_json.moment(found.closed_at),
    }


def plain_month(figures: Month) -> dict[str, Any]:
    """The figures of a month for programs."""
    waits, spans = figures.mean_to_acknowledge, figures.mean_to_end
    return {
        "opened": figures.opened,
        "acknowledged": figures.acknowledged,
        "ended": figures.ended,
        "mean_seconds_to_acknowledge": waits.total_seconds() if waits is not None else None,
        "mean_seconds_to_end": spans.total_seconds() if spans is not None else None,
    }


def plain_dossier(found: Dossier) -> dict[str, Any]:
    """The record for programs."""
    return {
        **plain(found.incident),
        "said": record.plain_finding(found.incident.said),
        "source": _source(found),
        "class": record.plain(found.decided),
        "proposed_grade": found.proposed.value,
        "entries": [record.plain(one) for one in found.entries],
        "deadlines": [
            {
                "name": one.clock.name,
                "source": one.clock.source,
                "checked": one.clock.checked.isoformat() if one.clock.checked else None,
                "due": as_json.moment(one.due),
                "given_at": as_json.moment(one.given_at),
            }
            for one in found.deadlines
        ],
        "told": [
            {"at": as_json.moment(at), "channel": channel, "to": to, "outcome": outcome or None}
            for at, channel, to, outcome in found.sendings
        ],
    }


def _source(found: Dossier) -> str:
    return "alert" if found.alerts else "check"


def _facts(voice: Voice, found: Dossier) -> list[tuple[str, str]]:
    incident, decided = found.incident, found.decided
    t0 = voice.say("incident.t0", at=records.detected(incident))
    facts = [("t0", t0), ("source", voice.say(f"incident.source_{_source(found)}"))]
    facts.append(("said", _said(voice, incident)))
    sort = voice.word("incident.sort", decided.sort.value)
    grade = voice.word("incident.grade", decided.grade.value)
    if decided.who:
        data = voice.say("label.yes" if decided.personal_data else "label.no")
        said = voice.say("incident.class", sort=sort, grade=grade, who=decided.who, data=data)
    else:
        said = voice.say(
            "incident.unclassified", grade=voice.word("incident.grade", found.proposed)
        )
    facts.append(("class", said))
    owner = next((e.named for e in reversed(found.entries) if e.kind is EntryKind.ACK), "")
    facts.append(("owner", owner or voice.say("incident.nobody")))
    if incident.closed_at is not None:
        facts.append(("closed", voice.moment(incident.closed_at)))
    return facts


def _said(voice: Voice, incident: Incident) -> str:
    """What was found; an alert's words are anybody's."""
    lines = voice.finding(incident.said).splitlines()
    return "\n".join(alerting.shown(line.strip(), 500) for line in lines)


def _due(voice: Voice, one: Deadline) -> str:
    given = voice.moment(one.given_at) if one.given_at else "-"
    said = voice.say(
        "incident.deadline",
        name=one.clock.name,
        due=one.due,
        recipient=one.clock.recipient,
        source=one.clock.source,
        given=given,
    )
    if one.clock.checked is None:
        said = f"{said}; {voice.say('incident.unchecked')}"
    return layout.hang("  ", said, _WIDTH)


def _timeline(voice: Voice, found: Dossier) -> list[str]:
    incident = found.incident
    lines = [(incident.opened_at, voice.say("incident.opened"))]
    lines += [
        (
            at,
            f"{one.alert.status.value} {one.alert.name}: {voice.word('incident.fate', one.fate)}",
        )
        for at, one in found.alerts
    ]
    lines += [(at, f"→ {to} ({channel}) {outcome}") for at, channel, to, outcome in found.sendings]
    lines += [
        (one.at, f"{one.named}: {one.kind.value} {', '.join(_body(one))}") for one in found.entries
    ]
    if incident.closed_at is not None:
        lines.append((incident.closed_at, voice.say("incident.ended")))
    return [
        layout.hang(f"  {voice.moment(at)}  ", alerting.shown(said, 500), _WIDTH)
        for at, said in sorted(lines, key=lambda line: line[0])
    ]


def _body(one: Entry) -> list[str]:
    return [text for name, text in one.body.items() if name != BY]


def _row(voice: Voice, one: Incident, owners: Mapping[str, str], lasted: timedelta | None) -> str:
    owner = owners.get(one.code) or voice.say("incident.nobody")
    span = _span(voice, lasted)
    about = alerting.shown(str(one.id))
    return f"{one.code}  {voice.moment(one.began)}  {span:>14}  {about}  {one.cause}  {owner}"


def _span(voice: Voice, span: timedelta | None) -> str:
    return "-" if span is None else voice.duration(span)
