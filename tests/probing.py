"""Making probes in tests: from options, to trace and results, and not for longer than they may."""

from __future__ import annotations

import time
from typing import Any

from pydantic import TypeAdapter

from opsd.config.probes import Probe
from opsd.model import CheckResult
from opsd.tasks.check.probing import judge, observe
from opsd.trace import Phase, Trace

READ: TypeAdapter[Probe] = TypeAdapter(Probe)
# Beyond the deadline nothing is waited for. The servers of tests hold on for 20 s.
SLACK = 10.0


def made(kind: str, **options: Any) -> Probe:
    """A probe that is in a hurry, from options as they are written."""
    return READ.validate_python({"kind": kind, "timeout": "1s", "interval": "15s", **options})


def patient(kind: str, **options: Any) -> Probe:
    """A probe that has time: what it finds does not depend on how busy the machine is."""
    return made(kind, **{"timeout": "10s", **options})


def probed(probe: Probe, slack: float = SLACK) -> tuple[Trace, tuple[CheckResult, ...]]:
    """The trace and its results."""
    began = time.monotonic()
    trace = observe(probe)
    assert time.monotonic() - began < probe.timeout.total_seconds() + slack
    return trace, judge(probe, trace)


def failed(trace: Trace) -> Phase:
    """The phase that failed; one must have."""
    assert trace.failed is not None, trace
    return trace.failed
