"""A run's turn at its repository: one at a time, however long it has to wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from opsd.tasks.journal import Journal


@contextmanager
def turn(journal: Journal) -> Iterator[None]:
    """Hold the repository's queue; the waiting is a phase of the run, and evidence."""
    kit, run = journal.kit, journal.run
    wait = kit.config.repositories[run.repository].lock_wait
    with ExitStack() as held:
        with journal.phase("queue", run.repository):
            holder = f"{run.task} {run.backup_set} {run.id}"
            waited = held.enter_context(kit.queue(run.repository, holder, wait))
        journal.evidence("waited", {"seconds": waited.total_seconds()})
        yield
