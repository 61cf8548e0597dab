"""The shape of a check: what it asks of a host, and how it judges the answers.

A check does nothing itself. Its reads are put together with those of all other checks that are due
on the host, asked in one round trip, and the answers handed to `judge`, which is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Generic, Protocol, TypeVar

from opsd.model import CheckResult, Status


@dataclass(frozen=True, slots=True)
class Read:
    """One thing to ask of a host: a text for the POSIX shell there, ended after `timeout`.

    Only what it prints counts, up to 256 KiB; what it complains of is thrown away.

    Two checks may share a read: the same name means the same script, and it is asked once. Values
    from the configuration stand in it quoted by `shlex.quote`.
    """

    name: str
    script: str
    timeout: timedelta = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a read gave; `exit_code` is None when it was ended, late or for saying too much."""

    text: str
    exit_code: int | None = 0

    @property
    def good(self) -> bool:
        """Whether the read came to its end without complaint."""
        return self.exit_code == 0


@dataclass(frozen=True, slots=True)
class Offset:
    """How far the clock of a host is ahead of ours, true within so much."""

    ahead: timedelta
    within: timedelta


@dataclass(frozen=True, slots=True)
class Seen:
    """The answers of one round trip. `at` is our clock when they were there.

    `clock` is what the round trip itself tells of the clock there, where it does.
    """

    at: datetime
    elapsed: timedelta
    answers: Mapping[str, Answer]
    clock: Offset | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A figure of the past."""

    at: datetime
    value: float


class History(Protocol):
    """The kept measurements of one host."""

    def series(self, metric: str, labels: Mapping[str, str], since: timedelta) -> Sequence[Sample]:
        """The samples of a metric that `Check.kept` names, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """Everything a judgement may use; `before` is what the same check saw last, if it did."""

    host: str
    seen: Seen
    history: History
    before: Seen | None = None


class Check(Protocol):
    """One question about a host. Made with its options, one a host; judges one round at a time."""

    kept: ClassVar[Mapping[str, timedelta]]
    """Metrics whose history the check needs, each with the least distance of two kept samples."""

    disturbed_by: ClassVar[frozenset[str]]
    """What on the host makes its answers worse for a while: `backup`, `probe`."""

    alone: ClassVar[bool]
    """Whether it takes so long that it is asked in a round trip of its own."""

    def reads(self) -> tuple[Read, ...]:
        """What it asks."""
        ...

    def judge(self, found: Round) -> tuple[CheckResult, ...]:
        """What the answers mean, one result a subject; an answer it cannot read is unknown."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """What a check is where it says nothing else."""

    kept: ClassVar[Mapping[str, timedelta]] = {}
    disturbed_by: ClassVar[frozenset[str]] = frozenset()
    alone: ClassVar[bool] = False


T = TypeVar("T")


@dataclass(slots=True)
class Remembered(Generic[T]):
    """What is dear to work out from history and changes slowly: good for a while, by its key."""

    good_for: timedelta
    _found: dict[tuple[str, ...], tuple[datetime, T]] = field(default_factory=dict)

    def get(self, key: tuple[str, ...], now: datetime, work: Callable[[], T]) -> T:
        """What is known, or is worked out now."""
        known = self._found.get(key)
        if known is None or not timedelta() <= now - known[0] < self.good_for:
            known = self._found[key] = (now, work())
        return known[1]


def unreadable(read: Read, answer: Answer, subject: str = "") -> CheckResult:
    """The result of an answer that does not come, or says nothing: unknown."""
    if answer.exit_code is None:
        fields = {"read": read.name, "limit": read.timeout}
        return CheckResult(
            Status.UNKNOWN, "check.no_answer", fields, cause="no_answer", subject=subject
        )
    return CheckResult(
        Status.UNKNOWN, "check.unreadable", {"read": read.name}, answer.text, "unreadable", subject
    )
