"""The composition root: everything that goes on by itself, wired together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from checks import CHECKS
from opsd import clock as wall
from opsd.assembly import history, samples
from opsd.config import playbook_files
from opsd.config.schema import Config
from opsd.engine import Engine
from opsd.errors import OpsdError
from opsd.model import Closing, Task
from opsd.policy import slots
from opsd.store import Alerts, Claims, Responses, Watch
from opsd.tasks import audit
from opsd.tasks.backup import back_up
from opsd.tasks.check.disturbances import Disturbances
from opsd.tasks.check.itself import Itself
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.own import Heartbeat
from opsd.tasks.check.watching import Door, Watching
from opsd.tasks.coverage import cover
from opsd.tasks.kit import Kit
from opsd.tasks.prove import prove
from opsd.tasks.respond import judging
from opsd.tasks.respond.hands import Reach
from opsd.tasks.respond.means import Means, Shelf
from opsd.tasks.respond.written import Written
from opsd.tasks.retain import retain
from opsd.tasks.wal import nightly
from playbooks import PLAYBOOKS

log = logging.getLogger(__name__)


def night(kit: Kit, backup_set: str, slot: datetime | None = None) -> dict[Task, bool]:
    """What a schedule does each night: back up, prove, read again, drop what need not stay."""
    try:
        return _night(replace(kit, slot=slot), backup_set)
    finally:
        audit.verify(kit, [backup_set])


def _night(kit: Kit, name: str) -> dict[Task, bool]:
    backup_set, parts = kit.backup_set(name), _Parts(kit, name)
    taken = parts.do(Task.BACKUP, lambda: back_up(kit, name).closing)
    if taken and backup_set.prove.after_backup and kit.store.point(taken.run) is not None:
        parts.do(Task.PROVE, lambda: prove(kit, name, taken.run).closing)
    parts.do(Task.COVER, lambda: cover(kit, name).closing)
    if backup_set.retention is not None and parts.all_good:
        parts.do(Task.RETAIN, lambda: retain(kit, name).closing)
    if backup_set.logged or backup_set.streamed:
        parts.do(Task.BASE, lambda: nightly.take_bases(kit, name))
        parts.do(Task.REPLAY, lambda: nightly.replay_all(kit, name))
    return parts.ended()


@dataclass(slots=True)
class _Parts:
    """The parts of a night: one that fails leaves those alone that do not build on it.

    What is stored decays also while the source cannot be backed up, or retention is frozen.
    """

    kit: Kit
    name: str
    done: dict[Task, bool] = field(default_factory=dict)
    failed: list[OpsdError] = field(default_factory=list)

    @property
    def all_good(self) -> bool:
        """Whether nothing so far went wrong."""
        return all(self.done.values())

    def do(self, task: Task, run: Callable[[], Closing]) -> Closing | None:
        """How a part ended; None where it raised. Raises when opsd itself is to end."""
        self.kit.go_on()
        try:
            closing = self._once(task, run)
        except OpsdError as error:
            if self.kit.stop.requested:
                raise
            self.failed.append(error)
            self.done[task] = False
            return None
        self.done[task] = closing.outcome.good
        return closing

    def ended(self) -> dict[Task, bool]:
        """Which parts were good. Raises what the first of them raised."""
        if self.failed:
            raise self.failed[0]
        return self.done

    def _once(self, task: Task, run: Callable[[], Closing]) -> Closing:
        """A night that was cut short goes on behind the runs of its slot that came to their end."""
        slot = self.kit.slot
        before = self.kit.store.ended(task, self.name, slot) if slot else None
        if before is None:
            return run()
        log.info("%s: %s is done already for this slot", self.name, task)
        return before[1]


def engine(kit: Kit) -> Engine:
    """What sees to it that each slot is worked on once. The caller ends it."""
    return Engine(Claims(history(kit.config)), kit.clock, kit.stop, tries=slots.TRIES)


def watching(kit: Kit, alerts: Alerts, watch: Watch, door: Door) -> Watching:
    """Everything that is watched; nothing is before a configuration is adopted."""
    disturbances = Disturbances(kit)
    ledger = Ledger(alerts, watch, disturbances, wall.Steps(kit.clock).by)
    heartbeat = Heartbeat(alerts.last_heard, kit.clock())
    itself = Itself(kit.clock, {"history": alerts.try_writing, "watch": watch.try_writing})
    return Watching(ledger, watch, CHECKS, door, disturbances, heartbeat, itself)


def means(kit: Kit, journal: Responses, reach: Reach) -> Means:
    """Everything that answers incidents, by the configuration of the kit."""
    judge = judging.judge(kit, reach, CHECKS, lambda: samples(kit.config))
    return Means(kit, journal, shelf(kit.config), reach, judge)


def shelf(config: Config) -> Shelf:
    """Every playbook by its name: the site's own, which are asked first, and ours.

    Raises `ConfigMistakes` where one of the site's own is wrong.
    """
    names = playbook_files.known(config, PLAYBOOKS)
    own, bad = playbook_files.load_all(config.automation.playbooks, names)
    if bad:
        raise bad[0]
    written = {one.playbook: Written(one) for one in own}
    options = config.playbooks.options
    return {**written, **{name: made(options(name)) for name, made in PLAYBOOKS.items()}}
