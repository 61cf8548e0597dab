"""What came in from Alertmanager, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsd.people import Received
from opsd.report import layout, plain
from opsd.report.voice import Voice

_SHOWN = 200


def received(voice: Voice, found: Sequence[Received], *, keep: bool) -> str:
    """What became of each alert, or what would."""
    if not found:
        return voice.say("replay.none")
    lines = [_one(voice, one) for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(voice.say("replay.more", count=len(found) - _SHOWN))
    said = voice.say("replay.done" if keep else "replay.dry", count=len(found))
    return "\n".join([*lines, "", said])


def _one(voice: Voice, found: Received) -> str:
    alert = found.alert
    what = voice.say(f"fate.{found.fate.value}", incident=found.incident or "-")
    name = layout.cut(f"{_visible(alert.name)} {alert.status.value} {alert.fingerprint}", 50)
    return layout.hang(f"{layout.pad(name, 52)}", what, 100)


def plain_alert(found: Received) -> dict[str, Any]:
    """An alert for programs."""
    alert = found.alert
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status.value,
        "starts_at": plain.moment(alert.starts_at),
        "labels": dict(alert.labels),
        "truncated": alert.truncated,
        "fate": found.fate.value,
        "incident": found.incident or None,
    }


def _visible(text: str) -> str:
    """A text of anybody on one line of a terminal, and unable to steer it."""
    return "".join(c if c.isprintable() else "�" for c in text)
