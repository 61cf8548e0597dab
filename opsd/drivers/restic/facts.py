"""What is asked of restic and what it answers, as frozen values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """How far restic is: bytes done and in all (0 while it still counts)."""

    bytes_done: int
    bytes_total: int


OnProgress = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a repository says about one snapshot."""

    id: str
    at: datetime
    host: str
    tree: str
    paths: tuple[str, ...]
    tags: frozenset[str]
    files: int = 0
    bytes: int = 0
    added_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """What goes into one snapshot, and under which names.

    `exclude` holds absolute paths. Without `parent` each file is read anew. `total` are the bytes
    in it, as far as they are known: restic would walk through everything once more to count them.
    """

    path: Path
    host: str
    tags: Sequence[str]
    parent: str = ""
    exclude: Sequence[str] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """What lies below `root` in a snapshot, and where it shall go.

    `only` names a file of patterns, one a line, absolute below `root`. Of files that are there
    already only what differs is written; `exact` removes what the snapshot does not have, but for
    what is `spared` (names below the target, absolute).
    """

    snapshot: str
    root: str
    target: Path
    only: Path | None = None
    exact: bool = False
    spared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What restic says it did in one backup. `unread` are items that could not be read.

    `added_bytes` is what was added as it is stored, `unpacked_bytes` what that was before.
    """

    snapshot: str
    files: int
    bytes: int
    added_bytes: int
    unread: tuple[str, ...]
    healed: bool
    new_files: int = 0
    changed_files: int = 0
    unpacked_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """What restic says it wrote, and what it could not."""

    files: int
    bytes: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `restic check` complained about; nothing means that it found nothing."""

    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Deadlines: `work` for what reads or writes data, `lock` how long to wait for a lock.

    A `niceness` lets a backup come after others (`process.Command`).
    """

    work: timedelta
    lock: timedelta = timedelta()
    niceness: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What restic may take: bytes a second in each direction, and memory it tries to keep below."""

    upload: int | None = None
    download: int | None = None
    memory: int | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """Its options; a rate is told in KiB a second."""
        rates = (("--limit-upload", self.upload), ("--limit-download", self.download))
        return tuple(f"{name}={max(1, rate >> 10)}" for name, rate in rates if rate is not None)

    @property
    def env(self) -> dict[str, str]:
        """What Go reads."""
        return {"GOMEMLIMIT": str(self.memory)} if self.memory is not None else {}
