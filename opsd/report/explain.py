"""Why a playbook ran or did not, for people in a hurry: one screen."""

from __future__ import annotations

from collections.abc import Sequence

from opsd.model import Incident
from opsd.playbook import UNREACHED
from opsd.policy import alerting
from opsd.policy.guards import Refusal
from opsd.report import layout, respond, text
from opsd.report.voice import Voice
from opsd.response import Attempt, Decision, Page, Response, Vote

Done = tuple[Response, Sequence[Vote], Sequence[Attempt]]
_SHOWN, _LONG = 6, 300


def explained(
    voice: Voice,
    about: tuple[Incident, str],
    decisions: Sequence[Decision],
    responses: Sequence[Done],
    now: tuple[Sequence[Refusal], Sequence[Page]],
) -> str:
    """The incident, each decision with its reasons, each response with its steps, and the pages."""
    incident, playbook = about
    refusals, pages = now
    return text.joined(
        _incident(voice, incident, playbook),
        _titled(voice, "decided", [_decision(voice, one) for one in decisions[-_SHOWN:]]),
        _titled(voice, "did", [_response(voice, one) for one in responses[-_SHOWN:]]),
        respond.refused(voice, refusals) if not responses else "",
        _titled(voice, "paged", [_page(voice, one) for one in pages[-_SHOWN:]]),
    )


def _incident(voice: Voice, incident: Incident, playbook: str) -> str:
    ended = voice.moment(incident.closed_at) if incident.closed_at else voice.say("respond.open")
    named = f"{playbook}: {voice.word('playbook', playbook)}" if playbook else ""
    rows = (
        ("incident", f"{incident.code}  {alerting.shown(str(incident.id))}  {incident.cause}"),
        ("said", voice.finding(incident.said)),
        ("since", f"{voice.moment(incident.began)} - {ended}"),
        ("playbook", named or voice.say("explain.no_playbook")),
    )
    return layout.fields((voice.say(f"explain.{name}"), value) for name, value in rows)


def _titled(voice: Voice, name: str, rows: Sequence[str]) -> str:
    return "\n".join((f"{voice.say(f'explain.{name}')}:", *rows)) if rows else ""


def _decision(voice: Voice, one: Decision) -> str:
    verdict = voice.word("verdict", one.verdict.value)
    lines = [f"  {voice.moment(one.at)}  {one.playbook or '-'}: {verdict}"]
    lines += [layout.hang("    - ", voice.finding(reason)) for reason in one.reasons]
    return "\n".join(lines)


def _response(voice: Voice, found: Done) -> str:
    one, votes, attempts = found
    lines = respond.response(voice, one, attempts).splitlines()
    said = [
        voice.say(
            "explain.yes" if vote.agreed else "explain.no",
            who=vote.who,
            at=vote.at,
            reason=vote.reason or "-",
        )
        for vote in votes
    ]
    return "\n".join(f"  {line}" for line in (lines[0], *(f"  {s}" for s in said), *lines[1:]))


def _page(voice: Voice, one: Page) -> str:
    """The call, and why a host could not be looked at, where that is so."""
    lines = [layout.hang(f"  {voice.moment(one.at)}  ", voice.finding(one.said))]
    if unreached := one.attached.get(UNREACHED, ""):
        lines.append(layout.hang("    ", alerting.shown(unreached, _LONG)))
    return "\n".join(lines)
