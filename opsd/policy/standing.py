"""How far a recovery point is proved, from everything that was ever found out about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsd.model import Outcome, Proof, ProofReached, RecoveryPoint


@dataclass(frozen=True, slots=True)
class Standing:
    """A point and every level that it reached or failed to reach, in order.

    A level that could not be looked at says nothing: what was found out before still holds.
    """

    point: RecoveryPoint
    proofs: tuple[ProofReached, ...] = ()

    @property
    def found_out(self) -> dict[Proof, ProofReached]:
        """What was last found out about each level."""
        known = (r for r in self.proofs if r.outcome.good or r.outcome is Outcome.FAILED)
        return {reached.level: reached for reached in known}

    @property
    def level(self) -> Proof | None:
        """The highest level that holds; none above one that failed."""
        held: Proof | None = None
        for level in Proof:
            found = self.found_out.get(level)
            if found is not None and not found.outcome.good:
                break
            held = level if found is not None else held
        return held

    @property
    def failed(self) -> ProofReached | None:
        """The lowest level that was tried last without success."""
        wrong = (r for _, r in sorted(self.found_out.items()) if not r.outcome.good)
        return next(wrong, None)

    @property
    def proved_at(self) -> datetime | None:
        """When it was last proved, if that still holds."""
        return self.found_out[Proof.PROVED].at if self.level is Proof.PROVED else None
