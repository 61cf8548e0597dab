"""What is damaged in a repository, whom it affects, and how it is repaired, for people."""

from __future__ import annotations

import shlex
from typing import Any

from opsd.policy.repair import Affected, Damage, Step
from opsd.report import layout, text
from opsd.report.voice import Voice

_NAMED = 3


def damage(voice: Voice, found: Damage) -> str:
    """The damage, each snapshot that needs what is lost, and the steps with their commands."""
    if not found.objects:
        return voice.say("damage.none", repository=found.repository)
    title = voice.say(
        "damage.title",
        repository=found.repository,
        count=len(found.objects),
        points=len(found.points),
        elapsed=found.elapsed,
    )
    unplaced = [name[:16] for name in found.unplaced]
    return text.joined(
        title,
        "\n".join(f"  {one.kind}/{one.name}" for one in found.objects),
        "\n".join(_row(voice, one) for one in found.affected),
        voice.say("damage.unplaced", names=unplaced) if unplaced else "",
        "\n".join((f"{voice.say('damage.steps')}:", *_steps(voice, found))),
    )


def plain(found: Damage) -> dict[str, Any]:
    """The same for programs."""
    return {
        "repository": found.repository,
        "damaged": [{"kind": one.kind, "name": one.name} for one in found.objects],
        "points": list(found.points),
        "affected": [
            {
                "point": one.point,
                "part": one.part,
                "snapshot": one.snapshot,
                "files": one.files,
                "names": list(one.names),
                "whole": one.whole,
            }
            for one in found.affected
        ],
        "unplaced": list(found.unplaced),
        "steps": [
            {
                "step": step.name.value,
                "argv": list(step.argv),
                "directory": str(step.directory) if step.directory else None,
                "last_resort": step.last_resort,
            }
            for step in found.steps
        ],
        "seconds": found.elapsed.total_seconds(),
    }


def _row(voice: Voice, one: Affected) -> str:
    more = ["..."] if one.files > _NAMED else []
    return voice.say(
        "damage.whole" if one.whole else "damage.row",
        point=one.point or one.snapshot[:8],
        part=one.part,
        files=one.files,
        names=[*one.names[:_NAMED], *more] or ["-"],
    )


def _steps(voice: Voice, found: Damage) -> list[str]:
    lines = []
    for number, step in enumerate(found.steps, 1):
        lines.append(layout.hang(f"  {number}. ", voice.say(f"repair.{step.name.value}")))
        lines += [f"     {line}" for line in _command(step)]
    return lines


def _command(step: Step) -> list[str]:
    command = shlex.join(step.argv) if step.argv else ""
    place = shlex.quote(str(step.directory)) if step.directory else ""
    made = f"mkdir -p {place} && cd {place}" if place and command else ""
    return [line for line in (made, command) if line]
