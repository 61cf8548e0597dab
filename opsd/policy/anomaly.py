"""Is a run unlike those before it, in a way that a person should see before anything is dropped?

Each figure of a run is compared with the set's own past by the modified z-score of B. Iglewicz and
D. C. Hoaglin (How to Detect and Handle Outliers, ASQC 1993, section 3.3): the distance from the
median in units of 1.4826 times the median absolute deviation, an outlier above 3.5. Half of the
past may be odd without moving either. A past that happens to agree to the last bit is no proof that
it always will: the deviation has a floor for each figure, and a figure must besides be bad enough
in itself, so that a quiet archive that takes in a few files more does not wake anybody.

Of a past too short for that only what is grave is told: half of what there was is another now, or
gone, and never before came anything near.

What is encrypted or compressed already does not compress again: where new data used to shrink when
it was stored and does not any more, it is of another kind. C. E. Shannon's entropy of the bytes (A
Mathematical Theory of Communication, 1948) says the same of a sample of files: 8 bits a byte is
noise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import median

SOURCE = "Iglewicz and Hoaglin 1993, modified z-score"
ENOUGH = 7  # runs, before anything but what is grave is said
GRAVE = 0.5  # of what was there, changed or gone: what somebody does who destroys
_TIMES = 3  # more than ever before, where the past is short
_LEAST_COUNT = 20  # files or rows below which a share of them says nothing grave
_LEAST_BYTES = 1 << 20
_OUTLIER = 3.5
_SIGMA = 1.4826  # of the median absolute deviation of a normal distribution
_LEAST_ADDED = 1 << 20  # bytes: of less, most is restic's own overhead
_NOISE = 7.5  # bits a byte, of a piece of a file that is long enough
_LEAST_PIECE = 4096  # bytes: the entropy of less is too low by chance
_FEW = 5  # files of a sample that say something
_MOST = 0.8  # share of a sample that is noise
# What begins like this is dense by nature: archives, pictures, films, documents with streams.
_DENSE = (
    b"PK\x03\x04",
    b"%PDF",
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"GIF8",
    b"II*\x00",
    b"MM\x00*",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"Rar!",
    b"RIFF",
    b"\x00\x00\x00\x0cjP",
    b"PGDMP",
)


class Kind(StrEnum):
    """What is odd; its sentence is `anomaly.<value>`."""

    CHANGED = "changed"  # files that were there are others now
    NEW = "new"  # a mass of new files
    GREW = "grew"
    SHRANK = "shrank"
    FEWER = "fewer"  # files
    REPLACED = "replaced"  # files of other names stand where they were
    EMPTIED = "emptied"  # a database has fewer rows
    DENSE = "dense"  # new data does not compress as it used to
    SCRAMBLED = "scrambled"  # and files hold noise under names that promise something else


@dataclass(frozen=True, slots=True)
class Shape:
    """What one run stored of one member, as restic told it.

    `new` and `changed` count files, `added` bytes before and `packed` after they were compressed;
    `rows` are those of a database, as it counted them itself.
    """

    files: int
    bytes: int
    new: int
    changed: int
    added: int
    packed: int
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Oddity:
    """A figure that is unlike the past: how large it is, and what was usual.

    One that is `grave` is an incident, and not only worth a look.
    """

    kind: Kind
    figure: float
    usual: float
    grave: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """A figure, from which value on it is bad in itself, and the least deviation believed."""

    kind: Kind
    figure: Callable[[Shape, Shape], float | None]
    bad: float
    floor: float


def _growth(before: int, now: int) -> float | None:
    return (now - before) / before if before else None


def _replaced(before: Shape, now: Shape) -> float | None:
    gone = before.files - (now.files - now.new)
    return min(now.new, gone) / before.files if before.files else None


def _ratio(shape: Shape) -> float | None:
    return shape.packed / shape.added if shape.added >= _LEAST_ADDED else None


def _loss(before: int, now: int) -> float | None:
    grown = _growth(before, now)
    return None if grown is None else -grown


_QUESTIONS = (
    _Question(Kind.CHANGED, lambda _, now: now.changed / max(1, now.files), 0.2, 0.03),
    _Question(Kind.NEW, lambda _, now: now.new / max(1, now.files), 0.3, 0.05),
    _Question(Kind.GREW, lambda before, now: _growth(before.bytes, now.bytes), 0.5, 0.05),
    _Question(Kind.SHRANK, lambda before, now: _loss(before.bytes, now.bytes), 0.1, 0.02),
    _Question(Kind.FEWER, lambda before, now: _loss(before.files, now.files), 0.1, 0.02),
    _Question(Kind.REPLACED, _replaced, 0.3, 0.05),
    _Question(Kind.EMPTIED, lambda before, now: _loss(before.rows, now.rows), 0.1, 0.02),
    _Question(Kind.DENSE, lambda _, now: _ratio(now), 0.9, 0.04),
)


# What somebody does who destroys, where there is enough to say so. Files that are others, or bear
# other names, do not mean it as long as what is in them is known.
_DESTRUCTION: dict[Kind, Callable[[Shape, Shape], bool]] = {
    Kind.CHANGED: lambda before, now: before.files >= _LEAST_COUNT and _rewritten(now),
    Kind.REPLACED: lambda before, now: before.files >= _LEAST_COUNT and _rewritten(now),
    Kind.FEWER: lambda before, _: before.files >= _LEAST_COUNT,
    Kind.EMPTIED: lambda before, _: before.rows >= _LEAST_COUNT,
    Kind.SHRANK: lambda before, _: before.bytes >= _LEAST_BYTES,
}


def _rewritten(now: Shape) -> bool:
    return now.added >= GRAVE * now.bytes


def judge(past: Sequence[Shape], now: Shape) -> tuple[Oddity, ...]:
    """What of `now` is unlike the past, which comes oldest first."""
    if not past:
        return ()
    found = []
    for question in _QUESTIONS:
        row = [question.figure(before, after) for before, after in pairwise(past)]
        usual = [figure for figure in row if figure is not None]
        figure = question.figure(past[-1], now)
        if figure is None or figure < question.bad:
            continue
        destroys = _DESTRUCTION.get(question.kind)
        grave = figure >= GRAVE and destroys is not None and destroys(past[-1], now)
        if len(past) >= ENOUGH and len(usual) >= _FEW:
            middle = median(usual)
            deviation = _SIGMA * median(abs(one - middle) for one in usual)
            odd = (figure - middle) / max(deviation, question.floor) > _OUTLIER
        else:
            middle = median(usual) if usual else 0.0
            odd = grave and figure >= _TIMES * max(usual, default=0.0)
        if odd:
            found.append(Oddity(question.kind, figure, middle, grave))
    return tuple(found)


def noise(head: bytes) -> bool | None:
    """Whether a piece from the beginning of a file is noise; of one too short nobody can say."""
    if len(head) < _LEAST_PIECE:
        return None
    if head.startswith(_DENSE) or head[4:8] == b"ftyp":
        return False
    return entropy(head) > _NOISE


def entropy(piece: bytes) -> float:
    """Shannon's entropy of the bytes, in bits a byte."""
    total = len(piece)
    shares = (count / total for count in Counter(piece).values())
    return -sum(share * math.log2(share) for share in shares)


def scrambled(heads: Sequence[bytes]) -> Oddity | None:
    """Whether most of a sample of files that changed or are new hold noise."""
    judged = [found for found in map(noise, heads) if found is not None]
    if len(judged) < _FEW:
        return None
    share = sum(judged) / len(judged)
    return Oddity(Kind.SCRAMBLED, share, 0.0, grave=True) if share >= _MOST else None
