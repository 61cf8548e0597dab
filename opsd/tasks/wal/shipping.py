"""From the receivers of this machine into one repository.

Finished segments go whole and checked, the one that is being written piece by piece. What no
receiver has any more is kept when somebody found it elsewhere (opsd/tasks/wal/mending.py).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from opsd.clock import Stopwatch
from opsd.errors import OpsdError, RepositoryDamaged, quoted
from opsd.policy import wal as policy
from opsd.policy.worth import worth
from opsd.tasks.wal.archive import Archive, open_archive
from opsd.tasks.wal.bases import needs, needs_there
from opsd.tasks.wal.log import Log, heading_of
from opsd.tasks.wal.rereading import damage
from opsd.tasks.wal.stock import history_in
from opsd.wal import (
    PARTIAL,
    Covered,
    Gap,
    Holdings,
    Need,
    Segment,
    is_history,
    timeline_of_history,
)

log = logging.getLogger(__name__)

_LISTED_FOR = timedelta(seconds=20)  # what was removed behind our back is seen within a minute
_ASKED_FOR = timedelta(minutes=5)
_MOST_AT_ONCE = 4  # segments in one turn: a long backlog is told while it is worked off


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a repository has of the log, and what is wrong with it.

    To `end` it can be recovered from the newest base copy; the gaps are those of any. Not `based`:
    no base copy of that server is known, and nothing can be recovered.
    """

    at: datetime | None = None  # when it was last looked at with success
    timeline: int = 0
    end: int = 0
    gaps: tuple[Gap, ...] = ()
    refused: tuple[str, ...] = ()  # files of receivers that are not what they should be
    error: str = ""
    system: str = ""  # of which server
    based: bool = True

    @property
    def recoverable(self) -> int:
        """To where it can be recovered; 0: to nowhere."""
        return self.end if self.based else 0


@dataclass(slots=True)
class Found:
    """A file of a receiver: of which segment, and whether it is finished."""

    path: Path
    finished: bool


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What another repository had of a segment, checked."""

    repository: str
    content: bytes


@dataclass(slots=True)
class Lack:
    """What a repository lacks and no receiver of this machine has, oldest first.

    Who finds some of it elsewhere puts it here.
    """

    segments: tuple[Segment, ...] = ()
    found: Mapping[Segment, Elsewhere] = field(default_factory=dict)


class Agreement(Protocol):
    """Who sees to it that two histories of one server are not mixed in a repository."""

    def agree(self, repository: str, archive: Archive) -> Holdings | None:
        """What lies there, where it was looked at for that; raises what keeps log from coming."""
        ...

    def still_agreed(self, repository: str) -> bool:
        """Whether what was agreed holds for what was read since."""
        ...


@dataclass(slots=True)
class Shipper:
    """Ships one member's log into one repository, turn by turn."""

    log: Log
    repository: str
    agreement: Agreement | None = None
    shipped: Shipped = field(default_factory=Shipped)
    held: Holdings = field(default_factory=Holdings)
    lack: Lack = field(default_factory=Lack)
    _archive: Archive | None = None
    _system: str = ""
    _listed: Stopwatch | None = None
    _needs: tuple[Need, ...] = ()  # as this machine knows
    _answer: tuple[tuple[Need, ...], tuple[Need, ...], Stopwatch | None] = ((), (), None)
    _refused: dict[Path, str] = field(default_factory=dict)

    def turn(self, flushed: Mapping[str, int], system: str = "") -> bool:
        """Bring what was received since the last turn; what goes wrong is told by `shipped`.

        `flushed` says how far each receiver told the server that it is safe. `system` is the
        server, where it is known; else what was received last says it. Whether there is more that
        can be brought at once.
        """
        try:
            return self._turn(flushed, system)
        except (OpsdError, OSError) as error:
            self._listed = None
            refused = tuple(self._refused.values())
            self.shipped = replace(self.shipped, refused=refused, error=quoted(error))
            return False

    def _turn(self, flushed: Mapping[str, int], system: str) -> bool:
        found = {n: list(_files(d)) for n, d in self.log.directories.items()}
        newest = sorted(_every(found), key=lambda file: file.path.name, reverse=True)
        head = next((h for h in map(_heading, newest) if h is not None), None)
        if head is None:
            return False
        archive = self._open(system or head.system, head.size)
        if self._listed is None or self._listed.elapsed() > _LISTED_FOR:
            self.held = self._sound(archive.holdings(), archive)
            # Asked afterwards: what no base copy needs goes only when that is on record.
            self._needs = needs(self.log, self.repository, self._system)
            self._listed = Stopwatch()
            self._refused.clear()  # looked at again
        elif not self._needs:  # the first base copy counts at once
            self._needs = needs(self.log, self.repository, self._system)
        if self.agreement and (there := self.agreement.agree(self.repository, archive)):
            self.held = self._sound(there, archive)
            self.lack = Lack()  # what is found for another one may be of what the server left
        for directory in self.log.directories.values():
            self._histories(archive, directory)
        whole = Covered(archive.size, self.log.kit.clock(), whole=True)
        wanted = self._wanted(found, archive.size)
        brought = [
            segment
            for segment, paths in wanted[:_MOST_AT_ONCE]
            if any(self._whole(archive, segment, path) for path in paths)
        ]
        segments = {**self.held.segments, **dict.fromkeys(brought, whole)}
        coming = {segment: whole for segment, _ in wanted[_MOST_AT_ONCE:]}
        if not coming:  # nothing would lead on to it
            for name, files in found.items():
                self._partial(archive, files, flushed.get(name, 0), segments)
        segments |= dict.fromkeys(self._mended(archive), whole)
        self.held = Holdings(segments, archive.switches(), self.held.left)
        self.shipped = self._judged(archive.size, coming)
        return bool(coming and brought)

    def _sound(self, found: Holdings, archive: Archive) -> Holdings:
        """Of what is there, what was not found damaged."""
        return policy.without(found, damage(self.log, self.repository, self._system, archive.size))

    def _open(self, system: str, size: int) -> Archive:
        if self._archive is None or self._system != system:
            archive = open_archive(self.log, self.repository, system, size)
            archive.keys.insist()
            self._archive, self._system, self._listed = archive, system, None
            self.lack = Lack()
        return self._archive

    def _judged(self, size: int, coming: Mapping[Segment, Covered]) -> Shipped:
        at, refused = self.log.kit.clock(), tuple(self._refused.values())
        based, found = self._needs, worth(self.held, self._needs, size, coming)
        if found.headless:
            based = self._asked()
            found = worth(self.held, based, size, coming)
        if found.missing != self.lack.segments:
            self.lack = Lack(found.missing)
        error = ""
        if found.unlinked:
            name = f"{found.unlinked:08X}.history"
            error = str(RepositoryDamaged("wal.no_history", name=name))
        whole = found.timeline, found.end, found.gaps
        return Shipped(at, *whole, refused, error, self._system, based=bool(based))

    def _asked(self) -> tuple[Need, ...]:
        """What base copies need, as the repository says: another machine may have dropped some."""
        told, there, ago = self._answer
        if ago is None or told != self._needs or ago.elapsed() > _ASKED_FOR:
            there = needs_there(self.log, self.repository, self._system)
            self._answer = (self._needs, there, Stopwatch())
        return there

    # --- what is brought

    def _wanted(
        self, found: Mapping[str, list[Found]], size: int
    ) -> list[tuple[Segment, list[Path]]]:
        """Finished segments that the repository does not have whole, oldest first."""
        wanted: dict[Segment, list[Path]] = {}
        for file in _every(found):
            segment = Segment.of(file.path.name, size)
            if file.path in self._refused or not file.finished or segment is None:
                continue
            if not is_whole(self.held, segment):
                wanted.setdefault(segment, []).append(file.path)
        return sorted(wanted.items(), key=lambda one: (one[0].number, one[0].timeline))

    def _whole(self, archive: Archive, segment: Segment, path: Path) -> bool:
        """Check a finished segment and keep it; whether it is kept."""
        if self.log.kit.stop.requested:
            return False
        content = path.read_bytes()
        if wrong := self.wrong(content, segment, path, archive.size):
            self._refused[path] = f"{path}: {wrong}"
            log.error("%s: %s is refused: %s", self.log.subject, path, wrong)
            return False
        if not self._agreed:
            return False
        archive.keep_whole(segment, content)
        self._refused.pop(path, None)
        return True

    def wrong(self, content: bytes, segment: Segment, path: Path, size: int) -> str:
        """What is wrong with a finished segment: each page in its place, each record readable."""
        if len(content) != size:
            return "short"
        if wrong := policy.misfit(content, segment, self._system):
            return wrong
        head = policy.heading(content)
        return self.log.programs(head.major if head else None).readable(path)

    def archive(self) -> Archive:
        """The log there, for somebody else who reads whole segments of it meanwhile."""
        assert self._archive is not None  # noqa: S101  (it told of what it has)
        return self._archive.again()

    def _mended(self, archive: Archive) -> list[Segment]:
        """Keep what was found elsewhere of what is lacking."""
        kept = []
        for segment, found in self.lack.found.items():
            if self.log.kit.stop.requested or not self._agreed:
                break
            archive.keep_whole(segment, found.content)
            log.warning(
                "%s: %s was missing or damaged in %s, and was brought there from %s",
                self.log.subject,
                segment.name(archive.size),
                self.repository,
                found.repository,
            )
            kept.append(segment)
        return kept

    def _partial(
        self,
        archive: Archive,
        files: list[Found],
        flushed: int,
        segments: dict[Segment, Covered],
    ) -> None:
        """Keep what is new of the segment that is being written, and of such as never were ended.

        The server was told of the last one alone that it is safe.
        """
        for file in files:
            segment = Segment.of(file.path.name.removesuffix(PARTIAL), archive.size)
            if file.finished or segment is None:
                continue
            before = segments.get(segment)
            have = before.bytes if before else 0
            known = flushed if file is files[-1] else 0
            try:
                seen = file.path.read_bytes()
                end = policy.filled(seen, known - segment.start(archive.size))
                if end <= have:
                    continue
                # Of what is just written a later page may be seen before an earlier one: what lay
                # before the end then is all there now.
                content = file.path.read_bytes()
            except FileNotFoundError:  # finished meanwhile: the next turn takes it whole
                continue
            if policy.misfit(content[:end], segment, self._system):
                continue
            if not self._agreed:
                return
            archive.keep_piece(segment, have, content[:end])
            segments[segment] = Covered(end, self.log.kit.clock())

    @property
    def _agreed(self) -> bool:
        """Whether what was just read is of the same history as what lies there."""
        return self.agreement is None or self.agreement.still_agreed(self.repository)

    def _histories(self, archive: Archive, directory: Path) -> None:
        if not directory.exists():
            return
        for path in directory.glob("*.history"):
            if timeline_of_history(path.name) in self.held.switches:
                continue
            content = history_in(path)
            if is_history(path.name, content):
                archive.keep_history(path.name, content)


def clear(found: Log, holdings: list[Holdings], system: str, size: int) -> None:
    """Remove from the receivers what every repository has, but for the newest that shall stay.

    What lies there of another server than `system` has the same names, and is in none of these.
    """
    everywhere = {
        segment
        for segment, covered in (holdings[0].segments.items() if holdings else ())
        if covered.whole and all(is_whole(one, segment) for one in holdings)
    }
    most = max(int(found.wal.keep) // size, 2)
    for directory in found.directories.values():
        files = {Segment.of(f.path.name, size): f for f in _files(directory) if f.finished}
        finished = [segment for segment in files if segment is not None]
        for segment in policy.keep_here(finished, everywhere, most):
            head = _heading(files[segment])
            if head is not None and head.system == system:
                files[segment].path.unlink(missing_ok=True)


def is_whole(held: Holdings, segment: Segment) -> bool:
    """Whether a segment lies there as one checked object."""
    covered = held.segments.get(segment)
    return covered is not None and covered.whole


def _files(directory: Path) -> Iterator[Found]:
    """The files of a receiver, oldest first."""
    names = sorted(path.name for path in directory.iterdir()) if directory.exists() else []
    for name in names:
        plain = name.removesuffix(PARTIAL)
        if Segment.of(plain) is not None:
            yield Found(directory / name, finished=plain == name)


def _every(found: Mapping[str, list[Found]]) -> Iterator[Found]:
    for files in found.values():
        yield from files


def _heading(file: Found) -> policy.Heading | None:
    try:
        return heading_of(file.path)
    except FileNotFoundError:
        return None
