"""What a repository lacks and no receiver has any more is looked for in the log's others.

Beside the shipping, which keeps it: another repository that does not answer keeps nothing of what
is received from this one. What the others have is known from their own shipping: nothing is listed
for this, and nothing is read while nothing is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from opsd.errors import RepositoryDamaged
from opsd.policy.parting import difference
from opsd.tasks.wal.archive import Archive
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.shipping import Elsewhere, Shipper, is_whole
from opsd.wal import Segment

log = logging.getLogger(__name__)

_MOST_BYTES = 64 << 20  # of the log in one turn, where a segment is not longer


@dataclass(slots=True)
class Mender:
    """Finds for one repository what others have of what it lacks, turn by turn."""

    log: Log
    mine: Shipper
    others: Sequence[Shipper]
    # What is of no use elsewhere, until it is written anew there.
    _useless: dict[tuple[str, Segment], datetime] = field(default_factory=dict)

    def turn(self) -> None:
        """Find the oldest there is. Raises `StorageFailed` when another one does not answer."""
        lack = self.mine.lack
        if lack.found:  # not kept yet
            return
        for _, row in groupby(lack.segments, lambda segment: segment.timeline):
            missing = list(row)
            for other in self.others:
                if found := self._found(other, missing):
                    lack.found = found
                    return

    def _found(self, other: Shipper, missing: Sequence[Segment]) -> Mapping[Segment, Elsewhere]:
        """What another one has of missing segments of one timeline, good, and of this history."""
        there = self._there(other, missing)
        if not there:
            return {}
        its = other.archive()
        until = self._same_until(other, there, its)
        most = max(_MOST_BYTES // its.size, 1)
        found = {}
        for segment in [s for s in there if s.number < until][:most]:
            if self.log.kit.stop.requested:
                break
            content, wrong = self._read(its, segment)
            if wrong:
                self._refuse(other, {segment: there[segment]}, wrong)
            else:
                found[segment] = Elsewhere(other.repository, content)
        return found

    def _there(self, other: Shipper, missing: Sequence[Segment]) -> Mapping[Segment, datetime]:
        """What of it another one has whole, and since when."""
        if other.shipped.at is None or other.shipped.error:
            return {}
        held = other.held
        there = {s: held.segments[s].at for s in missing if is_whole(held, s)}
        return {s: at for s, at in there.items() if self._useless.get((other.repository, s)) != at}

    def _same_until(self, other: Shipper, there: Mapping[Segment, datetime], its: Archive) -> int:
        """Up to which segment both are known to have the same; 0: it is not known.

        The newest that both have tells it of all before: histories that parted never agree again.
        A server may have left a timeline for another, so that only those of this one count.
        """
        mine, oldest = self.mine.archive(), min(there)
        shared = (
            s
            for s in other.held.segments
            if s.timeline == oldest.timeline and s > oldest
            if is_whole(other.held, s) and is_whole(self.mine.held, s)
        )
        for segment in sorted(shared, reverse=True):
            try:
                parted = difference(mine.read(segment), its.read(segment)) is not None
            except (RepositoryDamaged, OSError):  # told where it is read again
                continue
            if parted:
                name = segment.name(its.size)
                self._refuse(other, there, f"{name} is another one than in {self.mine.repository}")
            return 0 if parted else segment.number
        return 0

    def _read(self, its: Archive, segment: Segment) -> tuple[bytes, str]:
        """A segment as it was sealed there, and what is wrong with it."""
        try:
            content = its.read(segment)
        except (RepositoryDamaged, OSError) as error:
            return b"", str(error)
        with TemporaryDirectory(prefix="opsd-") as place:
            path = Path(place) / segment.name(its.size)
            path.write_bytes(content)
            return content, self.mine.wrong(content, segment, path, its.size)

    def _refuse(self, other: Shipper, what: Mapping[Segment, datetime], why: str) -> None:
        self._useless |= {(other.repository, segment): at for segment, at in what.items()}
        log.error("%s: nothing is brought from %s: %s", self.log.subject, other.repository, why)
