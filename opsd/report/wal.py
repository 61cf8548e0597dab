"""The log of a database server, for people: what is set up, and what would be lost right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from opsd.model import CheckState, Incident, Status
from opsd.report import checks, layout, text
from opsd.report.voice import Voice
from opsd.wal import Advice, Change

_RECEIVED = "opsd_wal_receiver_held_timestamp_seconds"
_KEPT = "opsd_wal_repository_held_timestamp_seconds"


def planned(voice: Voice, name: str, changes: Sequence[Change], advice: Sequence[Advice]) -> str:
    """Each statement with its reason, and what a person has to do."""
    lines = [voice.say("wal.plan_title" if changes else "wal.plan_nothing", name=name)]
    for change in changes:
        why = voice.say(change.why)
        if change.restart:
            why += f" ({voice.say('wal.restart')})"
        lines += [f"  {change.statement};", layout.hang("      -- ", why)]
    if advice:
        lines.append(f"{voice.say('wal.advice')}:")
        lines += [layout.hang("  - ", voice.say(a.key, **a.fields)) for a in advice]
    return "\n".join(lines)


def status(
    voice: Voice,
    subject: str,
    states: Sequence[CheckState],
    incidents: Mapping[str, Incident],
    now: datetime,
) -> str:
    """What would be lost, then how each part is."""
    if not states:
        return text.joined(subject, voice.say("checks.none"))
    rows = [(_who(voice, *one), _loss(voice, states, one, now)) for one in _parts(states)]
    lines = layout.fields([*rows], "  ") if rows else f"  {voice.say('wal.loss_unknown')}"
    title = f"{subject}: {voice.say('wal.loss_title')}"
    return text.joined(f"{title}\n{lines}", checks.listed(voice, states, incidents, now))


def of_log(states: Sequence[CheckState], subject: str) -> tuple[CheckState, ...]:
    """What is known of one log, its receivers and its repositories."""
    parts = (f"{subject}/", f"{subject}@")
    return tuple(
        state
        for state in states
        if (state.id.host, state.id.check) == ("", "wal")
        and (state.id.subject == subject or state.id.subject.startswith(parts))
    )


def brief(voice: Voice, subject: str, states: Sequence[CheckState], now: datetime) -> str:
    """What would be lost now, and what is wrong."""
    rows = [(_who(voice, *one), _loss(voice, states, one, now)) for one in _parts(states)]
    wrong = [
        layout.hang(f"  {layout.MARKS[state.status]} ", voice.finding(state.result.said))
        for state in states
        if state.status is not Status.OK
    ]
    told = layout.fields(rows, "  ") if rows else f"  {voice.say('wal.loss_unknown')}"
    title = f"{subject}: {voice.say('wal.loss_title')}"
    return "\n".join((title, told, *wrong))


def losses(states: Sequence[CheckState], now: datetime) -> dict[str, float | None]:
    """Seconds of commits that may be lost when only this is left; None where it is not known."""
    return {f"{kind}:{name}": _age(states, (kind, name), now) for kind, name in _parts(states)}


def _parts(states: Sequence[CheckState]) -> list[tuple[str, str]]:
    """Each receiver and each repository."""
    found = []
    for state in states:
        _, receiver, name = state.id.subject.rpartition("@")
        if receiver:
            found.append(("repository", name))
        elif state.id.subject.count("/") > 1:
            found.append(("receiver", state.id.subject.rpartition("/")[2]))
    return sorted(found)


def _age(states: Sequence[CheckState], part: tuple[str, str], now: datetime) -> float | None:
    kind, name = part
    metric = _RECEIVED if kind == "receiver" else _KEPT
    for state in states:
        for one in state.result.measurements:
            if one.metric == metric and one.labels.get(kind) == name and _known(state):
                return (now - datetime.fromtimestamp(one.value, UTC)).total_seconds()
    return None


def _known(state: CheckState) -> bool:
    return state.status is not Status.UNKNOWN


def _who(voice: Voice, kind: str, name: str) -> str:
    if kind == "receiver":
        return voice.say("wal.loss_receiver", receiver=name)
    return voice.say("wal.loss_repository", repository=name)


def _loss(voice: Voice, states: Sequence[CheckState], part: tuple[str, str], now: datetime) -> str:
    age = _age(states, part, now)
    if age is None:
        return voice.say("wal.loss_unknown")
    return voice.say("wal.loss_at_most", span=timedelta(seconds=max(age, 0)))
