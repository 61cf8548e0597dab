"""Diagnoses as text and as JSON: what is wrong first, each with what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from opsd.model import Finding, Severity, Status
from opsd.policy.diagnosis import Diagnosis
from opsd.report import layout
from opsd.report.voice import Voice


def text(voice: Voice, found: Sequence[Diagnosis]) -> str:
    """All of them in the order they were made, below how many there are of which kind."""
    counts = Counter(one.status for one in found)
    title = voice.say(
        "doctor.title",
        ok=counts[Status.OK],
        warning=counts[Status.WARNING],
        critical=counts[Status.CRITICAL] + counts[Status.UNKNOWN],
    )
    words = {status: voice.word("status", status.word) for status in Status}
    columns = max(layout.width(words[one.status]) for one in found)
    lines = [
        layout.hang(
            f"{layout.pad(words[one.status], columns)}  ", f"{one.subject}: {said(voice, one)}"
        )
        for one in found
    ]
    return "\n".join((title, "", *lines))


def body(voice: Voice, found: Sequence[Diagnosis]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "status": one.status.word,
            "subject": one.subject,
            "key": one.key,
            "text": said(voice, one),
        }
        for one in found
    ]


def said(voice: Voice, one: Diagnosis) -> str:
    """The diagnosis with its detail and remedy."""
    return voice.finding(Finding(Severity.NOTE, one.key, one.fields, one.detail))
