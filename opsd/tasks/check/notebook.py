"""What is to be written to the file of the watch, gathered in between: many answers, few writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from opsd.model import CheckId, CheckResult, CheckState, Stretch
from opsd.policy.judging import Rule
from opsd.store import Kept, Page, Watch


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


class Notebook:
    """Takes notes in memory and writes them when it is told; a crash costs what was not written."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._last = {stretch.id: stretch for stretch in watch.newest_stretches()}
        self._sampled: dict[tuple[str, str, tuple[tuple[str, str], ...]], datetime] = {}
        self._totals = Counter(watch.counts())
        self._states: dict[CheckId, CheckState] = {}
        self._stretches: dict[tuple[CheckId, datetime], Stretch] = {}
        self._samples: list[Kept] = []
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._gone: list[CheckId] = []

    @property
    def counts(self) -> Mapping[tuple[str, str, str], int]:
        """All answers there ever were, by host, check and cause."""
        return dict(self._totals)

    def note(self, answers: Answers, states: Iterable[CheckState], rule: Rule) -> None:
        """Note what a check found, and the states that follow from it."""
        for state in states:
            self._states[state.id] = state
            stretch = self._stretch(state, rule)
            self._last[state.id] = self._stretches[state.id, stretch.began] = stretch
        for result in answers.results:
            self._sample(answers, result)
            key = (answers.host, answers.check, result.cause)
            self._counts[key] += 1
            self._totals[key] += 1

    def note_aged(self, states: Iterable[CheckState]) -> None:
        """Note states that changed without an answer."""
        self._states |= {state.id: state for state in states}

    def note_gone(self, gone: Iterable[CheckId]) -> None:
        """Note that these are no longer watched."""
        for one in gone:
            self._states.pop(one, None)
            self._gone.append(one)

    def write(self) -> None:
        """Write all notes. Raises `StorageFailed` when that cannot be done; they stay noted."""
        page = Page(
            tuple(self._states.values()),
            tuple(self._stretches.values()),
            tuple(self._samples),
            dict(self._counts),
            tuple(self._gone),
        )
        if page != Page():
            self._watch.write(page)
        for notes in (self._states, self._stretches, self._samples, self._counts, self._gone):
            notes.clear()

    def _stretch(self, state: CheckState, rule: Rule) -> Stretch:
        """The last stretch going on, or a new one that touches it unless nobody looked between."""
        last, at, result = self._last.get(state.id), state.seen_at, state.result
        near = last is not None and timedelta() <= at - last.ended <= rule.patience
        if last and near and (last.status, last.cause) == (result.status, result.cause):
            return replace(last, ended=at)
        began = last.ended if last and near else at
        return Stretch(state.id, began, at, result.status, result.cause)

    def _sample(self, answers: Answers, result: CheckResult) -> None:
        for measurement in result.measurements:
            distance = answers.kept.get(measurement.metric)
            if distance is None:
                continue
            key = (answers.host, measurement.metric, tuple(sorted(measurement.labels.items())))
            last = self._sampled.get(key)
            if last is None or not timedelta() <= answers.at - last < distance:
                self._sampled[key] = answers.at
                self._samples.append(Kept(answers.host, measurement, answers.at))
