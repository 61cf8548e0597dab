"""The log of a database server, for people: what is set up, and what would be lost right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from opsd.catalogue import Size
from opsd.model import CheckState, Incident, Status, worst
from opsd.policy.recoverable import Reach, Recoverable
from opsd.report import checks, layout, plain
from opsd.report.voice import Voice
from opsd.wal import Advice, Change

_RECEIVER = "receiver"
_RECEIVED = "opsd_wal_receiver_held_timestamp_seconds"
_KEPT = "opsd_wal_repository_held_timestamp_seconds"
_YOUNG = timedelta(minutes=1)  # a daemon writes what it sees every few seconds
_GAPS = "opsd_wal_repository_gaps"
_FORECAST = "opsd_wal_recovery_predicted_duration_seconds"
_SERVER_FREE = "opsd_wal_server_free_bytes"


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
    states: Sequence[CheckState],
    incidents: Mapping[str, Incident],
    now: datetime,
) -> str:
    """How each part is."""
    return checks.listed(voice, states, incidents, now) if states else voice.say("checks.none")


def of_log(states: Sequence[CheckState], subject: str) -> tuple[CheckState, ...]:
    """What is known of one log, its receivers and its repositories."""
    parts = (f"{subject}/", f"{subject}@")
    return tuple(
        state
        for state in states
        if (state.id.host, state.id.check) == ("", "wal")
        and (state.id.subject == subject or state.id.subject.startswith(parts))
    )


def brief(
    voice: Voice,
    subject: str,
    states: Sequence[CheckState],
    lost: Mapping[str, float | None],
) -> str:
    """What would be lost now, and what is wrong."""
    wrong = [
        layout.hang(f"  {layout.MARKS[state.status]} ", voice.finding(state.result.said))
        for state in states
        if state.status is not Status.OK
    ]
    return "\n".join((loss(voice, subject, lost), *wrong))


def files(voice: Voice, name: str, lost: float | None) -> str:
    """What of the files of a set would be lost: they come with recovery points, not with a log."""
    row = layout.fields([(voice.say("wal.loss_files"), _at_most(voice, lost))], "  ")
    return f"{name}: {voice.say('wal.loss_title')}\n{row}"


def losses(
    states: Sequence[CheckState], now: datetime, known: Recoverable
) -> dict[str, float | None]:
    """Seconds of commits that may be lost when only this is left; None where it is not known.

    Nothing is known of a repository without a base copy: its log can be replayed onto nothing.
    """
    based = {name for name, reach in known.repositories.items() if reach.oldest is not None}
    return {
        f"{kind}:{name}": _age(states, (kind, name), now)
        if kind == _RECEIVER or name in based
        else None
        for kind, name in _parts(states)
    }


def server_free(states: Sequence[CheckState], member: str, now: datetime) -> int | None:
    """Bytes left on the server's own disk; None where that is not known."""
    young = [state for state in states if now - state.seen_at <= _YOUNG]
    return _count(_figure(young, _SERVER_FREE, "member", member))


def room(voice: Voice, free: int | None) -> str:
    """The same for people."""
    return voice.say(
        "wal.server_free", free=voice.say("wal.loss_unknown") if free is None else Size(free)
    )


def loss(voice: Voice, subject: str, lost: Mapping[str, float | None]) -> str:
    """The same for people."""
    rows = [(_who(voice, *who.split(":", 1)), _at_most(voice, age)) for who, age in lost.items()]
    told = layout.fields(rows, "  ") if rows else f"  {voice.say('wal.loss_unknown')}"
    return f"{subject}: {voice.say('wal.loss_title')}\n{told}"


def seen(known: Recoverable, states: Sequence[CheckState], now: datetime) -> Recoverable:
    """What the history knows of a log, with what is seen of it; of old, what holds for ever."""
    young = [state for state in states if now - state.seen_at <= _YOUNG]
    return replace(
        known,
        repositories={
            name: Reach(
                oldest=reach.oldest,
                newest=_at(_figure(states, _KEPT, "repository", name)),
                gaps=_count(_figure(young, _GAPS, "repository", name)),
                forecast=_span(_figure(young, _FORECAST, "repository", name)),
            )
            for name, reach in known.repositories.items()
        },
    )


def reach(voice: Voice, subject: str, found: Recoverable) -> str:
    """Between which moments each repository brings it back, and how fast."""
    rows = [
        (_of_reach(one), name, _moments(voice, one)) for name, one in found.repositories.items()
    ]
    keys, spans = ("wal.measured", "wal.forecast"), (found.measured, found.forecast)
    for key, span, judged in zip(keys, spans, found.statuses, strict=True):
        rows.append((judged, voice.say(key), _against(voice, span, judged, found.rto)))
    names = max(layout.width(name) for _, name, _ in rows)
    lines = [
        layout.hang(f"{layout.MARKS[mark]} {layout.pad(name, names)}  ", said)
        for mark, name, said in rows
    ]
    return "\n".join((f"{subject}: {voice.say('wal.reach_title')}", *lines))


def reach_status(found: Recoverable) -> Status:
    """The worst of all that is said of it."""
    return worst((*map(_of_reach, found.repositories.values()), *found.statuses))


def reach_body(found: Recoverable) -> plain.Body:
    """The same for programs."""
    measured, forecast = found.statuses
    return {
        "repositories": {
            name: {
                "oldest": plain.moment(one.oldest),
                "newest": plain.moment(one.newest),
                "gaps": one.gaps,
                "forecast_seconds": plain.seconds(one.forecast),
            }
            for name, one in found.repositories.items()
        },
        "measured": {"status": measured.word, "seconds": plain.seconds(found.measured)},
        "forecast": {"status": forecast.word, "seconds": plain.seconds(found.forecast)},
    }


def _of_reach(one: Reach) -> Status:
    if one.gaps:
        return Status.CRITICAL
    known = None not in {one.oldest, one.newest, one.gaps}
    return Status.OK if known else Status.UNKNOWN


def _moments(voice: Voice, one: Reach) -> str:
    told = {"oldest": one.oldest, "newest": one.newest}
    fields = {name: at or voice.say("wal.loss_unknown") for name, at in told.items()}
    said = voice.say("wal.reach", **fields)
    return said + (voice.say("wal.reach_gaps", count=one.gaps) if one.gaps else "")


def _against(voice: Voice, span: timedelta | None, judged: Status, rto: timedelta) -> str:
    if span is None:
        return voice.say("wal.loss_unknown")
    key = "status.within" if judged is Status.OK else "status.beyond"
    return f"{voice.duration(span)}, {voice.say(key, name='RTO', limit=rto)}"


def _parts(states: Sequence[CheckState]) -> list[tuple[str, str]]:
    """Each receiver and each repository."""
    found = []
    for state in states:
        _, receiver, name = state.id.subject.rpartition("@")
        if receiver:
            found.append(("repository", name))
        elif state.id.subject.count("/") > 1:
            found.append((_RECEIVER, state.id.subject.rpartition("/")[2]))
    return sorted(found)


def _age(states: Sequence[CheckState], part: tuple[str, str], now: datetime) -> float | None:
    kind, name = part
    at = _at(_figure(states, _RECEIVED if kind == _RECEIVER else _KEPT, kind, name))
    return age(at, now)


def age(at: datetime | None, now: datetime) -> float | None:
    """Seconds since a moment; None where that is not known."""
    return None if at is None else (now - at).total_seconds()


def _figure(states: Sequence[CheckState], metric: str, kind: str, name: str) -> float | None:
    for state in states:
        for one in state.result.measurements:
            if one.metric == metric and one.labels.get(kind) == name and _known(state):
                return one.value
    return None


def _at(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _count(number: float | None) -> int | None:
    return None if number is None else int(number)


def _known(state: CheckState) -> bool:
    return state.status is not Status.UNKNOWN


def _who(voice: Voice, kind: str, name: str) -> str:
    if kind == _RECEIVER:
        return voice.say("wal.loss_receiver", receiver=name)
    return voice.say("wal.loss_repository", repository=name)


def _at_most(voice: Voice, age: float | None) -> str:
    if age is None:
        return voice.say("wal.loss_unknown")
    return voice.say("wal.loss_at_most", span=timedelta(seconds=max(age, 0)))
