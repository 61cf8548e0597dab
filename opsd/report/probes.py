"""What a probe saw: for the person at the terminal, and for the other side's help desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opsd.model import CheckResult
from opsd.policy.blame import Blame, Seen
from opsd.report import layout
from opsd.report.voice import Voice
from opsd.trace import Facts, Hop, Phase, Trace

_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is told about one probe."""

    title: str
    asked: str
    trace: Trace
    results: Sequence[CheckResult]
    blame: Blame
    around: Sequence[Seen]
    way: Sequence[Hop]


def phase(voice: Voice, one: Phase) -> str:
    """One phase in a line."""
    step = f"{one.step}: " if one.step else ""
    said = f"{one.cause} {one.detail}".strip() if one.cause else voice.say("probe.phase_good")
    return f"{_milliseconds(voice, one.seconds):>14}  {layout.pad(one.name, 11)}  {step}{said}"


def results(voice: Voice, found: Sequence[CheckResult]) -> str:
    """The verdict, the whole first."""
    return "\n".join(
        layout.hang(
            f"{voice.word('status', one.status.word)}  ",
            (f"{one.subject}: " if one.subject else "") + voice.finding(one.said),
        )
        for one in found
    )


def facts(voice: Voice, found: Facts) -> str:
    """What else came to be known."""
    return layout.fields(_facts(voice, found))


def evidence(voices: Sequence[Voice], told: Evidence) -> str:
    """The text for the other side, once in each language."""
    parts = ["\n".join(_told(voice, told)) for voice in voices]
    return f"\n\n{'=' * layout.WIDTH}\n\n".join(parts) + "\n"


def blamed(voice: Voice, found: Blame) -> str:
    """Whose fault, and why."""
    side = voice.say(f"side.{found.side}")
    return layout.hang(f"{side}: ", voice.say(found.key, **found.fields))


def _told(voice: Voice, told: Evidence) -> Iterator[str]:
    trace = told.trace
    yield voice.say("evidence.title", title=told.title)
    yield ""
    yield layout.fields(
        (
            (voice.say("evidence.asked"), told.asked),
            (voice.say("evidence.utc"), _in_utc(voice, trace.at)),
            (voice.say("evidence.local"), voice.moment(trace.at)),
            (voice.say("evidence.elapsed"), _milliseconds(voice, trace.elapsed.total_seconds())),
            *_facts(voice, trace.facts),
        )
    )
    yield ""
    yield results(voice, told.results)
    yield blamed(voice, told.blame)
    yield ""
    yield voice.say("evidence.phases")
    yield from (phase(voice, one) for one in trace.phases)
    if told.way:
        yield ""
        yield voice.say("evidence.way")
        for hop in told.way:
            yield f"{hop.number:>4}  {_milliseconds(voice, hop.seconds):>14}  {hop.address}"
    if told.around:
        yield ""
        yield voice.say("evidence.around")
        for seen in told.around:
            word = voice.word("status", seen.status.word)
            yield f"  {seen.name} ({seen.kind}, {seen.scope}): {word} {seen.cause}".rstrip()


def _in_utc(voice: Voice, at: datetime) -> str:
    """The moment in UTC."""
    return Voice(voice.language, UTC).moment(at)


def _facts(voice: Voice, found: Facts) -> Iterator[tuple[str, str]]:
    plain = {
        "probe.peer": found.peer or found.socket,
        "probe.local": found.local,
        "probe.code": str(found.status or ""),
        "probe.hops": " → ".join(found.hops),
        "probe.answers": ", ".join(found.answers),
        "probe.server": found.server,
    }
    yield from ((voice.say(key), value) for key, value in plain.items() if value)
    if found.first_byte is not None:
        yield voice.say("probe.first_byte"), _milliseconds(voice, found.first_byte)
    if one := found.certificate:
        said = voice.say(
            "probe.certificate_is",
            subject=one.subject,
            issuer=one.issuer,
            ends=one.ends,
            chain=one.chain,
            protocol=one.protocol or "-",
        )
        yield voice.say("probe.certificate_label"), said
    for name, packets in found.roads.items():
        delay = packets.median
        said = voice.say(
            "probe.link",
            sent=packets.sent,
            lost=round(packets.lost * 100, 1),
            delay="-" if delay is None else round(delay * _MILLISECONDS, 1),
        )
        yield name or voice.say("probe.link_label"), said


def _milliseconds(voice: Voice, seconds: float) -> str:
    return f"{voice.number(round(seconds * _MILLISECONDS, 1))} ms"
