"""Which part of a large tree or repository to look at this time, and what that tells.

The parts are cut by a hash of the names, so that each part is a random sample to the damage one
looks for, and all parts together are the whole: full coverage comes by turns.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """The `turn`-th of `parts` equal parts; with one part it is the whole."""

    turn: int
    parts: int

    def has(self, name: bytes) -> bool:
        """Whether what is called `name` belongs to this part."""
        return self.parts == 1 or self._number(name) == self.turn % self.parts

    def moved_on_to(self, names: Iterable[bytes]) -> Part:
        """This part, or the next that any of `names` belongs to: an empty part shows nothing."""
        filled = {self._number(name) for name in names}
        turns = range(self.turn, self.turn + self.parts)
        return Part(next((t for t in turns if t % self.parts in filled), self.turn), self.parts)

    def _number(self, name: bytes) -> int:
        hashed = hashlib.blake2b(name, digest_size=8).digest()
        return int.from_bytes(hashed) % self.parts

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self.parts == 1


def choose(total_bytes: int, budget_bytes: int, turn: int) -> Part:
    """The part whose size is about `budget_bytes` of `total_bytes`."""
    return Part(turn, max(1, math.ceil(total_bytes / budget_bytes)))


def detection(population: int, sample: int, damaged: int) -> float:
    """Probability (0 to 1) that a sample holds at least one of `damaged` items of a population.

    Sampling without replacement: 1 - C(N-D, n) / C(N, n), the hypergeometric distribution at zero
    (W. G. Cochran, Sampling Techniques, 3rd edition, 1977, section 3.4).
    """
    if damaged <= 0 or sample <= 0:
        return 0.0
    if sample > population - damaged:
        return 1.0
    missed = _log_choose(population - damaged, sample) - _log_choose(population, sample)
    return 1.0 - math.exp(missed)


def _log_choose(items: int, chosen: int) -> float:
    return math.lgamma(items + 1) - math.lgamma(chosen + 1) - math.lgamma(items - chosen + 1)
