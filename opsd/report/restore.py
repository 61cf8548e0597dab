"""A restore for people: what goes where, and whether what was written is what was backed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opsd.catalogue import Size
from opsd.model import Finding, MemberSnapshot, RecoveryPoint, Severity
from opsd.report import layout, text
from opsd.report.voice import Voice


@dataclass(frozen=True, slots=True)
class Goal:
    """A member and where it goes."""

    member: MemberSnapshot
    target: Path


def plan(voice: Voice, point: RecoveryPoint, goals: Sequence[Goal]) -> str:
    """What will be, or was, written."""
    title = voice.say("restore.title", name=point.backup_set, point=point.id, at=point.at)
    headings = [voice.say(f"column.{name}") for name in ("member", "kind", "size", "target")]
    rows = [
        (
            goal.member.member,
            voice.word("kind", goal.member.kind.value),
            voice.size(goal.member.bytes),
            str(goal.target),
        )
        for goal in goals
    ]
    return text.joined(layout.hang("", title), layout.table(headings, rows, "<<><", "  "))


def done(
    voice: Voice,
    figures: Mapping[str, int],
    elapsed: timedelta,
    found: Sequence[Finding],
    *,
    unverified: bool = False,
) -> str:
    """How it went; `unverified` where nothing is known to be wrong, but not that all is right."""
    good = not any(one.severity is Severity.FAULT for one in found)
    key = "restore.good" if good else "restore.blind" if unverified else "restore.bad"
    title = voice.say(key, elapsed=elapsed)
    verified = [voice.size(Size(figures["bytes"]))]
    if figures["tables"]:
        tables, rows = figures["tables"], figures["rows"]
        verified.insert(0, voice.say("restore.tables", tables=tables, rows=rows))
    if figures["files"]:
        verified.insert(0, voice.say("restore.files", files=figures["files"]))
    pairs = [(voice.say("label.verified"), ", ".join(verified))]
    return text.joined(title, layout.fields(pairs, "  "), text.findings(voice, found))
