"""Recovery points as a table: what there is to go back to, and how far each is proved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opsd.catalogue import Size
from opsd.model import Proof
from opsd.policy.standing import Listed, Standing
from opsd.report import layout, text
from opsd.report.voice import Voice


def table(voice: Voice, name: str, found: Sequence[Standing], now: datetime) -> str:
    """The points of a set, newest first."""
    if not found:
        return voice.say("points.none", name=name)
    rows = [
        (
            one.point.id,
            voice.moment(one.point.at),
            age(voice, now, one.point.at),
            voice.size(Size(sum(member.bytes for member in one.point.members))),
            ", ".join(member.member for member in one.point.members),
            voice.say("report.complete" if one.point.complete else "report.incomplete"),
            level(voice, one),
        )
        for one in found
    ]
    return f"{voice.say('points.of_set', name=name, count=len(found))}\n\n" + "\n".join(
        _row(voice, row) for row in rows
    )


def listed(voice: Voice, repository: str, found: Sequence[Listed]) -> str:
    """The runs that a repository tells of, newest first."""
    title = voice.say("points.of_repository", repository=repository, count=len(found))
    lines = [
        f"{one.run}  {voice.moment(one.at)}\n"
        + layout.hang("    ", f"{one.backup_set}: {', '.join(one.members)}{_open(voice, one)}")
        for one in found
    ]
    return text.joined(title, "\n".join(lines))


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
    return voice.duration(now - at) if at <= now else voice.say("report.in_future")


def _row(voice: Voice, row: tuple[str, ...]) -> str:
    """One point in three lines: all of it would not fit into eighty columns."""
    point, at, old, size, members, complete, proof = row
    return "\n".join(
        (
            f"{point}  {at}  {old}",
            layout.hang("    ", f"{complete}, {size}: {members}"),
            layout.hang("    ", f"{voice.say('label.level')}: {proof}"),
        )
    )


def _open(voice: Voice, one: Listed) -> str:
    return "" if one.closed else f" ({voice.say('points.open')})"
