"""A base copy taken: what the server sends goes straight into packs of every repository.

It needs no room on this machine, but where it shall lie at hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO

from opsd.drivers.postgres.arriving import Arriving, arriving
from opsd.drivers.postgres.replication import visiting
from opsd.drivers.postgres.stream import Source
from opsd.errors import DatabaseFailed, RepositoryDamaged, ToolFailed
from opsd.extents import ExtentMap
from opsd.model import Finding, Severity
from opsd.tasks.journal import Journal
from opsd.tasks.moving import Moving
from opsd.tasks.wal import changes
from opsd.tasks.wal.at_hand import Beside
from opsd.tasks.wal.copies import Everywhere
from opsd.tasks.wal.layout import LABEL, MANIFEST, PLACES, place_of
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.packs import Arrived, Packer, Packing
from opsd.wal import Base, position

_OF_ALL, _OF_MANIFEST = 0o700, 0o600  # modes
_MOST_OF_LABEL = 1 << 20  # bytes: it has some lines


@dataclass(frozen=True, slots=True)
class Before:
    """The copy that the next one shares with, what it consists of, and its manifest.

    By that the server tells what changed; None where it cannot.
    """

    base: Base
    files: ExtentMap
    manifest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A copy that was stored, what it consists of, and where it lies on this machine besides."""

    base: Base
    files: ExtentMap
    beside: Beside | None


@contextmanager
def taken(
    journal: Journal, log: Log, before: Before | None, everywhere: Everywhere
) -> Iterator[Taken]:
    """What changed since the copy before, where the server can tell it; else everything.

    It is stored wherever nothing failed; what nobody took from beside it goes when the block is
    left. Raises `DatabaseFailed` and others.
    """
    kit, copy = journal.kit, journal.run.id
    with visiting(log.database) as server:
        ground, size = server.ground(log.wal.role, log.commit), 0
        with suppress(DatabaseFailed):  # of very many files it may take too long
            size = server.bytes
    if ground.settings["data_checksums"] == "off":
        journal.find(Severity.NOTE, "wal.no_checksums", name=log.subject)
    moving = Moving(kit, size, kit.backup_set(log.backup_set).timeout)
    with ExitStack() as stack:

        def come(packer: Packer, before: Before | None) -> tuple[_Intake, bytes]:
            onto = before.manifest if before else None
            beside = None
            if log.wal.cache_bases:
                beside = Beside(log, copy, 0 if onto else size, whole=onto is None)
                stack.callback(beside.drop)
            intake = _Intake(Packing(packer, before.files if before else None), beside)
            with arriving(Source(log.connection(), log.passfile), partial(moving, 0), onto) as it:
                return intake, intake.take(it, before.base if before and onto else None)

        with everywhere.settling(copy):
            with Packer(copy, everywhere.keep_pack, moving) as packer:
                try:
                    intake, manifest = come(packer, before)
                except (DatabaseFailed, ToolFailed, RepositoryDamaged) as error:
                    if before is None or before.manifest is None or kit.stop.requested:
                        raise
                    told = Finding(Severity.CHANGE, "base.whole_instead", detail=str(error))
                    journal.findings.append(told)
                    intake, manifest = come(packer, replace(before, manifest=None))
            with visiting(log.database) as server:
                seen = server.seen(log.commit)
            files, (start, stop, timeline) = intake.packing.found, _spans(manifest)
            base = Base(
                id=copy,
                repository=journal.run.repository,
                system=seen.system,
                version=seen.version,
                timeline=timeline,
                start=start,
                stop=stop,
                until=seen.at,
                superuser=ground.first,
                bytes=files.size,
                segment_bytes=seen.segment_bytes,
                parent=before.base.id if before else "",
                whole=before.base.whole if before else seen.at,
                read=sum(files.reach.values()),
            )
            everywhere.keep(base, files)
        yield Taken(base, files, intake.beside)


@dataclass(frozen=True, slots=True)
class _Intake:
    """What comes is put into packs, and lies beside where that is wanted."""

    packing: Packing
    beside: Beside | None

    def take(self, coming: Arriving, parent: Base | None) -> bytes:
        """Take in all that comes; gives the server's manifest.

        Made onto a parent, its label and its manifest become those of a whole copy.
        """
        label = b""
        self._directory(PLACES, _OF_ALL)
        for entry in coming:
            name = place_of(entry.path)
            if entry.size is None:
                self._directory(name, entry.mode)
            elif entry.path == LABEL and parent is not None:
                content = bytearray(min(entry.size, _MOST_OF_LABEL))
                coming.fill(memoryview(content))
                label = changes.settled_label(bytes(content), parent)
                self._content(name, entry.mode, label)
            else:
                self._file(Arrived(name, entry.mode, entry.size, coming.fill))
        told = coming.manifest
        if parent is not None:
            told = changes.settled_manifest(told, label, self.packing.found.files)
        self._content(place_of(MANIFEST), _OF_MANIFEST, told)
        return told

    def _directory(self, name: str, mode: int) -> None:
        self.packing.directory(name, mode)
        if self.beside is not None:
            self.beside.directory(name)

    def _content(self, name: str, mode: int, content: bytes) -> None:
        self._file(Arrived(name, mode, len(content), BytesIO(content).readinto))

    def _file(self, arrived: Arrived) -> None:
        if self.beside is not None:
            self.beside.file(arrived, self.packing.file)
        else:
            self.packing.file(arrived)


def _spans(manifest: bytes) -> tuple[int, int, int]:
    """From where to where the log must be replayed for the copy to be consistent."""
    try:
        (span,) = json.loads(manifest)["WAL-Ranges"]  # more: it went on to another timeline
        return position(span["Start-LSN"]), position(span["End-LSN"]), int(span["Timeline"])
    except (ValueError, KeyError, TypeError) as error:
        raise DatabaseFailed("base.no_manifest", detail=str(error)) from error
