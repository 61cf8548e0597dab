"""The log in a repository: sealed objects beside restic's own, as the log of PostgreSQL.

opsd-objects/binlog/SET/MEMBER/SERVER/FILE.BEGIN-END      bytes of a file, in whole events
opsd-objects/binlog/SET/MEMBER/SERVER/FILE.BEGIN-END.end  its last ones: the file is closed
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from opsd.binlog import Kept, LogFile
from opsd.drivers.storage import Storage
from opsd.tasks.binlog.stream import PIECE_BYTES, Stream
from opsd.tasks.keys import Keys, storage_of

_PIECE = re.compile(r"(.+\.\d{6,10})\.([0-9a-f]{10})-([0-9a-f]{10})(\.end)?")
Span = tuple[int, int]


@dataclass(slots=True)
class Shelf:
    """One server's log in one repository."""

    storage: Storage
    keys: Keys
    root: str
    _pieces: dict[LogFile, dict[str, Span]] = field(default_factory=dict)

    def holdings(self) -> dict[LogFile, Kept]:
        """What lies there, by its names, from the beginning of each file without a hole."""
        self._pieces = {}
        last: dict[LogFile, datetime] = {}
        ends: dict[LogFile, int] = {}
        for found in self.storage.own(self.root):
            name = found.name.rpartition("/")[2]
            piece = _PIECE.fullmatch(name)
            file = LogFile.of(piece[1]) if piece else None
            if piece is None or file is None:
                continue
            span = int(piece[2], 16), int(piece[3], 16)
            self._pieces.setdefault(file, {})[name] = span
            last[file] = max(found.at, last.get(file, found.at))
            if piece[4]:
                ends[file] = span[1]
        return {
            file: Kept(
                reach := _reach(spans.values()),
                last[file],
                closed=reach == ends.get(file),
                holed=reach < max(end for _, end in spans.values()),
            )
            for file, spans in self._pieces.items()
        }

    def keep(self, file: LogFile, begin: int, content: bytes) -> None:
        """Keep bytes of a file that is still being written."""
        self._put(file, (begin, begin + len(content)), content)

    def settle(self, file: LogFile, path: Path, size: int) -> None:
        """Keep a closed file in large pieces, its end marked; the small ones go."""
        small = dict(self._pieces.pop(file, {}))
        with path.open("rb") as stream:
            for begin in range(0, size, PIECE_BYTES):
                end = min(begin + PIECE_BYTES, size)
                self._put(file, (begin, end), stream.read(end - begin), last=end == size)
        for name in small.keys() - self._pieces[file].keys():
            self.storage.remove(f"{self.root}/{name}")

    def fetch(self, file: LogFile, target: Path) -> int:
        """Write a file, as far as it is there; gives its bytes. Raises `RepositoryDamaged`."""
        reach = 0
        with target.open("wb") as sink:
            pieces = self._pieces.get(file, {}).items()
            for name, (begin, end) in sorted(pieces, key=lambda piece: piece[1]):
                if begin > reach:
                    break
                path = f"{self.root}/{name}"
                content = self.keys.seal.open(path, self.storage.get(path))
                sink.write(content[reach - begin :] if end > reach else b"")
                reach = max(reach, end)
        return reach

    def drop(self, file: LogFile) -> None:
        """Remove a file that nothing needs any more."""
        for name in self._pieces.pop(file, {}):
            self.storage.remove(f"{self.root}/{name}")

    def _put(self, file: LogFile, span: Span, content: bytes, *, last: bool = False) -> None:
        name = f"{file.name}.{span[0]:010x}-{span[1]:010x}{'.end' if last else ''}"
        path = f"{self.root}/{name}"
        self.storage.put(path, self.keys.seal.close(path, content))
        self._pieces.setdefault(file, {})[name] = span


def open_shelf(stream: Stream, repository: str, server: str) -> Shelf:
    """The log of a server in a repository."""
    plain = re.sub(r"[^A-Za-z0-9]", "-", server)  # base64, which has slashes
    root = f"binlog/{stream.backup_set}/{stream.name}/{plain}"
    return Shelf(storage_of(stream.kit, repository), Keys(stream.kit, repository), root)


def _reach(pieces: Iterable[Span]) -> int:
    """How far pieces cover a file from its beginning without a hole."""
    reach = 0
    for begin, end in sorted(pieces):
        if begin > reach:
            break
        reach = max(reach, end)
    return reach
