"""Recovery points as a table: what there is to go back to, and how far each is proved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opsd.model import Proof
from opsd.policy.standing import Standing
from opsd.report import layout, text
from opsd.report.voice import Voice


def table(voice: Voice, name: str, found: Sequence[Standing], now: datetime) -> str:
    """The points of a set as the history knows them, newest first."""
    if not found:
        return voice.say("points.none", name=name)
    title = voice.say("points.of_set", name=name, count=len(found))
    return text.joined(title, "\n".join(_row(voice, one, now) for one in found))


def of_repository(voice: Voice, repository: str, found: Sequence[Standing], now: datetime) -> str:
    """The points as a repository itself tells of them, newest first."""
    title = voice.say("points.of_repository", repository=repository, count=len(found))
    return text.joined(title, "\n".join(_row(voice, one, now) for one in found))


def level(voice: Voice, one: Standing) -> str:
    """How far a point is proved, and since when."""
    held = one.level
    word = voice.word("level", held.word) if held else voice.say("report.no_data")
    if one.failed is not None:
        return voice.say("points.failed_at", level=word, at=one.failed.at)
    if held is None or held is Proof.TAKEN:
        return word
    return voice.say("points.proved_at", level=word, at=one.found_out[held].at)


def age(voice: Voice, now: datetime, at: datetime) -> str:
    """How old something is; what is from the future is not simply young."""
    if at > now:
        return voice.say("report.in_future")
    return voice.say("report.ago", age=now - at)


def _row(voice: Voice, one: Standing, now: datetime) -> str:
    """One point in a few lines: all of it would not fit into eighty columns."""
    point = one.point
    complete = voice.say("report.complete" if point.complete else "report.incomplete")
    size = voice.size(sum(member.bytes for member in point.members))
    members = ", ".join(member.member for member in point.members)
    lines = [
        f"{point.id}  {voice.moment(point.at)}",
        layout.hang("    ", age(voice, now, point.at)),
        layout.hang("    ", f"{point.backup_set}: {members}; {size}, {complete}"),
    ]
    if one.proofs:
        lines.append(layout.hang("    ", f"{voice.say('label.level')}: {level(voice, one)}"))
    return "\n".join(lines)
