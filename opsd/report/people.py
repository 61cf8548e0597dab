"""What came in from Alertmanager, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsd.config.oncall import OnCall
from opsd.people import Received
from opsd.policy import alerting, duty
from opsd.policy.duty import Span
from opsd.report import layout, plain
from opsd.report.voice import Voice

_SHOWN = 200
_SPANS = 12


Answers = Mapping[str, str]


def received(
    voice: Voice, found: Sequence[Received], answers: Answers | None = None, *, keep: bool
) -> str:
    """What became of each alert, or what would; `answers` are playbooks by fingerprint."""
    if not found:
        return voice.say("replay.none")
    known = answers or {}
    lines = [_one(voice, one, known.get(one.alert.fingerprint)) for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(voice.say("replay.more", count=len(found) - _SHOWN))
    said = voice.say("replay.done" if keep else "replay.dry", count=len(found))
    return "\n".join([*lines, "", said])


def _one(voice: Voice, found: Received, playbook: str | None) -> str:
    alert = found.alert
    what = voice.say(f"fate.{found.fate.value}", incident=found.incident or "-")
    if playbook:
        what = voice.say("fate.answered", fate=what, playbook=playbook)
    name = layout.cut(f"{alerting.shown(alert.name)} {alert.status.value} {alert.fingerprint}", 50)
    return layout.hang(f"{layout.pad(name, 52)}", what, 100)


def plain_alert(found: Received) -> dict[str, Any]:
    """An alert for programs."""
    alert = found.alert
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status.value,
        "starts_at": plain.moment(alert.starts_at),
        "labels": dict(alert.labels),
        "truncated": alert.truncated,
        "fate": found.fate.value,
        "incident": found.incident or None,
    }


def rota(voice: Voice, oncall: OnCall, found: Sequence[Span]) -> str:
    """Who is on duty from now on, and the holes."""
    rows = [_span(voice, oncall, span) for span in found[:_SPANS]]
    holes = duty.gaps(found)
    if not holes:
        return "\n".join([*rows, "", voice.say("oncall.whole")])
    told = [hole(voice, span) for span in holes]
    return "\n".join([*rows, "", *told])


def hole(voice: Voice, span: Span) -> str:
    """A time in which nobody is on duty, or nobody stands in."""
    key = "oncall.no_deputy" if span.duty.main else "oncall.hole"
    return voice.say(key, since=span.began, until=span.ended)


def plain_rota(found: Sequence[Span]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "oncall": [
            {
                "since": plain.moment(span.began),
                "until": plain.moment(span.ended),
                "main": span.duty.main or None,
                "deputy": span.duty.deputy or None,
            }
            for span in found
        ],
        "gaps": len(duty.gaps(found)),
    }


def _span(voice: Voice, oncall: OnCall, span: Span) -> str:
    def name(person: str) -> str:
        return (oncall.people[person].title or person) if person else "-"

    return voice.say(
        "oncall.row",
        since=span.began,
        until=span.ended,
        main=name(span.duty.main),
        deputy=name(span.duty.deputy),
    )
