"""What the stages of one proof share, and what they found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from opsd.config.schema import BackupSet
from opsd.drivers import system
from opsd.drivers.restic import Limits, Piece
from opsd.drivers.system import Wiped
from opsd.errors import RepositoryDamaged, ScratchFull, TimedOut
from opsd.model import MemberSnapshot, RecoveryPoint, Task
from opsd.policy import sampling
from opsd.policy.sampling import Covered
from opsd.tasks.journal import Journal
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import Forward

_LATELY = 16  # proofs; the fastest tells the speed, for of a small part most time is overhead
_ROUNDS = 2  # so many turns of all parts are looked back on
_NAMED = 5  # failures quoted in an error
# What our own disk refuses, as restic quotes it: no word about the repository.
_LOCAL = ("permission denied", "read-only file system", "too many open files", "file name too long")


@dataclass(slots=True)
class Bench:
    """One proof under way: of which point, where it works, and the figures it has so far."""

    kit: Kit
    journal: Journal
    backup_set: BackupSet
    point: RecoveryPoint
    turn: int  # how many proofs passed before: moves the samples on
    figures: dict[str, Any] = field(default_factory=dict)
    wiped: list[Wiped] = field(default_factory=list)

    def on(self, kit: Kit) -> Bench:
        """The same proof, for work that goes on beside other work."""
        return replace(self, kit=kit, journal=self.journal.on(kit))

    @property
    def scratch(self) -> Path:
        """The directory of this proof, wiped at its end."""
        return self.kit.scratch(self.journal.run.id)

    @property
    def record(self) -> Path:
        """The point's record, as the repository gave it back."""
        return self.scratch / "record"

    @property
    def limits(self) -> Limits:
        """What is left of the time for this proof. Raises `TimedOut` when nothing is."""
        return self.kit.limits(self.point.repository, self.insist_on_time())

    def insist_on_time(self) -> timedelta:
        """What is left of the time. Raises `TimedOut` when nothing is."""
        left = self.backup_set.prove.timeout - self.journal.watch.elapsed()
        if left <= timedelta():
            raise TimedOut("proof.out_of_time", limit=self.backup_set.prove.timeout)
        return left

    def part(self, member: MemberSnapshot) -> sampling.Part:
        """Which part of a tree this proof looks at: the whole, where the budget allows it."""
        prove = self.backup_set.prove
        lately = islice(self.before("trees", member.member), _LATELY)
        speeds = [one["bytes"] / one["seconds"] for one in lately if one["seconds"]]
        allowed = sampling.budget(prove.budget, prove.budget_time, max(speeds, default=None))
        return sampling.choose(member.bytes, allowed, self.turn)

    def before(self, kind: str, name: str) -> Iterator[Mapping[str, Any]]:
        """What earlier good proofs told of one of the `trees`, or of the `packs` of a repository.

        Newest first; `at` is when they ended.
        """
        for run, closing in self.kit.store.runs(Task.PROVE, self.point.backup_set):
            figures = self.kit.store.evidence(run.id, "proof") if closing else None
            told = figures.get(kind, {}).get(name) if figures else None
            if closing and closing.outcome.good and told:
                yield {**told, "at": closing.closed_at}

    def covered(self, kind: str, name: str, part: sampling.Part) -> sampling.Coverage:
        """What this proof's part and those of earlier proofs cover together."""
        earlier = (
            Covered(one["at"], one["parts"], frozenset(one["numbers"]))
            for one in islice(self.before(kind, name), _ROUNDS * part.parts)
        )
        return sampling.coverage(Covered(self.kit.clock(), part.parts, part.numbers), earlier)

    def fetch(self, member: str, piece: Piece) -> None:
        """Restore a piece into scratch. Raises `RepositoryDamaged` when it is not whole."""
        fetched = self.kit.restic(self.point.repository).restore(
            piece, limits=self.limits, on_progress=Forward(self.kit)
        )
        if not fetched.failures:
            return
        detail = "\n".join(fetched.failures[:_NAMED])
        if any(reason in text for text in fetched.failures for reason in _LOCAL):
            raise ScratchFull("scratch.failed", detail=detail)
        raise RepositoryDamaged("proof.fetch_failed", member=member, detail=detail)

    def wipe(self, place: Path) -> None:
        """Wipe what was restored into `place`: it has said what it was restored for."""
        self.wiped.append(system.wipe(place))

    def add(self, figures: Mapping[str, int | float]) -> None:
        """Add to figures that are sums over members."""
        for name, value in figures.items():
            self.figures[name] = self.figures.get(name, 0) + value

    def canary(self, what: str, *, caught: bool) -> None:
        """A sample was damaged on purpose: was it caught?"""
        self.figures.setdefault("canaries", {})[what] = caught
