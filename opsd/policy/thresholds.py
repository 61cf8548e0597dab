"""From a figure to a status."""

from __future__ import annotations

from opsd.model import Status


def at_least(value: float, warning: float | None, critical: float | None) -> Status:
    """The status of a figure that is bad when it is large; a limit that is None is none."""
    if critical is not None and value >= critical:
        return Status.CRITICAL
    return Status.WARNING if warning is not None and value >= warning else Status.OK


def at_most(value: float, warning: float | None, critical: float | None) -> Status:
    """The status of a figure that is bad when it is small."""
    return at_least(
        -value,
        None if warning is None else -warning,
        None if critical is None else -critical,
    )
