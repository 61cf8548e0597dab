"""What is watched, for people: what is not good comes first to the eye."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from opsd.model import (
    CheckId,
    CheckResult,
    CheckState,
    Incident,
    Maintenance,
    Measurement,
    Status,
)
from opsd.report import layout
from opsd.report.voice import Voice

_FIGURES_SHOWN = 6


def listed(
    voice: Voice, states: Sequence[CheckState], incidents: Mapping[str, Incident], now: datetime
) -> str:
    """Every check below its host; `incidents` are the open ones by their code."""
    if not states:
        return voice.say("checks.none")
    ordered = sorted(states, key=lambda state: state.id)
    groups = groupby(ordered, key=lambda state: state.id.host)
    return "\n\n".join(
        "\n".join(
            (host or voice.say("checks.here"), *(_one(voice, s, incidents, now) for s in group))
        )
        for host, group in groups
    )


def answered(voice: Voice, found: Iterable[tuple[CheckId, CheckResult]]) -> str:
    """Answers had just now, the gravest first: other monitors show the first line."""
    graded = sorted(found, key=lambda one: (-one[1].status.badness, one[0]))
    return "\n".join(
        layout.hang(
            f"{layout.MARKS[result.status]} {voice.word('status', result.status.word)}  ",
            f"{one}: {voice.finding(result.said)}",
        )
        for one, result in graded
    )


def windows(voice: Voice, found: Sequence[Maintenance]) -> str:
    """Maintenance that was told of."""
    if not found:
        return voice.say("maintenance.none")
    return "\n".join(
        voice.say(
            "maintenance.row",
            id=window.id,
            scope=scope(voice, window),
            began=window.began,
            ends=window.ended_at or window.ends,
            who=window.who,
            reason=window.reason,
        )
        for window in found
    )


def scope(voice: Voice, window: Maintenance) -> str:
    """What a window covers."""
    host = window.host or voice.say("maintenance.everything")
    return f"{host}/{window.check}" if window.check else host


def _one(voice: Voice, state: CheckState, incidents: Mapping[str, Incident], now: datetime) -> str:
    one = state.id
    name = " ".join(filter(None, (one.check, one.subject)))
    status = voice.say(
        "checks.since", status=voice.word("status", state.status.word), since=state.since
    )
    lines = [f"{layout.MARKS[state.status]} {name}: {status}"]
    lines.append(layout.hang("    ", voice.finding(state.result.said)))
    if state.status is Status.UNKNOWN:
        lines.append(layout.hang("    ", voice.say("checks.old", age=now - state.seen_at)))
    if state.incident:
        lines.append(layout.hang("    ", voice.say("checks.incident", code=state.incident)))
    if (incident := incidents.get(state.incident)) and incident.because:
        side = voice.say(f"side.{incident.side}")
        lines.append(layout.hang(f"    {side}: ", voice.finding(incident.because)))
    if state.silent:
        lines.append(layout.hang("    ", voice.say("checks.silent", why=state.silent)))
    if figures := _figures(voice, state.result.measurements):
        lines.append(layout.hang(f"    {voice.say('checks.values')}: ", figures))
    return "\n".join(lines)


def _figures(voice: Voice, found: Sequence[Measurement]) -> str:
    told = [one for one in found if not one.metric.endswith("_timestamp_seconds")]
    shown = [f"{_short(one)}={voice.number(one.value)}" for one in told[:_FIGURES_SHOWN]]
    return ", ".join([*shown, *(["…"] if len(told) > _FIGURES_SHOWN else [])])


def _short(one: Measurement) -> str:
    name = one.metric.removeprefix("opsd_").removeprefix("host_").removeprefix("probe_")
    labels = ",".join(value for _, value in sorted(one.labels.items()))
    return f"{name}[{labels}]" if labels else name
