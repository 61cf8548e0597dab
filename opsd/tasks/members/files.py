"""A tree of files as a member: surveyed before and after restic reads it.

Before restic begins, every entry is looked at and compared with the last manifest: what has the
same size, times and inode keeps its digest, the rest is hashed while restic reads it. Afterwards
every entry is looked at once more. An entry that looks the same both times was the same all the
time, so that the digest is of what restic stored; any other is marked and named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from opsd import manifest
from opsd.clock import Stopwatch
from opsd.config.schema import FilesMember
from opsd.drivers import manifests, tree
from opsd.drivers.restic import BackupSummary
from opsd.errors import SourceFailed
from opsd.manifest import APPEARED, CHANGED, DIRECTORY, FILE, UNREADABLE, VANISHED, Entry
from opsd.model import MemberKind, MemberSnapshot, Severity
from opsd.tasks.beside import beside
from opsd.tasks.journal import Journal
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import Captured, Work, kind_mark

MANIFEST = "manifest.jsonl"
_VANISHED = "no such file or directory"  # how restic ends its word about such a file
_GOING = 0.01  # the share of a tree whose vanishing during a backup is worth a look
_NAMED = 10  # entries named in a finding; the manifest has them all


def observe(member: FilesMember) -> None:
    """Whether the source is there. Raises `SourceFailed` when it is not a readable directory.

    Of a link restic keeps the link alone, whatever lies behind it.
    """
    path = member.path
    if not path.exists():
        raise SourceFailed("source.missing", path=path)
    if path.is_symlink():
        raise SourceFailed("source.link", path=path, target=path.resolve())
    if not path.is_dir():
        raise SourceFailed("source.no_directory", path=path)
    if not os.access(path, os.R_OK | os.X_OK):
        raise SourceFailed("tree.root_unreadable", path=path)


def capture(work: Work, name: str, member: FilesMember, parent: str) -> Captured:
    """Put the tree into a snapshot and describe it."""
    kit, journal, watch = work.kit, work.journal, Stopwatch()
    at = kit.clock()
    first, second, last = (work.scratch / f"{name}.{step}" for step in ("1st", "2nd", MANIFEST))
    with journal.phase("survey", name):
        known = kit.manifest(journal.run.backup_set, name)
        try:
            seen = _surveyed(first, member, known)
        except ValueError:  # a power cut may have cut it off: it saves reading, no more
            journal.find(Severity.NOTE, "manifest.unreadable", member=name)
            known.unlink()
            seen = _surveyed(first, member, known)
    with journal.phase("upload", name), beside(kit) as side:
        if seen.unhashed:
            side.start(lambda lane: manifests.write(second, _hashed(lane, member.path, first)))
        else:
            first.replace(second)
        summary = work.on(side.kit).store(
            replace(
                work.source(member.path, name, kind_mark(MemberKind.FILES)),
                parent=parent,
                exclude=[str(member.path / path) for path in member.exclude],
                total=seen.bytes,
            )
        )
    with journal.phase("survey", name):
        noted = _Noted()
        manifests.write(last, noted.count(_settled(member, second)))
    first.unlink(missing_ok=True)
    second.unlink()
    noted.tell(journal, name)
    _tell_unread(journal, name, summary)
    snapshot = MemberSnapshot(
        member=name,
        kind=MemberKind.FILES,
        snapshot=summary.snapshot,
        root=str(member.path),
        files=noted.files,
        bytes=noted.bytes,
        rows=0,
        added_bytes=summary.added_bytes,
        elapsed=watch.elapsed(),
    )
    return Captured(snapshot, at, last)


def _surveyed(survey: Path, member: FilesMember, known: Path) -> _Noted:
    """Write the first look down, and give what was counted."""
    noted = _Noted()
    manifests.write(survey, noted.count(_with_known_digests(member, known)))
    return noted


def _with_known_digests(member: FilesMember, previous: Path) -> Iterator[Entry]:
    """The tree as it is, with the digests of what has not changed since the last manifest."""
    before = manifests.read(previous) if previous.exists() else iter(())
    now = tree.walk(member.path, member.exclude)
    for old, new in manifest.merge(before, now, manifest.by_path, manifest.by_path):
        if new is None:
            continue
        known = old is not None and old.sha256 and old.fingerprint == new.fingerprint
        yield new._replace(sha256=old.sha256) if known and old is not None else new


def _hashed(kit: Kit, root: Path, survey: Path) -> Iterator[Entry]:
    """The survey with the digests that were missing."""
    top = os.fsencode(root) + b"/"
    for entry in manifests.read(survey):
        kit.go_on()
        if entry.kind != FILE or entry.sha256:
            yield entry
            continue
        try:
            yield entry._replace(sha256=tree.digest(top + entry.path))
        except FileNotFoundError:
            yield entry
        except OSError:
            yield entry._replace(state=UNREADABLE)


def _settled(member: FilesMember, survey: Path) -> Iterator[Entry]:
    """The survey compared with the tree after restic read it; what moved meanwhile is marked."""
    after = tree.walk(member.path, member.exclude)
    for seen, now in manifest.merge(
        manifests.read(survey), after, manifest.by_path, manifest.by_path
    ):
        if seen is None:
            assert now is not None  # noqa: S101  (merge gives one or both)
            yield now._replace(state=APPEARED)
        elif now is None:
            yield seen._replace(sha256="", state=VANISHED)
        elif seen.state or now.state:
            yield seen._replace(sha256="", state=UNREADABLE)
        elif _moved(seen, now):
            yield now._replace(sha256="", state=CHANGED)
        else:
            yield now._replace(sha256=seen.sha256)


def _moved(seen: Entry, now: Entry) -> bool:
    """Whether restic may have met either of the two. A directory's times say nothing of itself."""
    if DIRECTORY in {seen.kind, now.kind}:
        return (seen.mode, seen.uid, seen.gid, seen.xattrs) != (
            now.mode,
            now.uid,
            now.gid,
            now.xattrs,
        )
    return seen.fingerprint != now.fingerprint


class _Noted:
    """Counts entries while they pass, and keeps the names of those that moved."""

    def __init__(self) -> None:
        self._moved: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self.files = 0
        self.bytes = 0
        self.unhashed = 0  # files whose content is not known

    def count(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        for entry in entries:
            if entry.kind == FILE and entry.state in {"", CHANGED}:
                self.files += 1
                self.bytes += entry.size
                self.unhashed += not entry.sha256
            if entry.state:
                self._counts[entry.state] = self._counts.get(entry.state, 0) + 1
                names = self._moved.setdefault(entry.state, [])
                if len(names) < _NAMED:
                    names.append(entry.name)
            yield entry

    def tell(self, journal: Journal, member: str) -> None:
        """Name what moved."""
        for state, count in sorted(self._counts.items()):
            journal.find(
                self._severity(state, count),
                f"files.{state}",
                member=member,
                count=count,
                names=self._moved[state],
            )

    def _severity(self, state: str, count: int) -> Severity:
        """Unreadable is a fault. A living tree moves, but a hundredth of it does not go at once."""
        if state == UNREADABLE:
            return Severity.FAULT
        many = count > max(_NAMED, (self.files + count) * _GOING)
        return Severity.CHANGE if state == VANISHED and many else Severity.NOTE


def _tell_unread(journal: Journal, name: str, summary: BackupSummary) -> None:
    """What restic could not read: vanished files are named by the survey, the rest are faults."""
    unread = [text for text in summary.unread if not text.endswith(_VANISHED)]
    if unread:
        journal.find(
            Severity.FAULT,
            "files.unread",
            member=name,
            count=len(unread),
            names=unread[:_NAMED],
        )
    if summary.healed:
        journal.find(Severity.CHANGE, "repository.healed", member=name)
