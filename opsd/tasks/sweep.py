"""Clear up after runs that died: close them as interrupted, wipe what they left in scratch.

A run holds a lease while it lives, so that a free lease is the proof of its death. What it left may
be restored personal data: the wiping is recorded.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from opsd.drivers import lock, system
from opsd.model import Closing, Evidence, Finding, Outcome, Run, Severity
from opsd.tasks.kit import Kit, is_run_id

log = logging.getLogger(__name__)


def sweep(kit: Kit) -> tuple[Run, ...]:
    """Settle the dead runs and give them."""
    dead = tuple(
        run
        for run in kit.store.unclosed_runs()
        if run.host == kit.config.host and not lock.held(kit.run_lease(run.id))
    )
    for run in dead:
        log.warning("run %s of %s died: recorded as interrupted", run.id, run.backup_set)
        kit.store.close_run(
            Closing(
                run=run.id,
                closed_at=kit.clock(),
                outcome=Outcome.INTERRUPTED,
                elapsed=timedelta(),
                reason="interrupted",
                findings=(Finding(Severity.FAULT, "run.died", {"pid": str(run.pid)}),),
            )
        )
        kit.run_lease(run.id).unlink(missing_ok=True)
    _wipe_leftovers(kit)
    return dead


def _wipe_leftovers(kit: Kit) -> None:
    if not kit.config.scratch.exists():
        return
    for left in sorted(kit.config.scratch.iterdir()):
        if not is_run_id(left.name) or left.is_symlink() or lock.held(kit.run_lease(left.name)):
            continue
        wiped = system.wipe(left)
        log.warning("wiped %s: %d files, %d bytes", left, wiped.files, wiped.bytes)
        if kit.store.run(left.name) is not None:
            kit.store.add_evidence(
                Evidence(
                    left.name,
                    kit.clock(),
                    "wiped",
                    {
                        "files": wiped.files,
                        "bytes": wiped.bytes,
                        "processes": wiped.processes,
                        "after_crash": True,
                    },
                )
            )
