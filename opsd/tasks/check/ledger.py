"""Where the answers of all checks arrive: states, flips and incidents follow from them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from opsd.model import (
    CheckId,
    CheckResult,
    CheckState,
    Flip,
    Incident,
    Status,
)
from opsd.policy import judging
from opsd.policy.blame import Blame
from opsd.policy.judging import Rule, Surroundings
from opsd.store import Cases, Watch
from opsd.tasks.check.notebook import Answers, Notebook

# Where a check is asked, and its name.
Asked = tuple[str, str]
_FORGOTTEN = timedelta(days=1)
_GOOD = {Status.OK, Status.WARNING}


class Ledger:
    """Takes answers, from any thread, and keeps what follows from them.

    `disturbances` says what opsd itself does on a host just now that spoils its answers, `steps` by
    how much the clock was set since it was last asked.
    """

    def __init__(
        self,
        cases: Cases,
        watch: Watch,
        disturbances: Callable[[str], frozenset[str]] = lambda _: frozenset(),
        steps: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._cases = cases
        self._notes = Notebook(watch)
        self._disturbances = disturbances
        self._steps = steps
        self._rules: Mapping[Asked, Rule] = {}
        self._lock = threading.Lock()
        incidents = cases.incidents()
        self._open = {incident.id: incident.code for incident in incidents}
        self._blamed = {incident.code for incident in incidents if incident.side}
        self._states: dict[CheckId, CheckState] = {}
        self._subjects: defaultdict[Asked, dict[str, CheckState]] = defaultdict(dict)
        self._keep(watch.states())
        codes = set(self._open.values())
        self._open |= {one.id: one.incident for one in watch.states() if one.incident in codes}

    # --- what others ask

    def states(self) -> tuple[CheckState, ...]:
        """What is known of every check."""
        with self._lock:
            return tuple(self._states.values())

    def counts(self) -> Mapping[tuple[str, str, str], int]:
        """How many answers there were, by host, check and cause."""
        with self._lock:
            return self._notes.counts

    @property
    def rules(self) -> Mapping[Asked, Rule]:
        """How each check is judged."""
        return self._rules

    def last_asked(self, host: str, check: str) -> datetime | None:
        """When a check gave its newest answer."""
        with self._lock:
            states = self._subjects[host, check].values()
            return max((state.seen_at for state in states), default=None)

    def unblamed(self, one: CheckId) -> str:
        """The open incident of a check of which nobody has said yet who has to act."""
        with self._lock:
            code = self._open.get(one, "")
            return "" if code in self._blamed else code

    # --- what arrives

    def adopt(self, rules: Mapping[Asked, Rule], at: datetime) -> None:
        """Judge by these rules from now on; checks that are in none of them are forgotten."""
        with self._lock:
            self._rules = rules
            self._forget([one for one in self._states if (one.host, one.check) not in rules], at)

    def take(self, answers: Answers) -> None:
        """Take what a check found. Raises `StorageFailed` when a flip cannot be recorded."""
        with self._lock:
            rule = self._rules.get((answers.host, answers.check))
            if rule is None:
                return
            self._follow_clock(answers.at)
            results = [*answers.results, *self._missing(answers)]
            found = [self._judge(answers, result, rule) for result in results]
            self._keep(found)
            self._notes.note(answers, found, rule)

    def blame(self, code: str, found: Blame, at: datetime) -> None:
        """Record who has to act. Raises `StorageFailed` when that cannot be done."""
        with self._lock:
            self._cases.blame_incident(code, found.side, found.said, at)
            self._blamed.add(code)

    def age(self, now: datetime) -> None:
        """Make unknown what was not heard of for too long, and write down what is known."""
        with self._lock:
            self._follow_clock(now)
            aged = []
            for state in self._states.values():
                rule = self._rules.get((state.id.host, state.id.check))
                if rule is not None and judging.overdue(state, rule, now):
                    aged.append(self._decided(self._unheard(state, rule, now), rule, now))
            self._keep(aged)
            self._notes.note_aged(aged)
            self._notes.write()

    def close(self) -> None:
        """Write down what is known."""
        with self._lock:
            self._notes.write()

    # --- inside

    def _follow_clock(self, now: datetime) -> None:
        """Nothing gets older or younger because somebody set the clock."""
        if step := self._steps():
            self._keep([judging.carried(one, step, now) for one in self._states.values()])

    def _keep(self, states: Iterable[CheckState]) -> None:
        for state in states:
            self._states[state.id] = state
            self._subjects[state.id.host, state.id.check][state.id.subject] = state

    def _judge(self, answers: Answers, result: CheckResult, rule: Rule) -> CheckState:
        one = CheckId(answers.host, answers.check, result.subject)
        after = judging.take(self._states.get(one), one, result, answers.at, rule)
        code = self._open.get(one, "")
        if after.incident != code:
            after = replace(after, incident=code)
        return self._decided(after, rule, answers.at)

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
        # A status stays for an answer or two after the last bad one: a better one opens nothing.
        if state.status is state.raw is Status.CRITICAL and not state.incident:
            return self._opened(state, rule, at)
        return replace(state, silent="") if state.silent and not explained else state

    def _opened(self, state: CheckState, rule: Rule, at: datetime) -> CheckState:
        disturbances = self._disturbances(state.id.host) if rule.disturbed_by else frozenset()
        around = Surroundings(self._states, tuple(self._cases.maintenance(at)), disturbances)
        if silent := judging.why_silent(state, rule, around, at):
            return replace(state, silent=silent)
        if code := judging.joined(state, self._states):
            self._open[state.id] = code
            return replace(state, incident=code, silent="")
        began = state.worse_since or state.since
        result = state.result
        opened = Incident("", state.id, began, at, result.cause, result.said)
        code = self._cases.open_incident(opened)
        self._open[state.id] = code
        return replace(state, incident=code, silent="")

    def _closed(self, one: CheckId, at: datetime) -> None:
        code = self._open.pop(one, "")
        if code and code not in self._open.values():
            self._cases.close_incident(code, at)

    def _unheard(self, state: CheckState, rule: Rule, now: datetime) -> CheckState:
        if state.result.cause == "unheard":
            return state
        result = CheckResult(
            Status.UNKNOWN,
            "check.unheard",
            {"since": state.seen_at},
            cause="unheard",
            subject=state.id.subject,
        )
        return judging.blind(state, result, now, judging.explaining(rule, self._states))

    def _missing(self, answers: Answers) -> list[CheckResult]:
        """Unknown for each subject that was there and is not any more; at last it is forgotten."""
        here = {result.subject for result in answers.results}
        known = self._subjects[answers.host, answers.check]
        gone = [state for subject, state in known.items() if subject not in here]
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
            del self._states[one]
            del self._subjects[one.host, one.check][one.subject]
        self._notes.note_gone(forgotten)
