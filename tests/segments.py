"""A log in a few words, for tests: which segments are there, and how much of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from opsd.wal import SEGMENT_BYTES, Covered, Holdings, Segment

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
WHOLE = SEGMENT_BYTES


def held(
    *spans: tuple[int, int, int], parents: dict[int, tuple[int, int]] | None = None
) -> Holdings:
    """Segments as (timeline, number, bytes), a minute apart."""
    return Holdings(
        {
            Segment(timeline, number): Covered(
                size, NOON + timedelta(minutes=number), size == WHOLE
            )
            for timeline, number, size in spans
        },
        parents or {},
    )


def row(timeline: int, first: int, last: int) -> list[tuple[int, int, int]]:
    return [(timeline, number, WHOLE) for number in range(first, last + 1)]
