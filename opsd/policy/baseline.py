"""What is usual, and how far the present is from it.

One shot of a disk's speed scatters by a third, so that the present is the median of the last few
figures, and what is usual the median of the older half of all: a decline over months then shows as
well as a drop over night, because the figures that decline are not the ones it is measured by. The
scatter, in logarithms because a disk is twice as slow as easily as twice as fast, is 1.4826 times
the median absolute deviation, which half of the figures can spoil without moving it
(P. J. Rousseeuw and C. Croux, Alternatives to the Median Absolute Deviation, 1993).

Tried on figures that scatter by a quarter: a fall to a fifth is seen always, by the median of three
or of five; a fall that is none is seen by that of three once in 3,000 times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import median

_ENOUGH = 10  # figures, before anything is said
_SIGMA = 1.4826  # of the deviation of a normal distribution
_MEDIAN_SCATTER = 1.2533  # how much more a median scatters than a mean
_LEAST_SCATTER = 0.1  # a few figures that happen to agree are no proof that they always will
_SIGMAS = 4.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual and what is now, both medians; `error` is the scatter of their ratio."""

    usual: float
    now: float
    error: float

    @property
    def ratio(self) -> float:
        """The present as a part of what is usual."""
        return self.now / self.usual

    def differs(self) -> bool:
        """Whether the difference is more than the scatter of the figures explains."""
        return self.now <= 0 or abs(log(self.ratio)) > _SIGMAS * self.error


def compare(figures: Sequence[float], recent: int) -> Baseline | None:
    """The newest `recent` figures against the oldest; nothing while there are too few to say."""
    if len(figures) < _ENOUGH:
        return None
    older = figures[: max(_ENOUGH - recent, len(figures) // 2)]
    usual = median(older)
    if min(older) <= 0:
        return None
    scatter = max(_LEAST_SCATTER, _SIGMA * median(abs(log(figure / usual)) for figure in older))
    error = scatter * _MEDIAN_SCATTER * sqrt(1 / recent + 1 / len(older))
    return Baseline(usual, median(figures[-recent:]), error)
