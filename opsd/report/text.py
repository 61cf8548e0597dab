"""What a run did, for people: a backup and its point, a proof and what it compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from opsd.catalogue import Size
from opsd.model import (
    Closing,
    Finding,
    MemberKind,
    MemberSnapshot,
    Outcome,
    Proof,
    RecoveryPoint,
    Severity,
)
from opsd.policy.freshness import restore_time
from opsd.report import layout
from opsd.report.voice import Voice

_INDENT = "  "
# Which faults speak of which comparison: the beginnings of their keys.
OF_FILES = ("proof.files.", "proof.no_files")
OF_RECONCILIATION = ("reconcile.",)
OF_DATABASE = (
    "proof.table_",
    "proof.rows_",
    "proof.digest_",
    "proof.sequence_",
    "proof.extensions_",
    "proof.roles_",
    "proof.properties_",
    "proof.large_objects_",
    "proof.no_tables",
    "proof.no_rows",
)

Figures = Mapping[str, Any]


def backup(
    voice: Voice,
    name: str,
    closing: Closing,
    point: RecoveryPoint | None,
    phases: Mapping[str, float] | None,
) -> str:
    """How a backup ended, the point it made, and what it noticed."""
    outcome = voice.word("outcome", closing.outcome.value)
    title = voice.say("backup.title", name=name, outcome=outcome, elapsed=closing.elapsed)
    parts = [title, voice.say("backup.no_point") if point is None else _point(voice, point, phases)]
    return joined(*parts, findings(voice, closing.findings))


def proof(
    voice: Voice, closing: Closing, point: RecoveryPoint, level: Proof, figures: Figures
) -> str:
    """What was proved of a point, by which comparisons, and how long a restore took."""
    pairs = [
        (voice.say("label.point"), point.id),
        (voice.say("label.data_of"), voice.moment(point.at)),
        (voice.say("label.repository"), point.repository),
        (voice.say("label.level"), voice.word("level", level.word)),
        (
            voice.say("label.proof_run"),
            voice.say(
                "status.run",
                outcome=voice.word("outcome", closing.outcome.value),
                at=closing.closed_at,
                elapsed=closing.elapsed,
            ),
        ),
        *_compared(voice, figures, closing.findings),
    ]
    return joined(
        _verdict(voice, closing.outcome, point.backup_set),
        layout.fields(pairs, _INDENT),
        findings(voice, closing.findings),
    )


def findings(voice: Voice, found: Iterable[Finding]) -> str:
    """What was noticed, the worst first; empty where there was nothing."""
    lines = [
        layout.hang(
            f"{_INDENT}- {voice.word('severity', one.severity.name.lower())}: ", voice.finding(one)
        )
        for one in sorted(found, key=lambda one: -one.severity)
    ]
    return "\n".join((f"{voice.say('report.notes')}:", *lines)) if lines else ""


def holds(voice: Voice, member: MemberSnapshot) -> str:
    """What a member holds, counted."""
    if member.kind is MemberKind.FILES:
        return voice.say("holds.files", files=member.files)
    return voice.say("holds.tables", tables=member.files, rows=member.rows)


def phases_in_words(voice: Voice, seconds: Mapping[str, float]) -> str:
    """How long each phase took, longest first; what took no time is left out."""
    told = sorted(seconds.items(), key=lambda one: -one[1])
    return ", ".join(
        f"{_small(voice.word('phase', name))} {voice.duration(timedelta(seconds=spent))}"
        for name, spent in told
        if spent >= 0.05
    )


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def joined(*parts: str) -> str:
    """Paragraphs with an empty line between."""
    return "\n\n".join(part for part in parts if part)


def _point(voice: Voice, point: RecoveryPoint, phases: Mapping[str, float] | None) -> str:
    complete = voice.say("report.complete" if point.complete else "report.incomplete")
    pairs = [
        (voice.say("label.point"), f"{point.id} ({complete})"),
        (voice.say("label.data_of"), voice.moment(point.at)),
        (voice.say("label.repository"), point.repository),
    ]
    if phases and (told := phases_in_words(voice, phases)):
        pairs.append((voice.say("label.phases"), told))
    return joined(layout.fields(pairs, _INDENT), members(voice, point.members))


def members(voice: Voice, taken: Iterable[MemberSnapshot]) -> str:
    """A table of the members of a point."""
    rows = [
        (
            member.member,
            voice.word("kind", member.kind.value),
            holds(voice, member),
            voice.size(member.bytes),
            voice.size(member.added_bytes),
        )
        for member in taken
    ]
    names = ("member", "kind", "holds", "size", "added")
    headings = [voice.say(f"column.{name}") for name in names]
    return layout.table(headings, rows, "<<<>>", _INDENT)


def _verdict(voice: Voice, outcome: Outcome, name: str) -> str:
    match outcome:
        case Outcome.PASSED:
            return voice.say("proof.title.passed", name=name)
        case Outcome.FAILED:
            return voice.say("proof.title.failed", name=name)
        case _:
            said = voice.word("outcome", outcome.value)
            return voice.say("proof.title.open", name=name, outcome=said)


def _compared(
    voice: Voice, figures: Figures, noticed: Sequence[Finding]
) -> Iterator[tuple[str, str]]:
    """What a proof looked at, and whether it was the same; what it did not come to is left out."""
    if "tables" in figures:
        verdict = _sameness(voice, noticed, OF_DATABASE)
        tables, rows = figures["tables"], figures["rows"]
        said = voice.say("proof.database", tables=tables, rows=rows, verdict=verdict)
        yield voice.say("label.database"), said
    if "files" in figures:
        yield voice.say("label.files"), _files(voice, figures, noticed)
    if "reconciled_rows" in figures:
        verdict = _sameness(voice, noticed, OF_RECONCILIATION)
        rows, orphans = figures["reconciled_rows"], figures["orphans"]
        said = voice.say("proof.reconciled", rows=rows, orphans=orphans, verdict=verdict)
        yield voice.say("label.reconciled"), said
    if figures.get("invariants"):
        broken = sum(1 for one in noticed if one.key == "proof.invariant_broken")
        key = "proof.invariants_broken" if broken else "proof.invariants_hold"
        verdict = voice.say(key, broken=broken)
        said = voice.say("proof.invariants", count=figures["invariants"], verdict=verdict)
        yield voice.say("label.invariants"), said
    yield from _about_the_proof(voice, figures)


def _sameness(voice: Voice, noticed: Sequence[Finding], about: tuple[str, ...]) -> str:
    """Whether a comparison found nothing wrong, by the faults that speak of it."""
    wrong = any(f.severity is Severity.FAULT and f.key.startswith(about) for f in noticed)
    return voice.say("proof.differs" if wrong else "proof.same")


def _about_the_proof(voice: Voice, figures: Figures) -> Iterator[tuple[str, str]]:
    """How far the comparison itself can be trusted, how long it took, what was left behind."""
    if "read_objects" in figures:
        size = Size(figures["read_bytes"])
        said = voice.say("proof.read_back", objects=figures["read_objects"], bytes=size)
        yield voice.say("label.read_back"), said
    elif figures.get("read_whole"):
        yield voice.say("label.read_back"), voice.say("proof.read_whole")
    if canaries := figures.get("canaries"):
        caught = sum(1 for seen in canaries.values() if seen)
        said = voice.say("proof.canaries", count=len(canaries), caught=caught)
        yield voice.say("label.canaries"), said
    if measured := restore_time(figures):
        key = "proof.restore_reckoned" if measured.reckoned else "proof.restore_time"
        yield voice.say("label.restore_time"), voice.say(key, span=measured.span)
    if seconds := figures.get("seconds"):
        yield voice.say("label.phases"), phases_in_words(voice, seconds)
    if wiped := figures.get("wiped"):
        said = voice.say("proof.wiped", files=wiped["files"], bytes=Size(wiped["bytes"]))
        yield voice.say("label.wiped"), said


def _files(voice: Voice, figures: Figures, noticed: Sequence[Finding]) -> str:
    files, size, parts = figures["files"], Size(figures["bytes"]), figures.get("parts", 1)
    verdict = _sameness(voice, noticed, OF_FILES)
    if parts == 1:
        return voice.say("proof.files", files=files, bytes=size, verdict=verdict)
    return voice.say(
        "proof.files_part",
        files=files,
        bytes=size,
        parts=parts,
        verdict=verdict,
        percent=round(100 * float(figures["confidence"]), 1),
    )
