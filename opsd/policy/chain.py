"""Is the audit chain what was written? Recomputed line by line, from the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsd.keeping import BEGINNING, Head, Line, digest


@dataclass(frozen=True, slots=True)
class Breach:
    """The first line at which the chain is not what was written, and how (`audit.<how>`)."""

    key: str
    fields: Mapping[str, object]


def breach(lines: Sequence[Line]) -> Breach | None:
    """The first line that was altered, removed or inserted; none: the chain is whole."""
    previous = BEGINNING
    for expected, line in enumerate(lines, start=1):
        if line.number != expected:
            return Breach("audit.removed", {"number": expected})
        if digest(line.previous, line.text) != line.digest or line.told != line.number:
            return Breach("audit.altered", {"number": expected})
        if line.previous != previous:
            return Breach("audit.inserted", {"number": expected})
        previous = line.digest
    return None


def cut(lines: Sequence[Line], heads: Iterable[tuple[str, Head]]) -> Breach | None:
    """Whether the chain lacks its end, or is another one, against what recovery points noted.

    A history that was rebuilt begins a new chain; what it says of the old one's end is believed.
    """
    known = {line.number: line.digest for line in lines}
    former = [line.body for line in lines if line.kind == "rebuilt"]
    for point, head in heads:
        if head.number == 0 or any(_covers(body, head) for body in former):
            continue
        fields = {"count": head.number, "point": point}
        if head.number not in known:
            return Breach("audit.cut", fields)
        if known[head.number] != head.digest:
            return Breach("audit.replaced", fields)
    return None


def _covers(body: Mapping[str, object], head: Head) -> bool:
    """Whether a head is of the chain that was lost: not longer than what the rebuild found."""
    heads = body.get("heads")
    return isinstance(heads, list) and head.digest in heads
