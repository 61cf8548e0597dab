"""Clear up after runs that died: close them as interrupted, wipe what they left in scratch.

A run holds two leases while it lives, so that a free lease is the proof of its death: one beside
the history, and one beside its place in scratch, which other histories may share. What it left may
be restored personal data: the wiping is recorded, by whoever has the run in its history.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from opsd.drivers import lock, system
from opsd.model import Closing, Evidence, Finding, Outcome, Run, Severity
from opsd.tasks.journal import scratch_failed
from opsd.tasks.kit import LEASE, Kit, is_run_id

log = logging.getLogger(__name__)


def sweep(kit: Kit) -> tuple[Run, ...]:
    """Settle the dead runs and give them."""
    dead = tuple(
        run
        for run in kit.store.unclosed_runs()
        if run.host == kit.config.host and not lock.held(kit.run_lease(run.id))
    )
    for run in dead:
        _close(kit, run)
        kit.run_lease(run.id).unlink(missing_ok=True)
    _wipe_leftovers(kit)
    return dead


def settle(kit: Kit, host: str, backup_set: str, slot: datetime) -> None:
    """Settle the runs of a slot on another host, of whose opsd the others know that it is gone."""
    for run in kit.store.unclosed_runs():
        if (run.host, run.backup_set, run.slot) == (host, backup_set, slot):
            _close(kit, run)


def _close(kit: Kit, run: Run) -> None:
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


def leftovers(kit: Kit) -> tuple[str, ...]:
    """The runs that are over or dead of which something lies in scratch."""
    try:
        found = {path.name.removesuffix(LEASE) for path in kit.config.scratch.iterdir()}
    except OSError:
        return ()
    return tuple(
        run
        for run in sorted(found)
        if is_run_id(run)
        and not kit.scratch(run).is_symlink()
        and not lock.held(kit.scratch_lease(run))
    )


def _wipe_leftovers(kit: Kit) -> None:
    """Wipe each under its lease: a run that begins just now finds it held, and waits."""
    for run in leftovers(kit):
        lease = kit.scratch_lease(run)
        try:
            with lock.lease(lease, "sweep"):
                _wipe(kit, run)
                lease.unlink(missing_ok=True)
        except lock.Busy:
            continue


def _wipe(kit: Kit, run: str) -> None:
    left = kit.scratch(run)
    if not left.exists():
        return
    try:
        wiped = system.wipe(left)
    except OSError as error:
        raise scratch_failed(error) from error
    said = (left, wiped.files, wiped.bytes, wiped.processes)
    log.warning("wiped %s: %d files, %d bytes, %d processes that had outlived opsd", *said)
    if kit.store.run(run) is not None:
        kit.store.add_evidence(
            Evidence(
                run,
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
