"""Is a backup set safe? What is not known is unknown, never ok.

It is judged by how old its newest points are against the RPO, how its last runs ended, and how
long a restore takes against the RTO.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from opsd.keeping import Covered, Freeze
from opsd.model import Closing, Outcome, RecoveryPoint, Run, Severity, Status, worst
from opsd.policy import coverage

_BAD: Mapping[Outcome, Status] = {
    Outcome.PARTIAL: Status.CRITICAL,
    Outcome.FAILED: Status.CRITICAL,
    Outcome.TIMED_OUT: Status.CRITICAL,
    Outcome.INTERRUPTED: Status.CRITICAL,
    Outcome.COULD_NOT_VERIFY: Status.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Objectives:
    """What was promised: tolerable age of the newest proved point, tolerable time to restore."""

    rpo: timedelta
    rto: timedelta


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of a task that is over; one without an end has died."""

    run: Run
    closing: Closing | None

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.closing.outcome if self.closing else Outcome.INTERRUPTED


@dataclass(frozen=True, slots=True)
class SetFacts:
    """What is known about a backup set. `proved_at` is when `proved` was proved.

    `backup` and `proof` are the newest runs that are over; `running` are those under way.
    `unusual` is what the tripwire saw and no person acknowledged yet.
    """

    now: datetime
    objectives: Objectives
    newest: RecoveryPoint | None = None
    proved: RecoveryPoint | None = None
    proved_at: datetime | None = None
    restore: RestoreTime | None = None
    backup: LastRun | None = None
    proof: LastRun | None = None
    running: tuple[Run, ...] = ()
    retention: Retained | None = None
    coverage: Coverage | None = None
    unusual: tuple[Freeze, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Since when all objects of the set's repository were read, and how often they shall be."""

    covered: Covered
    within: timedelta


@dataclass(frozen=True, slots=True)
class Retained:
    """What retention keeps and has dropped, how it went last, and what freezes it."""

    kept: int
    dropped: int
    last: LastRun | None = None
    freezes: tuple[Freeze, ...] = ()


@dataclass(frozen=True, slots=True)
class SetVerdict:
    """A status for each question about a set. Ages are None where there is no such point."""

    newest: Status
    newest_age: timedelta | None
    proved: Status
    proved_age: timedelta | None
    backup: Status
    proof: Status
    restore: Status
    retention: Status = Status.OK
    coverage: Status = Status.OK
    data: Status = Status.OK
    logs: Status = Status.OK  # of its databases, where they are looked at with it

    @property
    def status(self) -> Status:
        """The worst of all."""
        of_points = (self.newest, self.proved, self.restore, self.data, self.logs)
        return worst((*of_points, self.backup, self.proof, self.retention, self.coverage))


def judge(facts: SetFacts) -> SetVerdict:
    """Every question about a set, answered."""
    rpo = facts.objectives.rpo
    newest, newest_age = _judge_age(facts.newest, facts.now, rpo)
    if facts.newest is not None and not facts.newest.complete:
        newest = worst((newest, Status.WARNING))
    proved, proved_age = _judge_age(facts.proved, facts.now, rpo)
    return SetVerdict(
        newest=newest,
        newest_age=newest_age,
        proved=proved,
        proved_age=proved_age,
        backup=judge_run(facts.backup),
        proof=judge_run(facts.proof),
        restore=judge_span(facts.restore.span if facts.restore else None, facts.objectives.rto),
        retention=_judge_retention(facts.retention),
        coverage=_judge_coverage(facts.coverage, facts.now),
        data=_judge_data(facts.unusual),
    )


def judge_run(last: LastRun | None) -> Status:
    """How the last run went: one that never was says nothing good."""
    if last is None:
        return Status.UNKNOWN
    if last.outcome.good:
        findings = last.closing.findings if last.closing else ()
        worth_a_look = any(found.severity is Severity.CHANGE for found in findings)
        return Status.WARNING if worth_a_look else Status.OK
    return _BAD[last.outcome]


def _judge_retention(found: Retained | None) -> Status:
    """A set that drops nothing loses nothing: at worst a person should look."""
    if found is None or (not found.freezes and found.last is None):
        return Status.OK
    good = found.last is None or found.last.outcome.good
    return Status.OK if good and not found.freezes else Status.WARNING


def _judge_data(unusual: tuple[Freeze, ...]) -> Status:
    """What looks as if it were destroyed is an incident; anything else that is odd, a warning."""
    if any(freeze.said.fields.get("grave") for freeze in unusual):
        return Status.CRITICAL
    return Status.WARNING if unusual else Status.OK


def _judge_coverage(found: Coverage | None, now: datetime) -> Status:
    """Damage is as bad as can be; what was not read in time may be damaged unseen."""
    if found is None:
        return Status.OK
    if found.covered.damaged:
        return Status.CRITICAL
    if not found.covered.packs:
        return Status.UNKNOWN
    late = coverage.behind(found.covered, now, found.within)
    return Status.WARNING if late else Status.OK


def judge_span(span: timedelta | None, limit: timedelta) -> Status:
    """A measured span against what was promised."""
    if span is None or span < timedelta():
        return Status.UNKNOWN
    return Status.OK if span <= limit else Status.CRITICAL


def next_due(now: datetime, at: time, zone: tzinfo) -> datetime:
    """The next moment at which clocks in `zone` show `at`."""
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), at, tzinfo=zone)
    return due if due > local else datetime.combine(local.date() + timedelta(days=1), at, zone)


def _judge_age(
    point: RecoveryPoint | None, now: datetime, limit: timedelta
) -> tuple[Status, timedelta | None]:
    """Data from the future has no age that could be trusted."""
    if point is None:
        return Status.UNKNOWN, None
    age = now - point.at
    return judge_span(age, limit), age


@dataclass(frozen=True, slots=True)
class RestoreTime:
    """How long a restore takes, as a proof measured it; of a part of the files, reckoned up."""

    span: timedelta
    reckoned: bool


def restore_time(figures: Mapping[str, object]) -> RestoreTime | None:
    """Fetching and loading, from the figures of a proof. Of a part, fetching counts for each part.

    That is an upper bound: what is fetched whole at each proof (databases) is counted for each too.
    """
    seconds = figures.get("seconds")
    if not isinstance(seconds, Mapping) or "fetch" not in seconds:
        return None
    parts = figures.get("parts", 1)
    if not isinstance(parts, int):
        return None
    total = float(seconds["fetch"]) * parts + float(seconds.get("load", 0))
    return RestoreTime(timedelta(seconds=total), parts > 1)
