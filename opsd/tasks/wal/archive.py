"""The log in a repository: sealed objects beside restic's own (docs/adr/0019-wal-objects.md).

opsd/wal/key.json                                  the keys, under the repository's password
opsd/wal/SET/MEMBER/SYSTEM/SEGMENT                  a whole segment, checked
opsd/wal/SET/MEMBER/SYSTEM/SEGMENT.BEGIN-END        bytes of one that is still being written
opsd/wal/SET/MEMBER/SYSTEM/TIMELINE.history         where a timeline left its parent
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from opsd.drivers import seal
from opsd.drivers.seal import Seal
from opsd.drivers.storage import OwnObject, Storage
from opsd.errors import ConfigError, RepositoryMissing
from opsd.tasks.kit import Kit
from opsd.tasks.wal.log import Log
from opsd.wal import Covered, Holdings, Segment, switches, timeline_of_history

KEY = "wal/key.json"
_SETTLING = 2  # seconds: longer than it takes to make keys and write them
_PIECE = re.compile(r"([0-9A-F]{24})\.([0-9a-f]{8})-([0-9a-f]{8})")


@dataclass(slots=True)
class Keys:
    """The keys of a repository. A password opens them in 0.3 s: when they are first needed."""

    _open: Callable[[], Seal]
    _seal: Seal | None = None
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seal(self) -> Seal:
        """What seals and opens objects. Raises `WrongPassword`, `RepositoryDamaged`."""
        with self._one_at_a_time:
            if self._seal is None:
                self._seal = self._open()
            return self._seal

    def insist(self) -> None:
        """Raise what keeps them from being opened."""
        _ = self.seal


@dataclass(slots=True)
class Archive:
    """One member's log in one repository. `size` is that of a segment."""

    storage: Storage
    keys: Keys
    root: str
    size: int
    _histories: dict[int, str] = field(default_factory=dict)
    _pieces: dict[Segment, list[tuple[int, int]]] = field(default_factory=dict)

    def holdings(self) -> Holdings:
        """What lies there, by its names; history files are read once."""
        whole: dict[Segment, datetime] = {}
        pieces: dict[Segment, list[tuple[int, int, datetime]]] = {}
        for found in self.storage.own(self.root):
            name = found.name.rpartition("/")[2]
            if segment := Segment.of(name, self.size):
                whole[segment] = found.at
            elif piece := _piece(found, self.size):
                pieces.setdefault(piece[0], []).append(piece[1:])
            elif (timeline := timeline_of_history(name)) and timeline not in self._histories:
                self._histories[timeline] = self._open(name).decode()
        self._pieces = {s: [(b, e) for b, e, _ in found] for s, found in pieces.items()}
        segments = {s: _joined(found) for s, found in pieces.items()}
        segments |= {s: Covered(self.size, at, whole=True) for s, at in whole.items()}
        return Holdings(segments, switches(self._histories))

    def keep_piece(self, segment: Segment, begin: int, content: bytes) -> None:
        """Keep bytes of a segment that is still being written."""
        end = begin + len(content)
        name = f"{segment.name(self.size)}.{begin:08x}-{end:08x}"
        self._close(name, content)
        self._pieces.setdefault(segment, []).append((begin, end))

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

    def histories(self) -> Iterator[tuple[str, str]]:
        """The history files, as `holdings` found them."""
        for timeline, content in self._histories.items():
            yield f"{timeline:08X}.history", content

    def read(self, segment: Segment) -> bytes:
        """A segment, its unwritten end as zeros.

        Raises `RepositoryDamaged`, and `FileNotFoundError` where there is nothing of it.
        """
        with suppress(FileNotFoundError):
            return self._open(segment.name(self.size))
        content = bytearray(self.size)
        pieces = sorted(self._pieces.get(segment, ()))
        if not pieces:
            raise FileNotFoundError(segment.name(self.size))
        for begin, end in pieces:
            content[begin:end] = self._open(f"{segment.name(self.size)}.{begin:08x}-{end:08x}")
        return bytes(content)

    def drop(self, segments: Iterable[Segment]) -> None:
        """Remove segments that nothing needs any more."""
        for segment in segments:
            self.storage.remove(f"{self.root}/{segment.name(self.size)}")
            self._drop_pieces(segment)

    def _drop_pieces(self, segment: Segment) -> None:
        for begin, end in self._pieces.pop(segment, ()):
            self.storage.remove(f"{self.root}/{segment.name(self.size)}.{begin:08x}-{end:08x}")

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
    storage = _storage(log, repository)
    root = f"wal/{log.backup_set}/{log.name}/{system}"
    return Archive(storage, keys or open_keys(log, repository), root, size)


def open_keys(log: Log, repository: str) -> Keys:
    """The keys of a repository; they are made when there are none yet."""
    return Keys(lambda: keys_of(log.kit, repository, _storage(log, repository)))


@contextmanager
def opening(log: Log, only: str = "") -> Iterator[Mapping[str, Keys]]:
    """The keys of each repository of a log, or of one; they are opened beside the block.

    What keeps one from being opened is raised where it is used.
    """
    keys = {name: open_keys(log, name) for name in log.repositories if only in {"", name}}
    with ThreadPoolExecutor() as pool:
        for one in keys.values():
            pool.submit(one.insist)
        yield keys


def _storage(log: Log, repository: str) -> Storage:
    storage = log.kit.storage(repository)
    if storage is None:
        raise ConfigError("wal.no_storage", repository=repository)
    return storage


def keys_of(kit: Kit, repository: str, storage: Storage) -> Seal:
    """The keys of a repository. A second copy in the state brings them back when they are lost.

    Another opsd, or another thread of this one, may make them at the same time: whose came first
    are the keys. A storage that keeps no two apart is looked at once more, a moment later.
    """
    password = kit.config.repositories[repository].password.path()
    second = kit.config.state / "wal" / f"{repository}.key.json"
    try:
        kept = storage.get(KEY)
    except FileNotFoundError:
        made = second.read_bytes() if second.exists() else seal.new(password)[1]
        with suppress(FileExistsError):
            storage.put_new(KEY, made)
        time.sleep(_SETTLING)
        kept = storage.get(KEY)
    keys = seal.unwrap(kept, password)
    if not second.exists() or second.read_bytes() != kept:
        second.parent.mkdir(parents=True, exist_ok=True)
        second.touch(mode=0o600)
        second.write_bytes(kept)
    return keys


def rekey(log: Log, repository: str, old: Path) -> None:
    """Put the keys under the password that the configuration names, from under an older one.

    Raises `WrongPassword` when that does not open them, `RepositoryMissing` where there are none.
    """
    storage = _storage(log, repository)
    try:
        keys = seal.unwrap(storage.get(KEY), old)
    except FileNotFoundError as none:
        raise RepositoryMissing("wal.no_keys", repository=repository) from none
    storage.put(KEY, seal.wrap(keys, log.kit.config.repositories[repository].password.path()))


def _piece(found: OwnObject, size: int) -> tuple[Segment, int, int, datetime] | None:
    match = _PIECE.fullmatch(found.name.rpartition("/")[2])
    segment = Segment.of(match[1], size) if match else None
    return (segment, int(match[2], 16), int(match[3], 16), found.at) if match and segment else None


def _joined(pieces: list[tuple[int, int, datetime]]) -> Covered:
    """How far pieces cover a segment from its beginning without a hole."""
    reach = 0
    for begin, end, _ in sorted(pieces):
        if begin > reach:
            break
        reach = max(reach, end)
    return Covered(reach, max(at for _, _, at in pieces))
