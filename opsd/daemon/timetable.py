"""The timetable: wakes the work of each backup set when it is due, one at a time a repository."""

from __future__ import annotations

import time as monotonic
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from opsd.clock import Clock
from opsd.config.schema import BackupSet, Config
from opsd.daemon.triggers import Daily, Every

_TICK = "tick"
_SET = "set:"
_AGAIN = "again:"
_NOW = "now:"
_MISSED_TICKS = 4
_LEAST_PATIENCE = 10.0

Work = Callable[[str], timedelta | None]  # gives how long to wait before it is done again


class Timetable:
    """Fires each set's schedule, and ticks to show that it lives.

    Each repository has one thread, which lives as long as the timetable: sets of one repository
    wait in line, others do not notice. What is due is decided by the work itself from the history,
    so that firing once too often does no harm.
    """

    def __init__(self, work: Work, clock: Clock, tick: timedelta) -> None:
        self._work = work
        self._clock = clock
        self._patience = max(_LEAST_PATIENCE, _MISSED_TICKS * tick.total_seconds())
        self._ticked = monotonic.monotonic()
        self._last_tick: datetime | None = None
        self._repositories: set[str] = set()
        self._planned: dict[str, tuple[str, time, str]] = {}
        self._scheduler: Any = BackgroundScheduler(
            timezone=UTC,
            executors={_TICK: ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_job(
            self._tick,
            Every(clock(), tick),
            id=_TICK,
            executor=_TICK,
            next_run_time=clock(),
        )

    def begin(self) -> None:
        """Start to fire."""
        self._ticked = monotonic.monotonic()
        self._scheduler.start()

    def end(self) -> None:
        """Fire no more, and wait until the work under way has ended."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def adopt(self, config: Config, at_once: Collection[str]) -> None:
        """Follow a configuration; the sets in `at_once` are fired now besides.

        A set whose schedule did not change is left alone, so that it cannot lose a slot that is
        due at this moment.
        """
        for name in set(self._planned) - set(config.backup_sets):
            self._scheduler.remove_job(_SET + name)
            del self._planned[name]
        for name, backup_set in config.backup_sets.items():
            plan = (backup_set.repository, backup_set.schedule, config.timezone)
            if self._planned.get(name) != plan:
                self._add(name, backup_set, config, now=name in at_once)
                self._planned[name] = plan

    def fire(self, name: str) -> None:
        """Fire a set now, besides its schedule; one that is not in the timetable is left alone."""
        plan = self._planned.get(name)
        if plan is not None:
            self._at(_NOW + name, self._clock(), (name, f"repository:{plan[0]}"))

    def plan_anew(self) -> None:
        """Follow a clock that was set: nothing waits until it is again as late as it was.

        What was due by the time before is done all the same.
        """
        for job in self._scheduler.get_jobs():
            with suppress(JobLookupError):  # it was just done
                if job.id.startswith((_AGAIN, _NOW)):
                    job.modify(next_run_time=self._clock())
                elif job.next_run_time > self._clock():
                    job.reschedule(job.trigger)

    def _add(self, name: str, backup_set: BackupSet, config: Config, *, now: bool) -> None:
        executor = f"repository:{backup_set.repository}"
        if executor not in self._repositories:
            self._scheduler.add_executor(ThreadPoolExecutor(1), executor)
            self._repositories.add(executor)
        self._scheduler.add_job(
            self._fire,
            Daily(backup_set.schedule, config.zone),
            args=(name, executor),
            id=_SET + name,
            executor=executor,
            replace_existing=True,
            **({"next_run_time": self._clock()} if now else {}),
        )

    def _fire(self, name: str, executor: str) -> None:
        wait = self._work(name)
        if wait is not None:
            self._at(_AGAIN + name, self._clock() + wait, (name, executor))

    def _at(self, job: str, at: datetime, arguments: tuple[str, str]) -> None:
        self._scheduler.add_job(
            self._fire,
            DateTrigger(at, UTC),
            args=arguments,
            id=job,
            executor=arguments[1],
            replace_existing=True,
        )

    @property
    def next_runs(self) -> dict[str, datetime]:
        """When each set is fired next."""
        return {
            job.id.removeprefix(_SET): job.next_run_time
            for job in self._scheduler.get_jobs()
            if job.id.startswith(_SET) and getattr(job, "next_run_time", None) is not None
        }

    @property
    def last_tick(self) -> datetime | None:
        """When it last showed that it lives."""
        return self._last_tick

    @property
    def ticking(self) -> bool:
        """Whether it showed lately that it lives; the wall clock has no say in this."""
        return monotonic.monotonic() - self._ticked < self._patience

    def _tick(self) -> None:
        self._ticked = monotonic.monotonic()
        self._last_tick = self._clock()
