"""The states of checks as samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from opsd.metrics.table import FAMILIES, Page
from opsd.model import CheckState, Incident, Maintenance, Measurement

# Told of every host; other figures of a machine are node_exporter's where that runs.
_OF_THE_WAY = frozenset({"opsd_host_up", "opsd_host_collection_duration_seconds"})


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched, just now. `bare` are the hosts whose own figures somebody else tells."""

    states: Sequence[CheckState] = ()
    intervals: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)
    counts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    missed: Mapping[str, int] = field(default_factory=dict)
    incidents: Sequence[Incident] = ()
    maintenance: Sequence[Maintenance] = ()
    hosts: Sequence[str] = ()
    bare: frozenset[str] = frozenset()


def tell(page: Page, watched: Watched) -> None:
    """Add everything that is watched to the page."""
    for (host, check), interval in sorted(watched.intervals.items()):
        page.add("opsd_check_interval_seconds", interval.total_seconds(), host, check)
    for state in watched.states:
        one = state.id
        who = (one.host, one.check, one.subject)
        page.add("opsd_check_status", state.status, *who)
        page.add("opsd_check_status_since_timestamp_seconds", state.since.timestamp(), *who)
        page.add("opsd_check_last_answer_timestamp_seconds", state.seen_at.timestamp(), *who)
        for measurement in _told(state, watched.bare):
            page.add(measurement.metric, measurement.value, *_labels(state, measurement))
    _tell_counts(page, watched.counts)
    for errand, times in sorted(watched.missed.items()):
        page.add("opsd_watch_missed_rounds_total", times, errand)
    for incident in watched.incidents:
        one = incident.id
        page.add("opsd_incident_open", 1, one.host, one.check, one.subject, incident.cause)
    for host in watched.hosts:
        _tell_maintenance(page, host, [w for w in watched.maintenance if w.host in {"", host}])


def _told(state: CheckState, bare: frozenset[str]) -> Iterable[Measurement]:
    """What is told: an old state may hold a measurement that this version has no metric for."""
    for measurement in state.result.measurements:
        machine = measurement.metric.startswith("opsd_host_")
        spared = machine and state.id.host in bare and measurement.metric not in _OF_THE_WAY
        if measurement.metric in FAMILIES and not spared:
            yield measurement


def _labels(state: CheckState, measurement: Measurement) -> Iterable[str]:
    one = state.id
    known = {"host": one.host, "check": one.check, "subject": one.subject, **measurement.labels}
    return [known[name] for name in FAMILIES[measurement.metric].labels]


def _tell_counts(page: Page, counts: Mapping[tuple[str, str, str], int]) -> None:
    answers: dict[tuple[str, str], int] = {}
    for (host, check, cause), number in sorted(counts.items()):
        answers[host, check] = answers.get((host, check), 0) + number
        if cause:
            page.add("opsd_check_bad_answers_total", number, host, check, cause)
    for (host, check), number in answers.items():
        page.add("opsd_check_answers_total", number, host, check)


def _tell_maintenance(page: Page, host: str, windows: Sequence[Maintenance]) -> None:
    page.add("opsd_maintenance_active", bool(windows), host)
    if windows:
        page.add(
            "opsd_maintenance_end_timestamp_seconds",
            max(window.ends for window in windows).timestamp(),
            host,
        )
