"""Recovery for people: what will be done, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from opsd.binlog import BaseCopy
from opsd.catalogue import Size
from opsd.model import Finding
from opsd.report import layout, text
from opsd.report.voice import Voice
from opsd.wal import Base, written


def plan(voice: Voice, name: str, facts: Mapping[str, object], findings: Sequence[Finding]) -> str:
    """The base copy, the log, the goal, where to and how long."""
    base = "recover.base_at_hand" if facts["at_hand"] else "recover.base"
    rows = [
        (voice.say("recover.label_base"), voice.say(base, **_part(facts, "base"))),
        (voice.say("recover.label_log"), voice.say("recover.log", **_part(facts, "log"))),
        (voice.say("recover.label_goal"), str(facts["goal"])),
        (voice.say("recover.label_target"), str(facts["target"])),
        (voice.say("recover.label_files"), str(facts["files"])),
        (voice.say("recover.label_expected"), voice.duration(_span(facts["expected"]))),
    ]
    return text.joined(
        f"{voice.say('recover.plan_title', name=name)}\n{layout.fields(rows, '  ')}",
        text.findings(voice, findings),
    )


def goal(voice: Voice, kind: str, at: datetime | None, name: str, lsn: int | None) -> str:
    """Where to, in words."""
    if at is not None:
        return voice.moment(at)
    fields = {"name": name, "lsn": written(lsn) if lsn is not None else "-"}
    return voice.say(f"recover.goal_{kind}", **fields)


def bases(voice: Voice, found: Sequence[Base | BaseCopy]) -> str:
    """The base copies, oldest first."""
    if not found:
        return voice.say("base.none")
    return "\n".join(
        voice.say(
            "base.row",
            id=base.id,
            at=base.until if isinstance(base, Base) else base.at,
            bytes=Size(base.bytes),
            repository=base.repository,
        )
        for base in found
    )


def _part(facts: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = facts[name]
    assert isinstance(found, Mapping)  # noqa: S101  (the caller's)
    return found


def _span(found: object) -> timedelta:
    assert isinstance(found, timedelta)  # noqa: S101  (the caller's)
    return found
