"""The composition root: a configuration becomes a kit that tasks can work with."""

from __future__ import annotations

from datetime import datetime

from checks import CHECKS
from opsd import clock as wall
from opsd.clock import Clock
from opsd.config.schema import Config
from opsd.drivers import system
from opsd.drivers.process import Stop
from opsd.errors import Refused
from opsd.model import Task
from opsd.store import Cases, Store, Watch
from opsd.tasks import audit
from opsd.tasks.backup import back_up
from opsd.tasks.check.disturbances import Disturbances
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.watching import Door, Watching
from opsd.tasks.kit import Kit, Nobody, Watcher
from opsd.tasks.prove import prove
from opsd.tasks.retain import retain

STORE = "opsd.sqlite"
WATCH = "watch.sqlite"


def assemble(
    config: Config,
    *,
    clock: Clock = wall.now,
    stop: Stop | None = None,
    watcher: Watcher | None = None,
) -> Kit:
    """Everything a task works with. The caller closes `kit.store`.

    Raises `Refused` where root would leave files that the owner of the state cannot open.
    """
    owner = system.other_owner(config.state)
    if owner is not None:
        raise Refused("state.foreign", state=config.state, owner=owner)
    return Kit(
        config=config,
        store=Store(config.state / STORE),
        clock=clock,
        stop=stop or Stop(),
        watcher=watcher or Nobody(),
    )


def night(kit: Kit, backup_set: str, slot: datetime | None = None) -> dict[Task, bool]:
    """What a schedule does each night: back up, prove what was taken, drop what need not stay."""
    try:
        return _night(kit, backup_set, slot)
    finally:
        audit.verify(kit, [backup_set])


def _night(kit: Kit, backup_set: str, slot: datetime | None) -> dict[Task, bool]:
    backup = back_up(kit, backup_set, slot)
    done = {Task.BACKUP: backup.closing.outcome.good}
    if backup.point is not None and kit.backup_set(backup_set).prove.after_backup:
        done[Task.PROVE] = prove(kit, backup_set, backup.point.id).closing.outcome.good
    if kit.backup_set(backup_set).retention is not None and all(done.values()):
        done[Task.RETAIN] = retain(kit, backup_set).closing.outcome.good
    return done


def cases(config: Config) -> Cases:
    """Flips, incidents and maintenance. The caller closes it."""
    return Cases(config.state / STORE)


def samples(config: Config) -> Watch:
    """What is watched now. The caller closes it."""
    return Watch(config.state / WATCH)


def watching(kit: Kit, cases: Cases, watch: Watch, door: Door) -> Watching:
    """Everything that is watched; nothing is before a configuration is adopted."""
    disturbances = Disturbances(kit)
    ledger = Ledger(cases, watch, disturbances)
    return Watching(ledger, watch, CHECKS, door, disturbances)
