"""What the part of a tree that one proof looked at tells about the whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from opsd.model import MemberSnapshot, Severity
from opsd.policy import sampling
from opsd.policy.sampling import Coverage
from opsd.tasks.proving.bench import Bench

_LOOKED_FOR = 0.01  # the share of damaged files for which the confidence is told
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """The part that was restored and compared: what it held, and how long that took."""

    part: sampling.Part
    files: int
    bytes: int
    elapsed: timedelta


def tell(bench: Bench, member: MemberSnapshot, told: Told) -> None:
    """How surely damage of 1 % of the files would have been seen, and what all turns covered."""
    part = told.part
    covered = bench.covered("trees", member.member, part)
    damaged = max(1, round(member.files * _LOOKED_FOR))
    found = 1.0 if part.whole else sampling.detection(member.files, told.files, damaged)
    bench.figures["confidence"] = min(found, bench.figures.get("confidence", 1.0))
    bench.figures.setdefault("trees", {})[member.member] = {
        "parts": part.parts,
        "numbers": sorted(part.numbers),
        "files": told.files,
        "of": member.files,
        "bytes": told.bytes,
        "seconds": round(told.elapsed.total_seconds(), 3),
        "covered": covered.covered,
        "covered_since": covered.since.isoformat(),
        "confidence": found,
        "damaged": damaged,
        "formula": f"{sampling.FORMULA} ({sampling.SOURCE})",
    }
    if not part.whole:
        bench.figures["parts"] = max(part.parts, bench.figures.get("parts", 1))
        _say(bench, member, told, covered)


def _say(bench: Bench, member: MemberSnapshot, told: Told, covered: Coverage) -> None:
    now = bench.kit.clock()
    bench.journal.find(
        Severity.NOTE,
        "proof.sampled",
        member=member.member,
        files=told.files,
        of=member.files,
        turn=told.part.turn % told.part.parts + 1,
        parts=told.part.parts,
        percent=round(100 * bench.figures["trees"][member.member]["confidence"], 1),
        formula=sampling.FORMULA,
        source=sampling.SOURCE,
    )
    bench.journal.find(
        Severity.NOTE,
        "proof.covered" if covered.covered == covered.parts else "proof.covered_in_part",
        member=member.member,
        covered=covered.covered,
        parts=covered.parts,
        days=(now - covered.since) // _DAY + 1,
        full_by=covered.full_by(now, _DAY),
    )
