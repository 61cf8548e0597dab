"""Metrics of probes: services as they look from outside, and links."""

from __future__ import annotations

from typing import Final

from opsd.metrics.families import Family

_PROBE = ("check",)
_LINK = ("check", "link")

OF_PROBES: Final = (
    Family(
        "opsd_probe_info",
        ("check", "kind", "scope", "address"),
        "Facts about a probe; scope is internal or upstream; always 1.",
    ),
    Family("opsd_probe_interval_seconds", _PROBE, "Configured interval of the probe."),
    Family("opsd_probe_error_budget_ratio", _PROBE, "1 minus the objective of the probe, 0 to 1."),
    Family("opsd_probe_runs_total", _PROBE, "Probes that were made, however they ended."),
    Family(
        "opsd_probe_run_failures_total",
        ("check", "phase"),
        "Probes that found the service out, by the first phase that failed.",
    ),
    Family("opsd_probe_success", _PROBE, "1 when the last probe found the service up, else 0."),
    Family("opsd_probe_duration_seconds", _PROBE, "Duration of the last probe."),
    Family(
        "opsd_probe_phase_duration_seconds",
        ("check", "phase"),
        "Duration of a phase of the last probe; in a walk, of all its steps.",
    ),
    Family("opsd_probe_last_run_timestamp_seconds", _PROBE, "Time of the last probe."),
    Family(
        "opsd_probe_tls_certificate_expiry_timestamp_seconds",
        _PROBE,
        "Earliest end in the chain of certificates: verified, or where it is not, as presented.",
    ),
    Family(
        "opsd_probe_replication_lag_seconds",
        _PROBE,
        "How far behind a standby is, or the last of those that a server feeds.",
    ),
    Family("opsd_link_loss_ratio", _LINK, "Share of packets lost on a link in the last probe."),
    Family(
        "opsd_link_delay_seconds",
        _LINK,
        "Median time there and back on a link in the last probe; absent while nothing comes back.",
    ),
)
