"""`opsd incident`: what is open, who has it, what it is by law, what was learnt."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from opsd import assembly
from opsd.catalogue import say
from opsd.cli import resume
from opsd.cli.answer import Answer
from opsd.cli.arguments import month_of
from opsd.cli.desk import Desk
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import Parser
from opsd.clock import now
from opsd.drivers import system
from opsd.errors import Refused, UsageError
from opsd.model import Incident
from opsd.people import ALERT, BY, EntryKind, Grade, Sort
from opsd.policy import objective, records
from opsd.report import incidents as report
from opsd.report.incidents import Dossier
from opsd.store import Notices
from opsd.tasks.notify import legal

_RESUME = "resume"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def add(parser: Parser) -> None:
    """What to do, with which incident, and what is said of it."""
    language = parser.language
    parser.add_argument(
        "action", choices=(*_ACTIONS, _RESUME), help=say(language, "help.incident.action")
    )
    parser.add_argument(
        "code",
        nargs="?",
        metavar=say(language, "help.metavar.id"),
        help=say(language, "help.incident.code"),
    )
    for option, metavar in (
        ("by", "name"),
        ("note", "text"),
        ("month", "month"),
        ("given", "name"),
        ("cause", "text"),
        ("todo", "text"),
        ("owner", "name"),
        ("due", "day"),
        ("done", "text"),
    ):
        parser.add_argument(
            f"--{option}",
            dest=f"said_{option}",
            metavar=say(language, f"help.metavar.{metavar}"),
            help=say(language, f"help.incident.{option}"),
        )
    for option, choices in (("sort", Sort), ("grade", Grade)):
        parser.add_argument(
            f"--{option}",
            choices=[one.value for one in choices],
            help=say(language, f"help.incident.{option}"),
        )
    for option in ("personal_data", "draft", "all"):
        parser.add_argument(
            f"--{option.replace('_', '-')}",
            action="store_true",
            help=say(language, f"help.incident.{option}"),
        )

    resume.add(parser)


def run(desk: Desk) -> Answer:
    """Show, add a line to the record, or go on behind what was cut off."""
    if desk.arguments.action == _RESUME:
        return resume.resume(desk)
    with closing(assembly.notices(desk.config)) as notices:
        return _ACTIONS[desk.arguments.action](desk, notices)


def _list(desk: Desk, notices: Notices) -> Answer:
    """Those that are open, or all of a month with how long they took."""
    if desk.arguments.said_month or desk.arguments.all:
        return _month(desk, notices)
    found = notices.incidents()
    text = report.listed(desk.voice, found, _owners(notices), now())
    return Answer(ExitCode.DONE, text, {"incidents": [report.plain(one) for one in found]})


def _month(desk: Desk, notices: Notices) -> Answer:
    at = now()
    first = month_of(desk.arguments.said_month, at.astimezone(desk.config.zone).date())
    began, ended = objective.month(first, desk.config.zone, at)
    found = [one for one in notices.incidents(_LONG_AGO) if began <= one.opened_at < max(ended, at)]
    acknowledged = {
        one.incident: one.at for one in reversed(notices.entries()) if one.kind is EntryKind.ACK
    }
    figures = records.month(found, acknowledged)
    todo = records.undone(notices.entries())
    text = report.month(desk.voice, found, _owners(notices), (figures, todo))
    body = {
        "incidents": [report.plain(one) for one in found],
        **report.plain_month(figures),
        "actions": [{"incident": one.incident, **one.body} for one in todo],
    }
    return Answer(ExitCode.DONE, text, body)


def _show(desk: Desk, notices: Notices) -> Answer:
    dossier = _dossier(desk, notices)
    text = report.draft if desk.arguments.draft else report.shown
    return Answer(
        ExitCode.DONE, text(desk.voice, desk.config, dossier), report.plain_dossier(dossier)
    )


def _ack(desk: Desk, notices: Notices) -> Answer:
    """Whoever says so has it, and nobody else is called."""
    return _add(desk, notices, EntryKind.ACK, {"note": desk.arguments.said_note or ""})


def _note(desk: Desk, notices: Notices) -> Answer:
    """A line of the timeline; with `--given` that a legal notice was given."""
    asked = desk.arguments
    if asked.said_given:
        known = [one.name for one in desk.config.incidents.legal_notices]
        if asked.said_given not in known:
            raise UsageError("usage.no_notice", name=asked.said_given, known=sorted(known))
        body = {"name": asked.said_given, "note": asked.said_note or ""}
        return _add(desk, notices, EntryKind.NOTICE, body)
    return _add(desk, notices, EntryKind.NOTE, {"note": _needed(desk, "note")})


def _classify(desk: Desk, notices: Notices) -> Answer:
    """A named person decides: the legal clocks run from the detection, whenever it is decided."""
    asked = desk.arguments
    body = {
        "sort": asked.sort or Sort.TECHNICAL.value,
        "grade": asked.grade or Grade.ORDINARY.value,
        "personal_data": "yes" if asked.personal_data else "no",
        "note": _needed(desk, "note"),
    }
    _needed(desk, "by")
    return _add(desk, notices, EntryKind.CLASS, body)


def _close(desk: Desk, notices: Notices) -> Answer:
    """End what no check ends: an alert that was never resolved, a check that is asked no more."""
    incident = _incident(desk, notices)
    if incident.closed_at is not None:
        raise Refused("incident.closed_already", code=incident.code, at=incident.closed_at)
    with closing(assembly.samples(desk.config)) as watch:
        watched = {state.id for state in watch.states()}
    if incident.id.check != ALERT and incident.id in watched:
        raise Refused("incident.check_ends_it", code=incident.code, about=str(incident.id))
    return _add(desk, notices, EntryKind.CLOSE, {"note": _needed(desk, "note")})


def _review(desk: Desk, notices: Notices) -> Answer:
    """What caused it, what is to be done, and that it was done."""
    asked = desk.arguments
    if asked.said_todo:
        body = {
            "action": asked.said_todo,
            "owner": _needed(desk, "owner"),
            "due": _needed(desk, "due"),
        }
        return _add(desk, notices, EntryKind.ACTION, body)
    if asked.said_done:
        return _add(desk, notices, EntryKind.DONE, {"action": asked.said_done})
    return _add(
        desk,
        notices,
        EntryKind.REVIEW,
        {"cause": _needed(desk, "cause"), "note": asked.said_note or ""},
    )


def _add(desk: Desk, notices: Notices, kind: EntryKind, body: dict[str, str]) -> Answer:
    incident = _incident(desk, notices)
    who, by = system.person(), desk.arguments.said_by or ""
    told = {**body, BY: "" if by == who else by}
    notices.add_entry(incident.code, now(), who, kind, {k: v for k, v in told.items() if v})
    text = report.shown(desk.voice, desk.config, _dossier(desk, notices))
    return Answer(ExitCode.DONE, text, report.plain_dossier(_dossier(desk, notices)))


def _dossier(desk: Desk, notices: Notices) -> Dossier:
    incident = _incident(desk, notices)
    entries = tuple(notices.entries(incident.code))
    return Dossier(
        incident=incident,
        entries=entries,
        alerts=tuple(notices.alerts_of(incident.code)),
        sendings=tuple(notices.sendings(incident.code)),
        decided=records.classified(entries),
        proposed=records.proposed(incident, desk.config.incidents.ordinary),
        deadlines=legal.running(notices, desk.config, incident.code, list(entries)),
    )


def _incident(desk: Desk, notices: Notices) -> Incident:
    code = desk.arguments.code
    if not code:
        raise UsageError("usage.needs", name=f"incident {desk.arguments.action}", other="ID")
    found = notices.incident(code)
    if found is None:
        raise UsageError("usage.no_incident", code=code)
    return found


def _owners(notices: Notices) -> dict[str, str]:
    return {one.incident: one.named for one in notices.entries() if one.kind is EntryKind.ACK}


def _needed(desk: Desk, option: str) -> str:
    found: str | None = vars(desk.arguments)[f"said_{option}"]
    if not found:
        name = f"incident {desk.arguments.action}"
        raise UsageError("usage.needs", name=name, other=f"--{option}")
    return found


_ACTIONS = {
    "list": _list,
    "show": _show,
    "ack": _ack,
    "note": _note,
    "classify": _classify,
    "close": _close,
    "review": _review,
}
