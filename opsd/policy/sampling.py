"""Which part of a large tree or repository to look at this time, and what that tells.

The parts are cut by a hash of the names, so that each part is a random sample to the damage one
looks for, and all parts together are the whole: full coverage comes by turns. Their number is a
power of two, so that parts of one cut are made of whole parts of a finer one: what was covered
stays covered when the tree grows or the budget changes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

FORMULA = "1 - C(N-D, n) / C(N, n)"
SOURCE = "W. G. Cochran, Sampling Techniques, 3rd ed., Wiley 1977, section 3.4"
SUPPOSED_SPEED = 20 << 20  # bytes a second that are restored and compared, before any is measured
_LEAST_SPEED = 1 << 20  # what looks slower was too little to be measured
_MOST_PARTS = 1 << 12


@dataclass(frozen=True, slots=True)
class Part:
    """The `turn`-th of `parts` equal parts; with one part it is the whole.

    `besides` are the numbers of empty parts that go with this one.
    """

    turn: int
    parts: int
    besides: frozenset[int] = frozenset()

    def has(self, name: bytes) -> bool:
        """Whether what is called `name` belongs to this part."""
        return self.parts == 1 or self._number(name) in self.numbers

    @property
    def numbers(self) -> frozenset[int]:
        """Which of the parts 0 to `parts` - 1 this is."""
        return self.besides | {self.turn % self.parts}

    def moved_on_to(self, names: Iterable[bytes]) -> Part:
        """This part, or the next that any of `names` belongs to: an empty part shows nothing.

        It takes with it the empty ones before it, so that no turn leaves anything out.
        """
        filled = {self._number(name) for name in names}
        if not filled:
            return self
        turn = self.turn
        while turn % self.parts not in filled:
            turn += 1
        empty, besides = turn - 1, set[int]()
        while empty % self.parts not in filled:
            besides.add(empty % self.parts)
            empty -= 1
        return Part(turn, self.parts, frozenset(besides))

    def _number(self, name: bytes) -> int:
        hashed = hashlib.blake2b(name, digest_size=8).digest()
        return int.from_bytes(hashed) % self.parts

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self.parts == 1


def choose(total_bytes: int, budget_bytes: int, turn: int) -> Part:
    """The largest part that is expected to hold no more than `budget_bytes` of `total_bytes`."""
    needed = max(1, math.ceil(total_bytes / max(1, budget_bytes)))
    return Part(turn, min(_MOST_PARTS, 1 << (needed - 1).bit_length()))


def budget(most: int, time: timedelta | None, speed: float | None) -> int:
    """How many bytes to restore: no more than `most`, and what `time` is enough for.

    `speed` is what earlier proofs reached, in bytes a second, if there were any.
    """
    if time is None:
        return most
    reached = SUPPOSED_SPEED if speed is None else max(speed, _LEAST_SPEED)
    return min(most, int(time.total_seconds() * reached))


@dataclass(frozen=True, slots=True)
class Covered:
    """That some of the parts of a cut were proved at a moment."""

    at: datetime
    parts: int
    numbers: frozenset[int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the present parts were proved, and since when: the oldest that counts."""

    covered: int
    parts: int
    since: datetime

    def full_by(self, now: datetime, every: timedelta) -> datetime:
        """When all of them will be, with a proof after each span of `every`."""
        return now + (self.parts - self.covered) * every


def coverage(present: Covered, earlier: Iterable[Covered]) -> Coverage:
    """What the present proof and earlier ones cover together; `earlier` comes newest first."""
    told = [present, *earlier]
    finest = max(one.parts for one in told)
    seen: dict[int, datetime] = {}
    for one in told:
        for number in one.numbers:
            for fine in range(number, finest, one.parts):
                seen.setdefault(fine, one.at)
    covered = sum(
        all(fine in seen for fine in range(number, finest, present.parts))
        for number in range(present.parts)
    )
    return Coverage(covered, present.parts, min(seen.values()))


def detection(population: int, sample: int, damaged: int) -> float:
    """Probability (0 to 1) that a sample holds at least one of `damaged` items of a population.

    Sampling without replacement: `FORMULA`, the hypergeometric distribution at zero (`SOURCE`).
    """
    if damaged <= 0 or sample <= 0:
        return 0.0
    if sample > population - damaged:
        return 1.0
    missed = _log_choose(population - damaged, sample) - _log_choose(population, sample)
    return 1.0 - math.exp(missed)


def _log_choose(items: int, chosen: int) -> float:
    return math.lgamma(items + 1) - math.lgamma(chosen + 1) - math.lgamma(items - chosen + 1)
