"""A server that went back without a new timeline: seen before its log is mixed with what is held.

Put back from a copy of its disk, it writes another history under the names of the one that is held.
A receiver begins only when the server goes on from what this machine holds, and a repository takes
log only when the server goes on from what lies there: neither keeps the other from its work. Where
the server has a timeline of its own since, what it left is set aside, and everything goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

from opsd.clock import Stopwatch
from opsd.drivers.postgres.replication import ServerSeen
from opsd.drivers.postgres.stream import Source, Standpoint
from opsd.errors import DatabaseFailed
from opsd.policy.parting import Parted
from opsd.tasks.wal import resuming
from opsd.tasks.wal.archive import Archive
from opsd.tasks.wal.aside import set_aside
from opsd.tasks.wal.guard import Look
from opsd.tasks.wal.histories import Kept, Lying, end_of, parted_from, refusal, source_of
from opsd.tasks.wal.leaving import Left, left_behind
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.stock import is_one
from opsd.wal import PARTIAL, Holdings, Segment, written

log = logging.getLogger(__name__)

_AGAIN = timedelta(seconds=10)  # a server that was found to have parted is looked at again
_AGAIN_IN_REPOSITORY = timedelta(minutes=5)  # which costs the fetching of what it has
_RECEIVER, _REPOSITORY, _SERVER = "receiver ", "repository ", "server"


@dataclass(slots=True)
class Parting:
    """Watches for one log whether the server goes on from what is held."""

    log: Log
    _found: dict[str, tuple[Parted, Stopwatch]] = field(default_factory=dict)
    _turns: Iterator[int] = field(default_factory=partial(count, 1))
    _turn: int = 0  # another one whenever a receiver may have begun with another history
    # By repositories: in which turn, and on which timeline.
    _agreed: dict[str, tuple[int, int]] = field(default_factory=dict)
    _unasked: dict[str, Stopwatch] = field(default_factory=dict)  # since nobody could be asked
    _left: dict[str, Left | None] = field(default_factory=dict)  # by receivers, as they began
    _peak: tuple[str, int, int] = ("", 0, 0)  # system, timeline, the most that anybody has of it

    def _told(self, seen: ServerSeen | None) -> Mapping[str, Parted]:
        """What parted: `receiver NAME`, `repository NAME`, and `server` where nobody receives.

        Where one receiver says so while another receives, its file may be what is wrong.
        """
        found = {name: parted for name, (parted, _) in list(self._found.items())}
        mine = {f"{_RECEIVER}{name}" for name in self.log.wal.here}
        received = seen is not None and any(map(seen.sender, self.log.applications))
        if mine and mine <= found.keys() and not received:
            found.setdefault(_SERVER, min(found.values(), key=lambda one: one.begin))
        return found

    # --- a receiver

    def begin(self, receiver: str, directory: Path) -> None:
        """Let a receiver begin. Raises `DatabaseFailed` where it would mix two histories."""
        source = source_of(self.log, receiver)
        here = source.standpoint()
        self._insist(f"{_RECEIVER}{receiver}", here)
        self._await_timeline(here)
        reached = self._own(receiver, directory, here, source)
        self._look_behind(receiver, directory, here)
        for place in self.log.directories.values():
            parted = _seen_to_part(place, here, source) if place != directory else None
            # What another has wrong of what was just compared is its own matter.
            if parted is not None and parted.timeline == here.timeline and parted.begin >= reached:
                self._refuse(f"{_RECEIVER}{receiver}", parted)
        self._found.pop(f"{_RECEIVER}{receiver}", None)
        self._found.pop(_SERVER, None)
        self._turn = next(self._turns)

    def _insist(self, name: str, here: Standpoint) -> None:
        """Refuse what was refused a moment ago, while the server is on the same timeline."""
        for other, (parted, since) in list(self._found.items()):
            if parted.timeline != here.timeline:
                self._found.pop(other, None)
            elif other == name and since.elapsed() < _again(name):
                raise refusal(parted)

    def _await_timeline(self, here: Standpoint) -> None:
        """Raise `DatabaseFailed` while a server recovers on an older timeline than is held.

        Its next one may have a number that is held, and a receiver goes over to it by itself.
        """
        for place in self.log.directories.values() if here.standby else ():
            held = _timeline(place)
            if held > here.timeline:
                raise DatabaseFailed(
                    "wal.recovers", timeline=here.timeline, held=held, directory=place
                )

    def _own(self, receiver: str, place: Path, here: Standpoint, source: Source) -> int:
        """How far what a receiver has is the server's, when it is."""
        found, parted = _compared(place, here, source)
        if parted is None:
            return end_of(Lying(dict(found.files), found.size), found.size)
        if parted.timeline == here.timeline:
            self._refuse(f"{_RECEIVER}{receiver}", parted)
        left = [
            path
            for segment, path in found.files
            if segment.timeline == parted.timeline
            and segment.start(found.size) + found.size > parted.begin
        ]
        log.warning("%s: %s sets aside what the server left", self.log.subject, receiver)
        set_aside(place, left, self.log.kit.clock())
        return parted.begin

    def _look_behind(self, receiver: str, place: Path, here: Standpoint) -> None:
        """Keep in mind what a receiver has that the server left behind, where that can be read."""
        before = self._left.pop(receiver, None)
        try:
            found = left_behind(self.log, place, here, before)
        except OSError:
            return
        self._left[receiver] = found
        if found is not None and (before is None or before.end != found.end):
            said = "%s: on timeline %d the server lacks what %s has of timeline %d, from %s to %s"
            span = written(found.begin), written(found.end)
            log.error(said, self.log.subject, found.to, receiver, found.timeline, *span)

    def _refuse(self, name: str, parted: Parted) -> None:
        before = self._found.get(name)
        if before is None and name.startswith(_RECEIVER):
            self._turn = next(self._turns)  # what is agreed with repositories is asked anew
        if before is not None and before[0].timeline == parted.timeline:
            parted = replace(parted, begin=min(before[0].begin, parted.begin))
        self._found[name] = parted, Stopwatch()
        raise refusal(parted)

    # --- a repository

    def agree(self, repository: str, archive: Archive) -> Holdings | None:
        """Let log be brought into a repository; what lies there, where that was looked at for it.

        Raises `DatabaseFailed` where it would be mixed with another history's. While the server
        does not answer, what receivers have is compared instead.
        """
        turn, name = self._now, f"{_REPOSITORY}{repository}"
        if self._agreed.get(repository) == turn and not self._is_to_ask(repository):
            return None
        source, held = source_of(self.log), archive.holdings()
        try:
            here = source.standpoint()
        except DatabaseFailed:
            self._compare_received(repository, archive, held)
            self._agreed[repository], self._unasked[repository] = turn, Stopwatch()
            return held
        if not archive.root.endswith(f"/{here.system}"):  # what was received last is another's
            self._agreed[repository], self._unasked[repository] = turn, Stopwatch()
            return held
        self._insist(name, here)
        parted = parted_from(Kept(tuple(held.segments), archive), here, archive.size, source)
        if parted is not None and parted.timeline == here.timeline:
            self._refuse(name, parted)
        if parted is not None:
            log.warning("%s: %s sets aside what the server left", self.log.subject, repository)
            archive.leave(parted.timeline, parted.begin, here.way[parted.timeline])
            held = archive.holdings()
        self._found.pop(name, None)
        self._unasked.pop(repository, None)
        self._agreed[repository] = turn
        return held

    def _is_to_ask(self, repository: str) -> bool:
        """Whether nobody could be asked, and not just now: a backlog need not wait each time."""
        since = self._unasked.get(repository)
        return since is not None and since.elapsed() >= _AGAIN

    def _compare_received(self, repository: str, archive: Archive, held: Holdings) -> None:
        """Refuse where a repository is known to have another history, or a receiver has one."""
        if known := self._found.get(f"{_REPOSITORY}{repository}"):
            raise refusal(known[0])
        for place in self.log.directories.values():
            if not is_one(place, held, archive, archive.size):
                raise DatabaseFailed("recover.two_histories", directory=place)

    def still_agreed(self, repository: str) -> bool:
        """Whether no receiver can have begun with another history since it was agreed."""
        return self._agreed.get(repository) == self._now

    @property
    def _now(self) -> tuple[int, int]:
        """The turn, and the newest timeline that is received: receivers go on to one unasked."""
        return self._turn, max(map(_timeline, self.log.directories.values()), default=0)

    # --- the guard

    def look(self, look: Look) -> Look:
        """What the guard saw, with what parted, after it has asked the server."""
        if look.seen is not None and not look.seen.recovering:
            self._follow(look.seen, look)
        return self.told(look)

    def told(self, look: Look) -> Look:
        """The same where it has not been asked again since, and others may have more than it had.

        Where something parted nothing is said of what would be lost.
        """
        seen = look.seen
        parted = self._told(seen)
        left = {
            name: one if one and one.is_there else None for name, one in list(self._left.items())
        }
        told = parted.keys()
        server = (seen.system, seen.timeline) if seen else self._peak[:2]
        kept = {
            name: None
            if told & {_SERVER, f"{_REPOSITORY}{name}"} or _is_behind(server, look, name)
            else at
            for name, at in look.held_by_repositories.items()
        }
        return replace(look, parted=parted, left=left, held_by_repositories=kept)

    def _follow(self, seen: ServerSeen, look: Look) -> None:
        """A server's log is never shorter than what others were seen to have of it."""
        system, timeline, most = self._peak
        if (system, timeline) != (seen.system, seen.timeline):
            most = 0
            self._found.pop(_SERVER, None)
        elif most > seen.flushed and _SERVER not in self._found:
            parted = Parted(timeline, seen.flushed, most, seen.flushed)
            self._found[_SERVER] = parted, Stopwatch()
            log.error("%s: %s", self.log.subject, refusal(parted))
        of = (seen.system, seen.timeline)
        ends = [one.end for one in look.shipped.values() if (one.system, one.timeline) == of]
        received = (seen.sender(name) for name in self.log.applications)
        ends += [one.flushed for one in received if one is not None and one.flushed is not None]
        self._peak = seen.system, seen.timeline, max(most, *ends, 0)


def _compared(
    place: Path, here: Standpoint, source: Source
) -> tuple[resuming.Received, Parted | None]:
    """What lies in a receiver's directory, and where the server parted from it."""
    found = resuming.received(place)
    if found.head is None or found.head.system != here.system:
        return found, None
    return found, parted_from(Lying(dict(found.files), found.size), here, found.size, source)


def _timeline(place: Path) -> int:
    """The newest timeline of which a receiver has anything; 0: none, as far as can be seen."""
    try:
        names = [path.name.removesuffix(PARTIAL) for path in place.iterdir()]
    except OSError:
        return 0
    return max((segment.timeline for segment in map(Segment.of, names) if segment), default=0)


def _seen_to_part(place: Path, here: Standpoint, source: Source) -> Parted | None:
    """Where another receiver's log parted from the server's; what cannot be read says nothing."""
    try:
        return _compared(place, here, source)[1]
    except OSError:
        return None


def _again(name: str) -> timedelta:
    return _AGAIN if name.startswith(_RECEIVER) else _AGAIN_IN_REPOSITORY


def _is_behind(server: tuple[str, int], look: Look, repository: str) -> bool:
    """Whether a repository does not know the server or its timeline yet: its log is another's."""
    shipped = look.shipped.get(repository)
    if shipped is None or not shipped.end:
        return False
    system, timeline = server
    return shipped.system != system or shipped.timeline < timeline
