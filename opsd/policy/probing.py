"""What a trace means: good, worth a look, or out; and of a link and its standby, both together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from opsd.model import CheckResult, Measurement, Status
from opsd.trace import Cause, Facts, Packets, Phase, Trace

MAIN, STANDBY = "main", "standby"
_CAUSES = frozenset(cause.value for cause in Cause)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """From where on a link is worth a look, and from where on it is out."""

    loss_warning: float
    loss_critical: float
    delay_warning: timedelta
    delay_critical: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of a service besides that it answers."""

    phases: tuple[str, ...]
    slow: timedelta | None = None
    certificate: timedelta | None = None
    link: LinkLimits | None = None
    standby: bool | None = None
    max_lag: timedelta | None = None
    min_standbys: int = 0
    subjects: tuple[str, ...] = ("",)


def judge(trace: Trace, limits: Limits) -> tuple[CheckResult, ...]:
    """The result of a probe; of a link with a standby also one for each road, named as subject."""
    if trace.blind:
        blind = CheckResult(Status.UNKNOWN, "probe.blind", detail=trace.blind, cause="blind")
        return tuple(replace(blind, subject=subject) for subject in limits.subjects)
    figures = tuple(_figures(trace, limits.phases))
    if limits.link is not None and trace.facts.roads:
        whole, *roads = _links(trace, limits.link)
        return (_with(whole, figures), *roads)
    return (_with(_service(trace, limits), figures),)


def failing_phase(cause: str) -> str:
    """The phase whose failure a cause tells of; empty where the service is not out by it."""
    return Cause(cause).phase if cause in _CAUSES else ""


def _service(trace: Trace, limits: Limits) -> CheckResult:
    if failed := trace.failed:
        return _broken(trace, failed)
    if cause := _replication(trace.facts, limits):
        replication = trace.facts.replication
        lag = replication.lag if replication and replication.lag is not None else "-"
        standbys = replication.standbys if replication else 0
        fields = {"lag": lag, "standbys": standbys}
        return CheckResult(Status.CRITICAL, f"cause.{cause}", fields, cause=cause)
    return _certificate(trace, limits) or _speed(trace, limits)


def _broken(trace: Trace, failed: Phase) -> CheckResult:
    cause = str(failed.cause)
    detail = " · ".join(filter(None, (failed.step, failed.detail)))
    fields = {
        "peer": trace.facts.peer or trace.facts.socket or "-",
        "seconds": timedelta(seconds=failed.seconds),
    }
    return CheckResult(Status.CRITICAL, f"cause.{cause}", fields, detail, cause)


def _replication(facts: Facts, limits: Limits) -> Cause | None:
    found = facts.replication
    if found is None:
        return None
    if limits.standby is not None and found.standby is not limits.standby:
        return Cause.REPLICATION_ROLE
    if found.standby and limits.max_lag is not None and not found.receiving:
        return Cause.REPLICATION_STOPPED
    if found.standbys < limits.min_standbys:
        return Cause.REPLICATION_FEW
    if limits.max_lag is not None and found.lag is not None and found.lag > limits.max_lag:
        return Cause.REPLICATION_LATE
    return None


def _certificate(trace: Trace, limits: Limits) -> CheckResult | None:
    found = trace.facts.certificate
    if found is None or limits.certificate is None or found.ends - trace.at > limits.certificate:
        return None
    fields = {"ends": found.ends, "left": found.ends - trace.at}
    return CheckResult(
        Status.WARNING, "probe.certificate", fields, found.subject, "certificate_soon"
    )


def _speed(trace: Trace, limits: Limits) -> CheckResult:
    fields = {"elapsed": trace.elapsed}
    if limits.slow is not None and trace.elapsed > limits.slow:
        fields["limit"] = limits.slow
        return CheckResult(Status.WARNING, "probe.slow", fields, cause="slow")
    return CheckResult(Status.OK, "probe.good", fields)


# --- links


def _links(trace: Trace, limits: LinkLimits) -> Iterator[CheckResult]:
    """The whole first; then each road, where there are two."""
    broken = {phase.step: phase for phase in trace.phases if phase.cause}
    roads = {
        name: _broken(trace, replace(broken[name], step=""))
        if name in broken
        else _road(found, limits)
        for name, found in trace.facts.roads.items()
    }
    if len(roads) == 1:
        (alone,) = roads.values()
        yield alone
        return
    yield _together(roads)
    for name, result in roads.items():
        # The whole is critical when both are out; one road alone is a lost reserve, no outage.
        if result.status is Status.CRITICAL:
            result = replace(result, status=Status.WARNING, cause="lost")  # noqa: PLW2901
        yield replace(result, subject=name)


def _together(roads: dict[str, CheckResult]) -> CheckResult:
    main, standby = roads[MAIN], roads[STANDBY]
    fields = dict(main.fields)
    match main.status is Status.CRITICAL, standby.status is Status.CRITICAL:
        case True, True:
            return CheckResult(Status.CRITICAL, main.key, fields, main.detail, main.cause)
        case True, False:
            return CheckResult(Status.WARNING, "probe.main_lost", fields, cause="main_lost")
        case False, True:
            return CheckResult(Status.WARNING, "probe.standby_lost", fields, cause="standby_lost")
        case _:
            worse = max((main, standby), key=lambda one: one.status)
            return CheckResult(worse.status, worse.key, worse.fields, worse.detail, worse.cause)


def _road(found: Packets, limits: LinkLimits) -> CheckResult:
    median = timedelta(seconds=found.median) if found.median is not None else None
    fields = {
        "sent": found.sent,
        "lost": round(found.lost * 100, 1),
        "delay": round(median / _MILLISECOND, 1) if median is not None else "-",
    }
    cause, status = _verdict(found.lost, median, limits)
    key = f"cause.{cause}" if status is Status.CRITICAL else "probe.link"
    return CheckResult(status, key, fields, cause=cause)


def _verdict(lost: float, median: timedelta | None, limits: LinkLimits) -> tuple[str, Status]:
    if median is None:
        return Cause.REPLY_NONE.value, Status.CRITICAL
    ladder = (
        (lost >= limits.loss_critical, Cause.REPLY_LOSS.value, Status.CRITICAL),
        (median >= limits.delay_critical, Cause.REPLY_DELAY.value, Status.CRITICAL),
        (lost >= limits.loss_warning, "lossy", Status.WARNING),
        (median >= limits.delay_warning, "laggy", Status.WARNING),
    )
    return next(((cause, status) for bad, cause, status in ladder if bad), ("", Status.OK))


# --- figures


def _figures(trace: Trace, phases: tuple[str, ...]) -> Iterator[Measurement]:
    yield Measurement("opsd_probe_duration_seconds", trace.elapsed.total_seconds())
    yield Measurement("opsd_probe_last_run_timestamp_seconds", trace.at.timestamp())
    for name in phases:
        spent = [phase.seconds for phase in trace.phases if phase.name == name]
        if spent:  # roads are probed at the same time, steps one after the other
            seconds = max(spent) if trace.facts.roads else sum(spent)
            yield Measurement("opsd_probe_phase_duration_seconds", seconds, {"phase": name})
    if found := trace.facts.certificate:
        yield Measurement(
            "opsd_probe_tls_certificate_expiry_timestamp_seconds", found.ends.timestamp()
        )
    if (found_lag := trace.facts.replication) and found_lag.lag is not None:
        yield Measurement("opsd_probe_replication_lag_seconds", found_lag.lag.total_seconds())
    for name, packets in trace.facts.roads.items():
        yield Measurement("opsd_link_loss_ratio", packets.lost, {"link": name or MAIN})
        if packets.median is not None:
            yield Measurement("opsd_link_delay_seconds", packets.median, {"link": name or MAIN})


def _with(result: CheckResult, figures: tuple[Measurement, ...]) -> CheckResult:
    """The result with its figures; what is out was no success, whatever found it."""
    success = Measurement("opsd_probe_success", 0 if result.status is Status.CRITICAL else 1)
    return replace(result, measurements=(success, *figures))
