"""The rounds of the watch: each errand at its own interval, and none waits for another."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from opsd.clock import Clock
from opsd.daemon.triggers import Every
from opsd.errors import OpsdError
from opsd.tasks.check.watching import Errand

log = logging.getLogger(__name__)

# Hosts that do not answer hold a thread each until they are given up; none is made before it is
# needed.
_THREADS = 256
# Rounds are spread, so that not all hosts are asked in the same moment.
_FIRST_WITHIN = timedelta(seconds=15)


class Rounds:
    """Runs errands again and again. One that is not done when it is due again misses that turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._intervals: dict[str, timedelta] = {}
        self._errands: Mapping[str, Errand] = {}
        self._missed: Counter[str] = Counter()
        self._scheduler: Any = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(_THREADS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._miss, EVENT_JOB_MAX_INSTANCES)

    def begin(self) -> None:
        """Start to run them."""
        self._scheduler.start()

    def adopt(self, errands: Mapping[str, Errand]) -> None:
        """Run these from now on; one whose interval stays keeps its pace."""
        self._errands = errands
        for name in set(self._intervals) - set(errands):
            self._scheduler.remove_job(name)
            del self._intervals[name]
        for name, errand in errands.items():
            if self._intervals.get(name) != errand.interval:
                self._add(name, errand.interval)
                self._intervals[name] = errand.interval

    def plan_anew(self) -> None:
        """Follow a clock that was set: none waits until it is again as late as it was."""
        for job in self._scheduler.get_jobs():
            with suppress(JobLookupError):  # it is no longer wanted
                job.reschedule(job.trigger)

    def end(self) -> None:
        """Run none any more, and wait for those under way."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    @property
    def missed(self) -> Mapping[str, int]:
        """How many turns each errand missed, because it was still under way."""
        return {name: self._missed[name] for name in self._intervals}

    def _add(self, name: str, interval: timedelta) -> None:
        first = self._clock() + random.random() * min(interval, _FIRST_WITHIN)  # noqa: S311
        self._scheduler.add_job(
            self._run, Every(first, interval), args=(name,), id=name, replace_existing=True
        )

    def _run(self, name: str) -> None:
        errand = self._errands.get(name)
        if errand is None:
            return
        try:
            errand.work()
        except OpsdError as error:
            log.error("%s: %s", name, error, extra={"errand": name})  # noqa: TRY400
        except Exception:
            log.exception("%s: opsd itself failed", name, extra={"errand": name})

    def _miss(self, event: JobSubmissionEvent) -> None:
        self._missed[event.job_id] += 1
