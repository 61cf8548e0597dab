"""The log in a repository: sealed objects beside restic's own (docs/adr/0019-wal-objects.md).

opsd/wal/key.json                                  the keys, under the repository's password
opsd/wal/SET/MEMBER/SYSTEM/SEGMENT                  a whole segment, checked
opsd/wal/SET/MEMBER/SYSTEM/SEGMENT.BEGIN-END        bytes of one that is still being written
opsd/wal/SET/MEMBER/SYSTEM/TIMELINE.history         where a timeline left its parent
opsd/wal/SET/MEMBER/SYSTEM/left-TIMELINE-POSITION/SEGMENT   what the server wrote again from there
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from opsd.drivers import seal
from opsd.drivers.storage import OwnObject, Storage
from opsd.errors import RepositoryDamaged, StorageFailed
from opsd.tasks.keys import Keys, storage_of
from opsd.tasks.wal.log import Log
from opsd.wal import Covered, Holdings, Segment, switches, timeline_of_history

log = logging.getLogger(__name__)

_LOOKED_INTO = 16 << 20  # bytes in one listing, which is 0.1 s of a core, but one object at least
_SMALL = 1 << 20  # bytes of a piece
_MOST_SMALL = 64  # pieces: five minutes of a server that does nothing
_LEFT = re.compile(r"left-([0-9A-F]{8})-([0-9A-F]{16})")
_PIECE = re.compile(r"([0-9A-F]{24})\.([0-9a-f]{8})-([0-9a-f]{8})")


@dataclass(slots=True)
class Archive:
    """One member's log in one repository. `size` is that of a segment."""

    storage: Storage
    keys: Keys
    root: str
    size: int
    _histories: dict[int, str] = field(default_factory=dict)
    _pieces: dict[Segment, list[tuple[int, int]]] = field(default_factory=dict)
    _seen: dict[str, OwnObject] | None = None  # when it was last listed
    _broken: dict[str, OwnObject] = field(default_factory=dict)
    _joins: bool = True  # until a repository takes nothing away

    def again(self) -> Archive:
        """The same, for somebody else who reads whole segments meanwhile."""
        return Archive(self.storage, self.keys, self.root, self.size)

    def holdings(self) -> Holdings:
        """What lies there, by its names; history files are read once, and forgotten when gone.

        An empty object, as a lost power may leave it, is none; so is one that is found damaged.
        """
        listed = {one.name: one for one in self.storage.own(self.root) if one.size > seal.ADDED}
        self._look_into(listed)
        histories: dict[int, str] = {}
        whole: dict[Segment, datetime] = {}
        pieces: dict[Segment, list[tuple[int, int, datetime]]] = {}
        left: dict[int, int] = {}
        for found in listed.values():
            if self._broken.get(found.name) == found:
                continue
            aside, _, name = found.name.removeprefix(f"{self.root}/").rpartition("/")
            if aside:
                left |= _earlier(left, aside)
            elif segment := Segment.of(name, self.size):
                whole[segment] = found.at
            elif piece := _piece(found, self.size):
                pieces.setdefault(piece[0], []).append(piece[1:])
            elif timeline := timeline_of_history(name):
                known = self._histories.get(timeline)
                histories[timeline] = self._open(name).decode() if known is None else known
        self._histories = histories
        self._pieces = {s: [(b, e) for b, e, _ in found] for s, found in pieces.items()}
        segments = {s: _joined(found) for s, found in pieces.items()}
        segments |= {s: Covered(self.size, at, whole=True) for s, at in whole.items()}
        return Holdings(segments, self.switches(), left)

    def _look_into(self, listed: Mapping[str, OwnObject]) -> None:
        """Open what is another object than when it was last listed, and pieces that are new."""
        before, room = self._seen, _LOOKED_INTO
        self._seen = dict(listed)
        if before is None:
            return
        for name, one in listed.items():
            was = before.get(name)
            if was == one or not (was or _piece(one, self.size)):
                continue
            if room > 0:
                room -= one.size
                self._look_at(one)
            elif was:  # the next time
                self._seen[name] = was
            else:
                del self._seen[name]

    def _look_at(self, found: OwnObject) -> None:
        self._broken.pop(found.name, None)
        try:
            self.keys.seal.open(found.name, self.storage.get(found.name))
        except FileNotFoundError:  # a piece, when its segment was finished meanwhile
            pass
        except (RepositoryDamaged, OSError) as error:
            log.error("%s: %s", self.keys.repository, error)  # noqa: TRY400
            self._broken[found.name] = found

    def keep_piece(self, segment: Segment, begin: int, content: bytes) -> None:
        """Keep a segment that is still being written; its content is new from `begin` on.

        Where small pieces have become many, one takes their place: each is listed, and fetched.
        """
        pieces = self._pieces.setdefault(segment, [])
        small = [(first, end) for first, end in pieces if end - first < _SMALL]
        going = small if len(small) >= _MOST_SMALL and self._joins else []
        begin = min([begin, *(first for first, _ in going)])
        self._close(self._name(segment, begin, len(content)), content[begin:])
        self._pieces[segment] = [*(set(pieces) - set(going)), (begin, len(content))]
        self._remove(segment, going)

    def keep_whole(self, segment: Segment, content: bytes) -> None:
        """Keep a finished segment; its pieces go."""
        self._close(segment.name(self.size), content)
        self._drop_pieces(segment)

    def keep_history(self, name: str, content: str) -> None:
        """Keep where a timeline left its parent."""
        timeline = timeline_of_history(name)
        if timeline is not None and self._histories.get(timeline) != content:
            self._close(name, content.encode())
            self._histories[timeline] = content

    def switches(self) -> dict[int, tuple[int, int]]:
        """Where timelines left their parents, with what was kept since `holdings` looked."""
        return switches(self._histories)

    def histories(self) -> Iterator[tuple[str, str]]:
        """The history files, as `holdings` found them."""
        for timeline, content in self._histories.items():
            yield f"{timeline:08X}.history", content

    def read(self, segment: Segment) -> bytes:
        """A segment, its unwritten end as zeros.

        Raises `RepositoryDamaged`, and `FileNotFoundError` where there is nothing of it.
        """
        try:
            return self._read(segment)
        except FileNotFoundError:  # it was finished, or its pieces became one, since it was listed
            self.holdings()
            return self._read(segment)

    def _read(self, segment: Segment) -> bytes:
        with suppress(FileNotFoundError):
            return self._open(segment.name(self.size))
        content = bytearray(self.size)
        pieces = sorted(self._pieces.get(segment, ()))
        if not pieces:
            raise FileNotFoundError(segment.name(self.size))
        good, broken = [], None
        for begin, end in pieces:
            try:
                content[begin:end] = self._piece(segment, begin, end)
                good.append((begin, end))
            except RepositoryDamaged as error:  # it may have been kept again since
                broken = error
        if broken and _reach(good) < _reach(pieces):
            raise broken
        return bytes(content)

    def end_of(self, segment: Segment, most: int, until: int) -> tuple[int, bytes]:
        """The end of what there is of a segment before a position, and where that begins.

        Of one that is still being written only the last pieces are read, some bytes at least.
        """
        start = segment.start(self.size)
        pieces = self._pieces.get(segment)
        if not pieces:
            return start, self.read(segment)[: until - start]
        reach = min(_reach(pieces), until - start)
        wanted = [(b, e) for b, e in pieces if b < reach and e > reach - most]
        begin = min((b for b, _ in wanted), default=reach)
        content = bytearray(max((e for _, e in wanted), default=reach) - begin)
        try:
            for first, last in sorted(wanted):
                content[first - begin : last - begin] = self._piece(segment, first, last)
        except FileNotFoundError:
            return start, self.read(segment)[: until - start]
        return start + begin, bytes(content[: reach - begin])

    def leave(self, timeline: int, position: int, until: int) -> None:
        """Set aside what the server wrote again, from a position until it left the timeline."""
        aside = f"left-{timeline:08X}-{position:016X}"
        names = {s for s in self.holdings().segments if s.timeline == timeline}
        first, last = position // self.size, until // self.size
        going = sorted(s for s in names if first <= s.number <= last)
        for segment in going:
            with suppress(RepositoryDamaged):  # what nobody can open is of no use there either
                self._close(f"{aside}/{segment.name(self.size)}", self.read(segment))
        self.drop(going)

    def drop(self, segments: Iterable[Segment]) -> None:
        """Remove segments that nothing needs any more."""
        for segment in segments:
            self.storage.remove(f"{self.root}/{segment.name(self.size)}")
            self._drop_pieces(segment)

    def _drop_pieces(self, segment: Segment) -> None:
        self._remove(segment, self._pieces.pop(segment, ()))

    def _remove(self, segment: Segment, pieces: Iterable[tuple[int, int]]) -> None:
        """Remove pieces that something takes the place of; a key may not be allowed to."""
        try:
            for begin, end in pieces:
                self.storage.remove(f"{self.root}/{self._name(segment, begin, end)}")
        except StorageFailed as error:
            if self._joins:
                log.warning("%s: pieces stay where they are: %s", self.keys.repository, error)
            self._joins = False

    def _piece(self, segment: Segment, begin: int, end: int) -> bytes:
        return self._open(self._name(segment, begin, end))

    def _name(self, segment: Segment, begin: int, end: int) -> str:
        return f"{segment.name(self.size)}.{begin:08x}-{end:08x}"

    def _close(self, name: str, content: bytes) -> None:
        path = f"{self.root}/{name}"
        self.storage.put(path, self.keys.seal.close(path, content))

    def _open(self, name: str) -> bytes:
        path = f"{self.root}/{name}"
        return self.keys.seal.open(path, self.storage.get(path))


def open_archive(
    log: Log, repository: str, system: str, size: int, keys: Keys | None = None
) -> Archive:
    """The log of a server in a repository."""
    root = f"wal/{log.backup_set}/{log.name}/{system}"
    storage = storage_of(log.kit, repository)
    return Archive(storage, keys or Keys(log.kit, repository), root, size)


def _piece(found: OwnObject, size: int) -> tuple[Segment, int, int, datetime] | None:
    match = _PIECE.fullmatch(found.name.rpartition("/")[2])
    segment = Segment.of(match[1], size) if match else None
    return (segment, int(match[2], 16), int(match[3], 16), found.at) if match and segment else None


def _joined(pieces: list[tuple[int, int, datetime]]) -> Covered:
    """How far pieces cover a segment, and when the last was written."""
    reach = _reach([(begin, end) for begin, end, _ in pieces])
    return Covered(reach, max(at for _, _, at in pieces))


def _reach(pieces: Iterable[tuple[int, int]]) -> int:
    """How far pieces cover a segment from its beginning without a hole."""
    reach = 0
    for begin, end in sorted(pieces):
        if begin > reach:
            break
        reach = max(reach, end)
    return reach


def _earlier(left: Mapping[int, int], aside: str) -> dict[int, int]:
    """Where a timeline was left, as the name of what was set aside tells."""
    found = _LEFT.fullmatch(aside)
    if found is None:
        return {}
    timeline, at = int(found[1], 16), int(found[2], 16)
    return {timeline: min(at, left.get(timeline, at))}
