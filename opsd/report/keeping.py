"""What stays and what goes, for people."""

from __future__ import annotations

from collections.abc import Sequence

from opsd.errors import OpsdError
from opsd.keeping import Freeze, Hold, Line
from opsd.model import Finding
from opsd.policy.retention import Fate, Planned, whole
from opsd.record import to_json
from opsd.report import layout, text
from opsd.report.voice import Voice


def planned(voice: Voice, name: str, found: Planned) -> str:
    """The fate of each point with its reasons, and what stands against carrying it out."""
    going = sum(not fate.kept for fate in found.fates)
    title = voice.say("keeping.title", name=name, kept=len(found.fates) - going, dropped=going)
    return text.joined(
        title,
        "\n".join(_row(voice, fate) for fate in found.fates),
        _listed(voice, "keeping.freezes", [freeze.said for freeze in found.freezes]),
        _listed(voice, "keeping.obstacles", [one.error for one in found.obstacles]),
        _listed(voice, "keeping.refusal", [found.refusal] if found.refusal else []),
    )


def holds(voice: Voice, found: Sequence[Hold]) -> str:
    """What is held, by whom and why."""
    if not found:
        return voice.say("hold.none")
    return "\n".join(
        voice.say(
            "hold.row",
            id=hold.id,
            scope=scope(voice, hold),
            at=hold.at,
            who=hold.who,
            reason=hold.reason,
        )
        for hold in found
    )


def scope(voice: Voice, hold: Hold) -> str:
    """What a hold covers."""
    return f"{hold.backup_set}/{hold.point or voice.say('hold.all')}"


def causes(voice: Voice, freezes: Sequence[Freeze]) -> list[str]:
    """Why retention is frozen, in words."""
    return sorted({voice.word("cause", freeze.cause.value) for freeze in freezes})


def lines(voice: Voice, found: Sequence[Line]) -> str:
    """The audit chain, oldest first."""
    if not found:
        return voice.say("audit.none")
    return "\n".join(
        f"{line.number:>5}  {voice.moment(line.at)}  {line.who}  {line.kind}: {to_json(line.body)}"
        for line in found
    )


def _row(voice: Voice, fate: Fate) -> str:
    point = fate.standing.point
    words = [voice.say("keeping.stays"), voice.say("keeping.goes")]
    verdict = layout.pad(words[not fate.kept], max(map(layout.width, words)))
    rules = [voice.word("rule", rule.value) for rule in fate.rules]
    if not rules:
        rules = [voice.say("keeping.no_rule")]
    if not whole(fate.standing):
        rules.append(voice.say("keeping.not_whole"))
    return "\n".join(
        (
            f"{verdict}  {point.id}  {voice.moment(point.at)}",
            layout.hang(" " * (layout.width(verdict) + 2), ", ".join(rules)),
        )
    )


def _listed(voice: Voice, title: str, found: Sequence[Finding | OpsdError]) -> str:
    if not found:
        return ""
    said = [layout.hang("  - ", voice.finding(one)) for one in found]
    return "\n".join((f"{voice.say(title)}:", *said))
