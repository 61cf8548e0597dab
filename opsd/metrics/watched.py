"""The states of checks as samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from opsd.metrics.table import FAMILIES, Labels, Page, Tell
from opsd.model import CheckState, Incident, Maintenance

# Told of every host; other figures of a machine are node_exporter's where that runs.
_OF_THE_WAY = frozenset({"opsd_host_up", "opsd_host_collection_duration_seconds"})
# Why a connection may fail: docs/metrics.md.
_FAILURES = ("auth", "connect", "dns", "host_key", "timeout")
# The labels that every check has, by their place.
_WHO = {"host": 0, "check": 1, "subject": 2}


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched, just now. `bare` are the hosts whose own figures somebody else tells.

    `ways` are the SSH connections of each host that were tried: under no word all, under a word
    those that failed so.
    """

    states: Sequence[CheckState] = ()
    intervals: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)
    counts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    missed: Mapping[str, int] = field(default_factory=dict)
    incidents: Sequence[Incident] = ()
    maintenance: Sequence[Maintenance] = ()
    hosts: Sequence[str] = ()
    ways: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    writable: Mapping[str, bool] = field(default_factory=dict)
    bare: frozenset[str] = frozenset()


def tell(page: Page, watched: Watched) -> None:
    """Add everything that is watched to the page."""
    tell_interval = page.teller("opsd_check_interval_seconds")
    for asked, interval in watched.intervals.items():
        tell_interval(interval.total_seconds(), asked)
    _tell_states(page, watched)
    _tell_counts(page, watched.counts)
    for errand, times in sorted(watched.missed.items()):
        page.add("opsd_watch_missed_rounds_total", times, errand)
    for incident in watched.incidents:
        one = incident.id
        page.add("opsd_incident_open", 1, one.host, one.check, one.subject, incident.cause)
    for host in watched.hosts:
        _tell_maintenance(page, host, [w for w in watched.maintenance if w.host in {"", host}])
    for store, writable in watched.writable.items():
        page.add("opsd_store_writable", writable, store)
    for host, ways in watched.ways.items():
        page.add("opsd_ssh_connections_total", ways.get("", 0), host)
        for reason in sorted({*_FAILURES, *ways} - {""}):
            page.add("opsd_ssh_connection_failures_total", ways.get(reason, 0), host, reason)


def _tell_states(page: Page, watched: Watched) -> None:
    """Thousands at a time: what is the same for all is found once."""
    tell_status = page.teller("opsd_check_status")
    tell_since = page.teller("opsd_check_status_since_timestamp_seconds")
    tell_seen = page.teller("opsd_check_last_answer_timestamp_seconds")
    figures: dict[str, _Figure | None] = {}
    for state in watched.states:
        one = state.id
        who = (one.host, one.check, one.subject)
        tell_status(state.status, who)
        tell_since(state.since.timestamp(), who)
        tell_seen(state.seen_at.timestamp(), who)
        for measurement in state.result.measurements:
            metric = measurement.metric
            if metric not in figures:
                figures[metric] = _figure(page, metric)
            figure = figures[metric]
            if figure is not None and not (figure.machine and one.host in watched.bare):
                figure.tell(measurement.value, figure.labels(who, measurement.labels))


@dataclass(frozen=True, slots=True)
class _Figure:
    """How a measurement is told; one of the `machine` is not where somebody else tells it."""

    tell: Tell
    places: Sequence[tuple[str, int | None]]
    machine: bool

    def labels(self, who: Labels, own: Mapping[str, str]) -> Labels:
        """The values of its labels: its own ones, else those of the check that it belongs to."""
        return tuple([own[n] if at is None or n in own else who[at] for n, at in self.places])


def _figure(page: Page, metric: str) -> _Figure | None:
    """Nothing of a metric that is none: an old state may hold one that this version has not."""
    if metric not in FAMILIES:
        return None
    machine = metric.startswith("opsd_host_") and metric not in _OF_THE_WAY
    places = [(name, _WHO.get(name)) for name in FAMILIES[metric].labels]
    return _Figure(page.teller(metric), places, machine)


def _tell_counts(page: Page, counts: Mapping[tuple[str, str, str], int]) -> None:
    answers: dict[tuple[str, str], int] = {}
    tell_bad = page.teller("opsd_check_bad_answers_total")
    for counted, number in counts.items():
        host, check, cause = counted
        answers[host, check] = answers.get((host, check), 0) + number
        if cause:
            tell_bad(number, counted)
    tell_answers = page.teller("opsd_check_answers_total")
    for asked, number in answers.items():
        tell_answers(number, asked)


def _tell_maintenance(page: Page, host: str, windows: Sequence[Maintenance]) -> None:
    page.add("opsd_maintenance_active", bool(windows), host)
    if windows:
        page.add(
            "opsd_maintenance_end_timestamp_seconds",
            max(window.ends for window in windows).timestamp(),
            host,
        )
