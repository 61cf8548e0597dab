"""All of a log that can be had: what receivers of this machine have, and what repositories keep."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from opsd.errors import Cancelled, OpsdError, RepositoryDamaged
from opsd.model import Finding, Severity
from opsd.policy import wal as policy
from opsd.policy.parting import ENOUGH, difference
from opsd.tasks.keys import Keys
from opsd.tasks.wal.archive import Archive, open_archive
from opsd.tasks.wal.log import Log, heading_of
from opsd.wal import (
    PARTIAL,
    Covered,
    Holdings,
    Segment,
    is_history,
    switches,
    timeline_of_history,
)

DAMAGED = "recover.segment"  # what is said of a segment that is good nowhere
_AT_ONCE = 4  # segments fetched at the same time
# A line of a history file: a timeline, a position, and for people a reason. In the first two
# something that was no text.
_SPOILT = re.compile(r"^[ \t]*(?:\S+[ \t]+)?\S*\ufffd", re.MULTILINE)


@dataclass(slots=True)
class Stock:
    """Where each segment is to be had, the best place first."""

    log: Log
    system: str
    size: int
    held: Holdings = field(default_factory=Holdings)
    findings: list[Finding] = field(default_factory=list)
    _places: dict[Segment, list[tuple[Covered, Path | Archive]]] = field(default_factory=dict)
    _histories: dict[str, str] = field(default_factory=dict)

    def fetch(
        self, segments: Sequence[Segment], target: Path, go_on: Callable[[], None] = lambda: None
    ) -> int:
        """Write these segments, and every history, into a directory; gives how many bytes.

        `go_on` is asked before each, and raises when it is not to go on. Raises
        `RepositoryDamaged` when one is nowhere what it should be.
        """
        for name, content in self._histories.items():
            (target / name).write_text(content, encoding="utf-8")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return sum(pool.map(lambda one: self._fetch(one, target, go_on), segments))

    def _fetch(self, segment: Segment, target: Path, go_on: Callable[[], None]) -> int:
        """Write one, from where it leads on the farthest; a whole good one is taken at once."""
        go_on()
        wrong: list[str] = []
        best: tuple[int, bytes] | None = None
        path = target / segment.name(self.size)
        for covered, place in self._places.get(segment, ()):
            try:
                content = _read(segment, place, self.size)
                misfit = policy.misfit(content[: covered.bytes], segment, self.system)
                if not misfit:
                    path.write_bytes(content.ljust(self.size, b"\0"))
                    misfit = self._unreadable(covered, place, path)
                if misfit:
                    wrong.append(f"{place}: {misfit}" if isinstance(place, Path) else misfit)
                    continue
                if covered.whole:
                    return len(content)
                reach = self._reach(segment, covered, path)
            except Cancelled:
                raise
            except (OpsdError, OSError) as error:
                wrong.append(str(error))
                continue
            if best is None or reach > best[0]:
                best = reach, content
            if covered.bytes < self.size and reach == segment.start(self.size) + covered.bytes:
                break  # the others have no more
        if best is None:
            path.unlink(missing_ok=True)
            raise RepositoryDamaged(DAMAGED, name=path.name, detail="\n".join(wrong))
        path.write_bytes(best[1].ljust(self.size, b"\0"))
        return len(best[1])

    def _reach(self, segment: Segment, covered: Covered, path: Path) -> int:
        """How far the records of a segment under way can be read.

        That is to its end where nothing is wrong. Where something else is behind the last one
        that can be read, to where that begins: it may be damaged, and a busy server's most often
        ends within a record. Where nobody can tell, to nowhere.
        """
        head = heading_of(path)
        try:
            found = self.log.programs(head.major if head else None).stops(path)
        except Cancelled:
            raise
        except OpsdError:
            return 0
        end = segment.start(self.size) + covered.bytes
        if found is None or (found.end is not None and found.end >= end):
            return end
        return found.last

    def _unreadable(self, covered: Covered, place: Path | Archive, path: Path) -> str:
        """What is wrong with the records of a segment that came from a receiver.

        What a repository has whole was looked at before it was sealed.
        """
        if isinstance(place, Archive) or not covered.whole:
            return ""
        head = heading_of(path)
        return self.log.programs(head.major if head else None).readable(path)

    def add(self, held: Holdings, place: Path | Archive) -> None:
        """Take in what lies at a place."""
        for segment, covered in held.segments.items():
            self._places.setdefault(segment, []).append((covered, place))
            self._places[segment].sort(key=lambda one: -one[0].bytes)
        best = {segment: found[0][0] for segment, found in self._places.items()}
        left = {t: min(a, held.left.get(t, a)) for t, a in {**held.left, **self.held.left}.items()}
        self.held = Holdings(best, {**self.held.switches, **held.switches}, left)

    def know(self, name: str, content: str) -> None:
        """Take in a history file; a damaged one takes no good one's place."""
        if is_history(name, content):
            self._histories[name] = content


def stock(
    log: Log,
    system: str,
    size: int,
    keys: Mapping[str, Keys],
    here: Iterable[Path] | None = None,
) -> Stock:
    """What can be had of a server's log: what repositories have, and what lies `here`.

    That is what the receivers of this machine have, unless it is told otherwise.
    `keys` are those of the repositories that are asked. One that does not answer, or cannot be
    read, is told, and the others are enough if they are.
    """
    found = Stock(log, system, size)
    kept: list[tuple[Holdings, Archive]] = []
    for repository, own in keys.items():
        try:
            log.kit.reach(repository)
            own.insist()
            archive = open_archive(log, repository, system, size, own)
            kept.append((archive.holdings(), archive))
            for name, content in archive.histories():
                found.know(name, content)
        except OpsdError as error:
            found.findings.append(error.finding(Severity.CHANGE))
        except OSError as error:  # of a local one
            fields = {"path": error.filename or repository}
            told = Finding(Severity.CHANGE, "repository.unreadable", fields, str(error))
            found.findings.append(told)
    for directory in log.directories.values() if here is None else here:
        if all(is_one(directory, *one, size) for one in kept):
            _add_directory(found, directory)
        else:
            lost = any(_end_of(directory, system, size) > _end(held, size) for held, _ in kept)
            severity = Severity.FAULT if lost else Severity.CHANGE
            told = Finding(severity, "recover.two_histories", {"directory": directory})
            found.findings.append(told)
    for held, archive in kept:
        found.add(held, archive)
    return found


def is_one(directory: Path, held: Holdings, archive: Archive, size: int) -> bool:
    """Whether a receiver and a repository have the same of the newest segment that both have.

    They have not where the server went back without a new timeline: one of them has what it left.
    """
    for segment in sorted(held.segments, reverse=True):
        try:
            mine = _read(segment, directory, size)
            begin, content = archive.end_of(segment, ENOUGH, segment.start(size) + size)
        except (OSError, RepositoryDamaged):  # told where it is needed
            continue
        at = begin - segment.start(size)
        written = mine[at : policy.filled(mine, 0)]
        return difference(written, content[: len(written)]) is None
    return True


def _end_of(directory: Path, system: str, size: int) -> int:
    return _end(Holdings(dict(_received(directory, system, size)), {}), size)


def _end(held: Holdings, size: int) -> int:
    """Where the newest segment that there is anything of ends; 0 where there is none."""
    newest = max(held.segments, default=None)
    return newest.start(size) + held.segments[newest].bytes if newest is not None else 0


def _add_directory(found: Stock, directory: Path) -> None:
    histories = {}
    for path in directory.glob("*.history") if directory.exists() else ():
        timeline = timeline_of_history(path.name)
        if timeline is not None:
            histories[timeline] = history_in(path)
            found.know(path.name, histories[timeline])
    segments = dict(_received(directory, found.system, found.size))
    found.add(Holdings(segments, switches(histories)), directory)


def history_in(path: Path) -> str:
    """A received history file; empty, which `is_history` refuses, where it is damaged.

    The reason may name a point in whatever encoding a database has.
    """
    content = path.read_text(encoding="utf-8", errors="replace")
    return "" if _SPOILT.search(content) else content


def _received(directory: Path, system: str, size: int) -> Iterator[tuple[Segment, Covered]]:
    for path in directory.iterdir() if directory.exists() else ():
        segment = Segment.of(path.name.removesuffix(PARTIAL), size)
        if segment is None:
            continue
        head = heading_of(path)
        if head is None or head.system != system:
            continue
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if path.name.endswith(PARTIAL):
            yield segment, Covered(policy.filled(path.read_bytes(), 0), at)
        else:
            yield segment, Covered(size, at, whole=True)


def _read(segment: Segment, place: Path | Archive, size: int) -> bytes:
    if isinstance(place, Archive):
        return place.read(segment)
    name = segment.name(size)
    path = place / name
    return (path if path.exists() else place / f"{name}{PARTIAL}").read_bytes()
