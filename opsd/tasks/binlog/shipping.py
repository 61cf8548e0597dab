"""From where the log is received into one repository: closed files whole, the newest in pieces."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from opsd.binlog import Kept, LogFile, Spot
from opsd.clock import Stopwatch
from opsd.errors import OpsdError, quoted
from opsd.policy import binlog as policy
from opsd.policy.binlog import Walked
from opsd.tasks.binlog.bases import spots
from opsd.tasks.binlog.shelf import Shelf, open_shelf
from opsd.tasks.binlog.stream import ASIDE, PIECE_BYTES, Stream, received

log = logging.getLogger(__name__)

_LISTED_FOR = timedelta(seconds=20)  # what was removed behind our back is seen within a minute


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a repository has of the log, and what is wrong with it.

    To `end` it can be recovered from the newest base copy; the gap is that of any. Not `based`: no
    base copy of that server is known, and nothing can be recovered.
    """

    at: datetime | None = None  # when it was last looked at with success
    end: Spot | None = None
    gap: LogFile | None = None
    refused: tuple[str, ...] = ()
    error: str = ""
    sizes: Mapping[LogFile, int] = field(default_factory=dict)
    based: bool = True

    @property
    def recoverable(self) -> Spot | None:
        """To where it can be recovered; None: to nowhere."""
        return self.end if self.based else None


@dataclass(slots=True)
class Shipper:
    """Ships one member's log into one repository, turn by turn."""

    stream: Stream
    repository: str
    shipped: Shipped = field(default_factory=Shipped)
    held: dict[LogFile, Kept] = field(default_factory=dict)
    _shelf: Shelf | None = None
    _server: str = ""
    _listed: Stopwatch | None = None
    _spots: tuple[Spot, ...] = ()  # where base copies stand, as this machine knows
    _walked: dict[LogFile, Walked] = field(default_factory=dict)

    def turn(self, server: str) -> None:
        """Bring what was received since the last turn; what goes wrong is told by `shipped`."""
        try:
            self.shipped = self._turn(server)
        except (OpsdError, OSError) as error:
            self._listed = None
            self.shipped = replace(self.shipped, refused=(), error=quoted(error))

    def _turn(self, server: str) -> Shipped:
        if self._shelf is None or server != self._server:
            shelf = open_shelf(self.stream, self.repository, server)
            shelf.keys.insist()
            self._shelf, self._server, self._listed = shelf, server, None
        if self._listed is None or self._listed.elapsed() > _LISTED_FOR:
            self.held = self._shelf.holdings()
            # Asked afterwards: what no base copy needs goes only when that is on record.
            self._spots = spots(self.stream, self.repository, server)
            self._listed = Stopwatch()
        elif not self._spots:  # the first base copy counts at once
            self._spots = spots(self.stream, self.repository, server)
        here = received(self.stream.directory)
        newest = max(here, default=None)
        for file, path in sorted(here.items()):
            if not self.held.get(file, Kept()).closed:
                self._bring(file, path, ended=file != newest)
        found, end = policy.worth(self.held, self._spots)
        sizes = {file: kept.bytes for file, kept in found.files.items()}
        refused = tuple(f"{f.name}: {w.wrong}" for f, w in self._walked.items() if w.wrong)
        at, based = self.stream.kit.clock(), bool(self._spots)
        return Shipped(at, end, found.gap, refused, sizes=sizes, based=based)

    def _bring(self, file: LogFile, path: Path, *, ended: bool) -> None:
        """Look at what is new of a file, and keep what of it is whole and good.

        One that has `ended` without saying so is of a server that died.
        """
        assert self._shelf is not None  # noqa: S101  (a turn opens it)
        walked = self._walked.get(file, Walked())
        was_wrong, want = walked.wrong, PIECE_BYTES
        try:
            with path.open("rb") as stream:
                while not walked.wrong:
                    begin = walked.kept.bytes
                    stream.seek(begin)
                    content = stream.read(want)
                    walked = policy.walk(content, walked)
                    good = content[: walked.kept.bytes - begin]
                    if not good and len(content) < want:
                        break
                    want = PIECE_BYTES if good else 2 * want  # an event may be longer than a piece
                    self._keep(file, begin, good)
        except FileNotFoundError:  # put aside just now: the next turn finds it
            return
        self._walked[file] = walked
        if walked.wrong:
            if not was_wrong:
                log.error("%s: %s is refused: %s", self.stream.subject, path, walked.wrong)
        elif walked.kept.closed or (ended and walked.kept.bytes):
            self._shelf.settle(file, path, walked.kept.bytes)
            self.held[file] = replace(walked.kept, closed=True)
            del self._walked[file]

    def _keep(self, file: LogFile, begin: int, good: bytes) -> None:
        """Keep what of these bytes the repository does not have."""
        assert self._shelf is not None  # noqa: S101  (a turn opens it)
        have = self.held.get(file, Kept()).bytes
        if begin + len(good) > have:
            self._shelf.keep(file, max(begin, have), good[max(have - begin, 0) :])
            self.held[file] = Kept(begin + len(good), self.stream.kit.clock())


def clear(stream: Stream, holdings: list[dict[LogFile, Kept]]) -> None:
    """Remove here what every repository has closed, but for the two newest files."""
    here = received(stream.directory)
    for file in sorted(here)[:-2]:
        if all(one.get(file, Kept()).closed for one in holdings):
            (stream.directory / file.name).unlink(missing_ok=True)
            (stream.directory / (file.name + ASIDE)).unlink(missing_ok=True)
