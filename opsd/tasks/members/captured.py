"""What capturing a member gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from opsd.drivers.restic import Progress
from opsd.model import MemberSnapshot
from opsd.tasks.kit import Kit


@dataclass(frozen=True, slots=True)
class Captured:
    """A member's snapshot, the moment its data is from, and its manifest's file."""

    snapshot: MemberSnapshot
    at: datetime
    manifest: Path


@dataclass(frozen=True, slots=True)
class Last:
    """What the last complete recovery point knows about a member."""

    snapshot: str = ""


class Forward:
    """Hands restic's progress on to the watcher of the run."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def __call__(self, progress: Progress) -> None:
        self._kit.watcher.advance(progress.bytes_done, progress.bytes_total)
