"""`opsd run`: schedules, signals, readiness. The only door to apscheduler."""

from opsd.daemon.service import run

__all__ = ["run"]
