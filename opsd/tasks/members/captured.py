"""A backup run under way, as the kinds of members see it, and what capturing one gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from opsd import record
from opsd.clock import Stopwatch
from opsd.config.schema import BackupSet
from opsd.contents import CommandManifest, MariadbManifest
from opsd.drivers.restic import BackupSummary, Limits, Progress, Snapshot, Source
from opsd.errors import SourceFailed, TimedOut
from opsd.model import DatabaseManifest, MemberKind, MemberSnapshot
from opsd.tasks.journal import Journal
from opsd.tasks.kit import Kit, tagged, tags

MANIFEST = "manifest.json"  # of a dumped member, behind its name
STORED = "stored"  # the evidence of what restic said of one snapshot

Dump: TypeAlias = DatabaseManifest | MariadbManifest | CommandManifest


@dataclass(frozen=True, slots=True)
class Captured:
    """A member's snapshot, the moment its data is from, and its manifest's file."""

    snapshot: MemberSnapshot
    at: datetime
    manifest: Path


@dataclass(frozen=True, slots=True)
class Opened:
    """A repository before a run wrote anything: the set's snapshots, the names of all objects."""

    snapshots: tuple[Snapshot, ...]
    objects: frozenset[str]


@dataclass(frozen=True, slots=True)
class Work:
    """One backup run: of which set, written down where, and whether it comes after others.

    `opened` waits until it is clear that the repository can be written to, and raises what stands
    against that.
    """

    kit: Kit
    journal: Journal
    backup_set: BackupSet
    opened: Callable[[], Opened]
    niceness: int = 0

    def on(self, kit: Kit) -> Work:
        """The same run, for work that goes on beside other work."""
        return replace(self, kit=kit, journal=self.journal.on(kit))

    @property
    def scratch(self) -> Path:
        """What must not stay."""
        return self.kit.scratch(self.journal.run.id)

    @property
    def left(self) -> timedelta:
        """What is left of the time for this run. Raises `TimedOut` when nothing is."""
        if self.out_of_time:
            raise TimedOut("run.out_of_time", limit=self.backup_set.timeout)
        return self.backup_set.timeout - self.journal.watch.elapsed()

    @property
    def out_of_time(self) -> bool:
        """Whether nothing is left of the time for this run."""
        return self.journal.watch.elapsed() >= self.backup_set.timeout

    @property
    def limits(self) -> Limits:
        """What is left of the time, and how long to wait for somebody else's lock."""
        limits = self.kit.limits(self.journal.run.repository, self.left)
        return replace(limits, niceness=self.niceness)

    def source(self, path: Path, part: str, marks: Sequence[str]) -> Source:
        """What lies at `path`, under this run's names."""
        run = self.journal.run
        names = (*tags(run.backup_set, run.id, part), *marks)
        return Source(path, self.kit.config.host, names)

    def store(self, source: Source, rows: int = 0) -> BackupSummary:
        """Put it into a snapshot. `rows` are those of a database."""
        self.opened()
        restic = self.kit.restic(self.journal.run.repository)
        done = restic.backup(source, limits=self.limits, on_progress=Forward(self.kit))
        self.journal.evidence(STORED, _figures(source, done, rows))
        return done

    def keep(
        self, member: tuple[str, MemberKind], home: Path, manifest: Dump, watch: Stopwatch
    ) -> Captured:
        """Put what was dumped into `home` into a snapshot, and write its manifest down."""
        name, kind = member
        with self.journal.phase("upload", name):
            size = sum(file.lstat().st_size for file in home.rglob("*"))
            source = replace(self.source(home, name, kind_mark(kind)), total=size)
            stored = self.store(source, manifest.rows)
        if stored.unread:
            raise SourceFailed("dump.unread", member=name, detail="\n".join(stored.unread[:5]))
        kept = self.scratch / f"{name}.{MANIFEST}"
        kept.write_text(record.to_json(record.plain(manifest)), encoding="utf-8")
        snapshot = MemberSnapshot(
            member=name,
            kind=kind,
            snapshot=stored.snapshot,
            root=str(home),
            files=len(manifest.tables),
            bytes=stored.bytes,
            rows=manifest.rows,
            added_bytes=stored.added_bytes,
            elapsed=watch.elapsed(),
        )
        return Captured(snapshot, manifest.at, kept)


def _figures(source: Source, done: BackupSummary, rows: int) -> dict[str, object]:
    """What the tripwire compares with earlier runs."""
    return {
        "part": tagged(frozenset(source.tags), "part"),
        "files": done.files,
        "bytes": done.bytes,
        "new": done.new_files,
        "changed": done.changed_files,
        "added": done.unpacked_bytes,
        "packed": done.added_bytes,
        "rows": rows,
    }


def kind_mark(kind: MemberKind) -> tuple[str]:
    """The tag that tells a member's kind."""
    return (f"kind:{kind}",)


class Forward:
    """Hands restic's progress on to the watcher of the run."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def __call__(self, progress: Progress) -> None:
        self._kit.watcher.advance(progress.bytes_done, progress.bytes_total)
