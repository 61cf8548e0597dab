"""Where the answers of all checks arrive: states, flips and incidents follow from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from opsd.model import (
    CheckId,
    CheckResult,
    CheckState,
    Flip,
    Incident,
    Status,
    Stretch,
)
from opsd.policy import judging
from opsd.policy.judging import Rule, Surroundings
from opsd.store import Cases, Kept, Page, Watch

# Where a check is asked, and its name.
Asked = tuple[str, str]
_FORGOTTEN = timedelta(days=1)
_GOOD = {Status.OK, Status.WARNING}


@dataclass(frozen=True, slots=True)
class Answers:
    """What one check found, asked once: a result for each of its subjects.

    `kept` names the measurements whose history is wanted, with the least distance of two samples.
    """

    host: str
    check: str
    at: datetime
    results: Sequence[CheckResult]
    kept: Mapping[str, timedelta] = field(default_factory=dict)


class Ledger:
    """Takes answers, from any thread, and keeps what follows from them.

    `disturbances` says what opsd itself does on a host just now that spoils its answers.
    """

    def __init__(
        self,
        cases: Cases,
        watch: Watch,
        disturbances: Callable[[str], frozenset[str]] = lambda _: frozenset(),
    ) -> None:
        self._cases = cases
        self._watch = watch
        self._disturbances = disturbances
        self._rules: Mapping[Asked, Rule] = {}
        self._lock = threading.Lock()
        self._open = {incident.id: incident.code for incident in cases.incidents()}
        self._states = {state.id: state for state in watch.states()}
        self._stretches = {stretch.id: stretch for stretch in watch.newest_stretches()}
        self._sampled: dict[tuple[str, str, str], datetime] = {}

    # --- what others ask

    def states(self) -> tuple[CheckState, ...]:
        """What is known of every check, in order."""
        with self._lock:
            return tuple(self._states[one] for one in sorted(self._states))

    @property
    def rules(self) -> Mapping[Asked, Rule]:
        """How each check is judged."""
        return self._rules

    def last_asked(self, host: str, check: str) -> datetime | None:
        """When a check gave its newest answer."""
        with self._lock:
            states = [s for s in self._states.values() if (s.id.host, s.id.check) == (host, check)]
        return max((state.seen_at for state in states), default=None)

    # --- what arrives

    def adopt(self, rules: Mapping[Asked, Rule], at: datetime) -> None:
        """Judge by these rules from now on; checks that are in none of them are forgotten."""
        with self._lock:
            self._rules = rules
            self._forget([one for one in self._states if (one.host, one.check) not in rules], at)

    def take(self, answers: Answers) -> None:
        """Take what a check found. Raises `StorageFailed` when it cannot be kept."""
        with self._lock:
            rule = self._rules.get((answers.host, answers.check))
            if rule is None:
                return
            results = [*answers.results, *self._missing(answers)]
            found = [self._judge(answers, result, rule) for result in results]
            stretches = [self._stretch(one, rule) for one in found]
            self._watch.write(Page(found, stretches, self._samples(answers), _counted(answers)))
            self._states |= {state.id: state for state in found}
            self._stretches |= {stretch.id: stretch for stretch in stretches}

    def age(self, now: datetime) -> None:
        """Make unknown what was not heard of for too long, and decide what waited."""
        with self._lock:
            aged = []
            for state in self._states.values():
                rule = self._rules.get((state.id.host, state.id.check))
                if rule is not None and judging.overdue(state, rule, now):
                    aged.append(self._decided(self._unheard(state, rule, now), rule, now))
            changed = [state for state in aged if state != self._states[state.id]]
            if changed:
                self._watch.write(Page(changed))
                self._states |= {state.id: state for state in changed}

    # --- inside

    def _judge(self, answers: Answers, result: CheckResult, rule: Rule) -> CheckState:
        one = CheckId(answers.host, answers.check, result.subject)
        after = judging.take(self._states.get(one), one, result, answers.at, rule)
        return self._decided(replace(after, incident=self._open.get(one, "")), rule, answers.at)

    def _decided(self, state: CheckState, rule: Rule, at: datetime) -> CheckState:
        """The state with its flip told, and its incident opened or closed, where that is due."""
        explained = bool(state.silent) and state.status is Status.UNKNOWN
        settling = (
            state.status is Status.UNKNOWN and state.raw is not Status.UNKNOWN and state.recent
        )
        if state.status is not state.told and not explained and not settling:
            result = state.result
            self._cases.add_flip(
                Flip(state.id, at, state.told, state.status, result.cause, result.said)
            )
            state = replace(state, told=state.status)
        if state.incident and state.status in _GOOD:
            self._closed(state.id, at)
            state = replace(state, incident="")
        if state.status is Status.CRITICAL and not state.incident:
            return self._opened(state, rule, at)
        return state if explained else replace(state, silent="")

    def _opened(self, state: CheckState, rule: Rule, at: datetime) -> CheckState:
        host = state.id.host
        around = Surroundings(
            self._states, tuple(self._cases.maintenance(at)), self._disturbances(host)
        )
        if silent := judging.why_silent(state, rule, around, at):
            return replace(state, silent=silent)
        code = self._cases.next_code(at)
        began = state.worse_since or state.since
        result = state.result
        self._cases.open_incident(Incident(code, state.id, began, at, result.cause, result.said))
        self._open[state.id] = code
        return replace(state, incident=code, silent="")

    def _closed(self, one: CheckId, at: datetime) -> None:
        if code := self._open.pop(one, ""):
            self._cases.close_incident(code, at)

    def _unheard(self, state: CheckState, rule: Rule, now: datetime) -> CheckState:
        if state.result.cause == "unheard":
            return state
        bad = {Status.CRITICAL, Status.UNKNOWN}
        causes = [self._states[one] for one in rule.explained_by if one in self._states]
        why = next((str(c.id) for c in causes if c.status in bad or c.raw in bad), "")
        result = CheckResult(
            Status.UNKNOWN,
            "check.unheard",
            {"since": state.seen_at},
            cause="unheard",
            subject=state.id.subject,
        )
        return judging.blind(state, result, now, why)

    def _missing(self, answers: Answers) -> list[CheckResult]:
        """Unknown for each subject that was there and is not any more; at last it is forgotten."""
        here = {result.subject for result in answers.results}
        gone = [
            state
            for one, state in self._states.items()
            if (one.host, one.check) == (answers.host, answers.check) and one.subject not in here
        ]
        old = [s.id for s in gone if s.result.cause == "gone" and answers.at - s.since > _FORGOTTEN]
        self._forget(old, answers.at)
        return [
            CheckResult(Status.UNKNOWN, "check.gone", cause="gone", subject=state.id.subject)
            for state in gone
            if state.id not in old
        ]

    def _forget(self, gone: Iterable[CheckId], at: datetime) -> None:
        forgotten = list(gone)
        for one in forgotten:
            self._closed(one, at)
        if forgotten:
            self._watch.write(Page(gone=forgotten))
        for one in forgotten:
            del self._states[one]

    def _stretch(self, state: CheckState, rule: Rule) -> Stretch:
        """The last stretch going on, or a new one that touches it unless nobody looked between."""
        last, at, result = self._stretches.get(state.id), state.seen_at, state.result
        near = last is not None and timedelta() <= at - last.ended <= rule.patience
        if last and near and (last.status, last.cause) == (result.status, result.cause):
            return replace(last, ended=at)
        return Stretch(
            state.id, last.ended if last and near else at, at, result.status, result.cause
        )

    def _samples(self, answers: Answers) -> list[Kept]:
        found = []
        for result in answers.results:
            for measurement in result.measurements:
                distance = answers.kept.get(measurement.metric)
                key = (answers.host, measurement.metric, str(sorted(measurement.labels.items())))
                last = self._sampled.get(key)
                if distance is None or (last is not None and answers.at - last < distance):
                    continue
                self._sampled[key] = answers.at
                found.append(Kept(answers.host, measurement, answers.at))
        return found


def _counted(answers: Answers) -> dict[tuple[str, str, str], int]:
    counted: dict[tuple[str, str, str], int] = {}
    for result in answers.results:
        key = (answers.host, answers.check, result.cause)
        counted[key] = counted.get(key, 0) + 1
    return counted
