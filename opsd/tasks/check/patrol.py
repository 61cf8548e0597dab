"""One round to a host: ask what is due in one go, judge the answers, hand them to the ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from opsd.check import Check, Read, Round, Sample, Seen
from opsd.clock import Clock
from opsd.errors import Cancelled, OpsdError
from opsd.model import CheckResult, Measurement, Status
from opsd.store import Watch
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.notebook import Answers

log = logging.getLogger(__name__)

REACH = "reach"
# A check is due a little early rather than a whole round late.
_EARLY = 0.1
_OFTEN = timedelta(minutes=5)

Ask = Callable[[Sequence[Read]], Seen]
"""Asks a host everything in one round trip. Raises an `OpsdError` when it cannot be reached."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A check on a host, and how often it is asked there."""

    name: str
    check: Check
    interval: timedelta

    @property
    def patience(self) -> timedelta:
        """How long its slowest read may take."""
        return max((read.timeout for read in self.check.reads()), default=timedelta())


@dataclass(frozen=True, slots=True)
class Past:
    """The kept measurements of one host, as a check asks for them."""

    watch: Watch
    host: str
    now: datetime

    def series(
        self, metric: str, labels: Mapping[str, str], since: timedelta
    ) -> tuple[Sample, ...]:
        """The samples of a metric, oldest first."""
        found = self.watch.series(self.host, metric, labels, self.now - since)
        return tuple(Sample(at, value) for at, value in found)


@dataclass(slots=True)
class Patrol:
    """The checks of one host that are asked together, and what they saw last.

    Its round trips tell whether the host can be reached.
    """

    host: str
    posted: Sequence[Posted]
    ask: Ask
    ledger: Ledger
    watch: Watch
    clock: Clock
    _asked: dict[str, datetime] = field(default_factory=dict)
    _seen: dict[str, Seen] = field(default_factory=dict)

    @property
    def interval(self) -> timedelta:
        """How often a round must be made."""
        return min(posted.interval for posted in self.posted)

    def walk(self) -> None:
        """Make one round. Raises `StorageFailed` when what was found cannot be kept."""
        now = self.clock()
        self._walk_due([posted for posted in self.posted if self._due(posted, now)], now)

    def _walk_due(self, due: Sequence[Posted], now: datetime) -> None:
        reads = {read.name: read for posted in due for read in posted.check.reads()}
        try:
            seen = self.ask(tuple(reads.values()))
        except Cancelled:  # opsd ends: that says nothing about the host
            return
        except OpsdError as error:
            self._tell_way(unreached(error))
            return
        self._tell_way(reached(seen))
        for posted in due:
            self._asked[posted.name] = now
            self._judge(posted, seen)

    def _due(self, posted: Posted, now: datetime) -> bool:
        last = self._asked.get(posted.name)
        return last is None or not timedelta() <= now - last < (1 - _EARLY) * posted.interval

    def _judge(self, posted: Posted, seen: Seen) -> None:
        found = Round(
            self.host, seen, Past(self.watch, self.host, seen.at), self._seen.get(posted.name)
        )
        self._seen[posted.name] = seen
        results = judged(posted, found)
        if results:
            self.ledger.take(Answers(self.host, posted.name, seen.at, results, posted.check.kept))

    def _tell_way(self, result: CheckResult) -> None:
        self.ledger.take(Answers(self.host, REACH, self.clock(), (result,)))


class Disturbances(Protocol):
    """What opsd itself does on a host just now that spoils the answers of others there."""

    def __call__(self, host: str) -> frozenset[str]:
        """The words for it, as `Check.disturbed_by` has them."""
        ...

    def probing(self, host: str) -> AbstractContextManager[None]:
        """Meanwhile a probe loads the host."""
        ...


@dataclass(slots=True)
class Apart(Patrol):
    """A check that may wait long for its answer: the others of its host shall not wait with it.

    It tells of nothing but itself.
    """

    def _tell_way(self, result: CheckResult) -> None:
        del result


@dataclass(slots=True)
class Alone(Apart):
    """A check that takes its time and loads the host, so that it is asked by itself.

    It waits while something goes on there that would spoil it.
    """

    disturbances: Disturbances = field(kw_only=True)

    @property
    def interval(self) -> timedelta:
        """How often it is looked whether the check is due and may be asked."""
        return min(_OFTEN, self.posted[0].interval)

    def walk(self) -> None:
        """Ask if it is due and nothing disturbs. Raises `StorageFailed` as others do."""
        one, now = self.posted[0], self.clock()
        self._remember(one)
        if not self._due(one, now) or one.check.disturbed_by & self.disturbances(self.host):
            return
        with self.disturbances.probing(self.host):
            self._walk_due([one], now)

    def _remember(self, one: Posted) -> None:
        """What was asked before a restart was asked."""
        if one.name not in self._asked and (at := self.ledger.last_asked(self.host, one.name)):
            self._asked[one.name] = at


def judged(posted: Posted, found: Round) -> tuple[CheckResult, ...]:
    """The results of a check; one that fails itself is unknown, and harms no other.

    None means that it has nothing to say yet: it compares, and this was its first look.
    """
    try:
        return posted.check.judge(found)
    except Exception as error:
        log.exception("the check %s failed itself on %s", posted.name, found.host)
        return (CheckResult(Status.UNKNOWN, "check.failed", detail=repr(error), cause="internal"),)


def reached(seen: Seen) -> CheckResult:
    return CheckResult(
        Status.OK,
        "check.reached",
        {"elapsed": seen.elapsed},
        measurements=(
            Measurement("opsd_host_up", 1),
            Measurement("opsd_host_collection_duration_seconds", seen.elapsed.total_seconds()),
        ),
    )


def unreached(error: OpsdError) -> CheckResult:
    return CheckResult(
        Status.CRITICAL,
        error.key,
        error.fields,
        error.detail,
        error.reason,
        measurements=(Measurement("opsd_host_up", 0),),
    )
