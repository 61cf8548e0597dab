"""Who gives way to whom: what removes packs ends when somebody begins to restore.

A restore reads without a lock, because it must work where nothing may be written. So a prune that
goes on would take packs away from under it. Whoever restores waits for nothing that can be done
tomorrow: the prune ends at once, and the next night goes on with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from opsd.clock import Stopwatch
from opsd.drivers import lock
from opsd.drivers.process import Stop
from opsd.errors import Cancelled, OpsdError, RepositoryLocked
from opsd.model import Run, Severity, Task
from opsd.tasks.journal import Journal
from opsd.tasks.kit import Kit

_TICK_SECONDS = 0.3
_PATIENCE = timedelta(minutes=2)  # restic ends within seconds of being asked


def insist(journal: Journal) -> None:
    """Raise `RepositoryLocked` while somebody restores from the run's repository."""
    repository = journal.run.repository
    for run in under_way(journal.kit, Task.RESTORE, repository):
        raise RepositoryLocked("retention.restoring", repository=repository, run=run.id)


@contextmanager
def giving(journal: Journal) -> Iterator[Journal]:
    """The same run, for work that a restore ends. Raises `RepositoryLocked` when one did."""
    kit = replace(journal.kit, stop=Stop(journal.kit.stop))
    over, asked = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_TICK_SECONDS):
            try:
                if under_way(kit, Task.RESTORE, journal.run.repository):
                    asked.set()
                    kit.stop.request()
                    return
            except OpsdError:  # the history is busy: asked again
                continue

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield journal.on(kit)
    except Cancelled as ended:
        if not asked.is_set():
            raise
        raise RepositoryLocked("retention.gave_way", repository=journal.run.repository) from ended
    finally:
        over.set()
        watcher.join()


def clear(journal: Journal) -> None:
    """Wait until nobody removes packs from the repository that this run restores from.

    Whoever does has seen this run by now. What does not end in time is told, and left alone: a
    restore is not kept waiting.
    """
    kit, repository, watch = journal.kit, journal.run.repository, Stopwatch()
    while running := under_way(kit, Task.RETAIN, repository):
        kit.go_on()
        if watch.elapsed() > _PATIENCE:
            journal.find(
                Severity.CHANGE, "restore.beside", repository=repository, run=running[0].id
            )
            return
        time.sleep(_TICK_SECONDS)


def under_way(kit: Kit, task: Task, repository: str) -> tuple[Run, ...]:
    """The runs of a task on a repository that go on; of another host, as long as it says so."""
    return tuple(
        run
        for run in kit.store.unclosed_runs()
        if run.task is task
        and run.repository == repository
        and (run.host != kit.config.host or lock.held(kit.run_lease(run.id)))
    )
