"""Whose fault it is: a probe made together with those that can tell."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from opsd.clock import Clock, now
from opsd.config.probes import DnsProbe, PingProbe, Probe, Scope
from opsd.config.schema import Config
from opsd.drivers.net.route import route
from opsd.drivers.net.tracing import OnPhase
from opsd.model import CheckResult
from opsd.policy.blame import Blame, Seen, blame
from opsd.tasks.check.probing import judge, observe
from opsd.trace import Hop, Trace

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Looked:
    """A probe, what it found, whose fault it is, and what was seen around it."""

    trace: Trace
    results: tuple[CheckResult, ...]
    blame: Blame
    around: tuple[Seen, ...]
    way: tuple[Hop, ...]


def look_around(
    config: Config, name: str, clock: Clock = now, on_phase: OnPhase = lambda _: None
) -> Looked:
    """Make a probe, and at the same time those it needs, all links, and other partners' ones."""
    probe = config.probes[name]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        own = pool.submit(observe, probe, clock, on_phase)
        others = _others(config, name, clock, pool)
        trace, around = own.result(), tuple(other.result() for other in others)
    results = judge(probe, trace)
    verdict = _blamed(probe, _as_seen(name, probe, trace, results[0]), around)
    peer = trace.facts.peer if not isinstance(probe, DnsProbe) else ""
    return Looked(trace, results, verdict, around, route(peer) if peer else ())


def whose(config: Config, name: str, trace: Trace, whole: CheckResult, clock: Clock = now) -> Blame:
    """Whose fault it is that a service is out, by the probes around it, made now."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        around = tuple(other.result() for other in _others(config, name, clock, pool))
    probe = config.probes[name]
    return _blamed(probe, _as_seen(name, probe, trace, whole), around)


def _others(
    config: Config, name: str, clock: Clock, pool: ThreadPoolExecutor
) -> list[Future[Seen]]:
    names = [other for other in config.probes if other != name and _tells(config, name, other)]
    return [pool.submit(_seen, other, config.probes[other], clock) for other in names]


def _blamed(probe: Probe, seen: Seen, around: tuple[Seen, ...]) -> Blame:
    return blame(seen, around, frozenset(probe.depends_on))


def _tells(config: Config, name: str, other: str) -> bool:
    """Whether what another probe sees says something about this one."""
    probe, there = config.probes[name], config.probes[other]
    if not there.enabled:
        return False
    return (
        other in probe.depends_on or isinstance(there, PingProbe) or there.scope is Scope.UPSTREAM
    )


def _seen(name: str, probe: Probe, clock: Clock) -> Seen:
    trace = observe(probe, clock)
    return _as_seen(name, probe, trace, judge(probe, trace)[0])


def _as_seen(name: str, probe: Probe, trace: Trace, whole: CheckResult) -> Seen:
    return Seen(name, probe.kind, probe.scope, trace, whole.status, whole.cause)
