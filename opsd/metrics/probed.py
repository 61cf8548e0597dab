"""What is configured and counted of probes; what the last one saw comes with its state."""

from __future__ import annotations

from collections.abc import Mapping

from opsd.config.probes import PingProbe, Probe, target
from opsd.metrics.table import Page
from opsd.policy.probing import failing_phase
from opsd.trace import PHASES

Counts = Mapping[tuple[str, str, str], int]


def tell(page: Page, probes: Mapping[str, Probe], counts: Counts) -> None:
    """Add every probe; phases that never failed count 0."""
    for name, probe in probes.items():
        if not probe.enabled:
            continue
        page.add("opsd_probe_info", 1, name, probe.kind, probe.scope.value, target(probe))
        page.add("opsd_probe_interval_seconds", probe.interval.total_seconds(), name)
        page.add("opsd_probe_error_budget_ratio", float(1 - probe.objective), name)
        _tell_counts(page, name, probe, counts)


def _tell_counts(page: Page, name: str, probe: Probe, counts: Counts) -> None:
    """A run has an answer for the whole, and where there are two links, one for each."""
    asked = (probe.host or "", name)
    own = {cause: n for (host, check, cause), n in counts.items() if (host, check) == asked}
    answers = 3 if isinstance(probe, PingProbe) and probe.standby else 1
    page.add("opsd_probe_runs_total", sum(own.values()) // answers, name)
    for phase in PHASES[probe.kind]:
        failures = sum(n for cause, n in own.items() if failing_phase(cause) == phase)
        page.add("opsd_probe_run_failures_total", failures, name, phase)
