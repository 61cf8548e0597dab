"""What is done when a backup set is fired: the slot that is due, once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opsd import app
from opsd.config.schema import Config
from opsd.errors import OpsdError
from opsd.metrics import Board
from opsd.model import Evidence, Task
from opsd.policy import slots
from opsd.tasks import sweep
from opsd.tasks.kit import Kit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lost:
    """A slot of which nothing could be recorded: how often it was tried, and why that failed."""

    slot: datetime
    tries: int
    error: str


class Nights:
    """Runs the due slots, each with the configuration of the moment in which it begins."""

    def __init__(self, kit: Kit, config: Callable[[], Config], board: Board) -> None:
        self._kit = kit
        self._config = config
        self._board = board
        self._lost: dict[str, Lost] = {}

    def due(self, name: str, config: Config) -> datetime | None:
        """The newest slot of a set, if it still wants a run."""
        slot = self._newest(name, config)
        fired = self._kit.store.fired(Task.BACKUP, name)
        return slot if slots.wants_run(slot, fired) else None

    def work(self, name: str) -> timedelta | None:
        """Run the slot that is due, and the next one if it fell due meanwhile. Raises nothing.

        Gives how long to wait before a slot is tried again that was lost: no run tells of it.
        """
        while not self._kit.stop.requested:
            config = self._config()
            if name not in config.backup_sets:
                return None
            slot, error = self._newest(name, config), ""
            try:
                sweep.sweep(replace(self._kit, config=config))
                if self.due(name, config) is None:
                    return None
                self._run(name, config, slot)
            except OpsdError as failure:
                error = str(failure)
                log.error("%s: %s", name, failure, extra={"backup_set": name})  # noqa: TRY400
            except Exception as fault:
                error = repr(fault)
                log.exception("%s: opsd itself failed", name, extra={"backup_set": name})
            if not self._recorded(name, config, slot):
                return self._lose(name, config, Lost(slot, 1, error))
        return None

    def _newest(self, name: str, config: Config) -> datetime:
        at = config.backup_sets[name].schedule
        return slots.newest_due(self._kit.clock(), at, config.zone)

    def _recorded(self, name: str, config: Config, slot: datetime) -> bool:
        """Whether the history has a run of the slot that came to its end, be it a bad one.

        One whose end could not be written is dead, and settled as such; the losses are told to the
        one that is there at last.
        """
        store = self._kit.store
        try:
            sweep.sweep(replace(self._kit, config=config))
            fired = store.fired(Task.BACKUP, name)
            if slots.wants_run(slot, fired):
                return False
            lost = self._lost.pop(name, None)
            if lost is not None and lost.slot == slot:
                run = next(run for run, _ in reversed(fired) if run.slot == slot)
                told = {"tries": lost.tries, "error": lost.error}
                store.add_evidence(Evidence(run.id, self._kit.clock(), "lost", told))
        except OpsdError as error:
            log.error("%s: %s", name, error, extra={"backup_set": name})  # noqa: TRY400
            return False
        return True

    def _lose(self, name: str, config: Config, lost: Lost) -> timedelta | None:
        """Count the loss, and give how long to wait."""
        if self._kit.stop.requested:
            return None
        before = self._lost.get(name)
        if before is not None and before.slot == lost.slot:
            lost = replace(lost, tries=before.tries + 1)
        self._lost[name] = lost
        now = self._kit.clock()
        following = slots.next_due(now, config.backup_sets[name].schedule, config.zone)
        wait = slots.wait_after(lost.tries, following - now)
        told = {"backup_set": name, "slot": lost.slot.isoformat()}
        again = f"tried again in {wait}" if wait else "left until the next slot"
        log.warning("%s: lost %d times, %s", name, lost.tries, again, extra=told)
        return wait

    def _run(self, name: str, config: Config, slot: datetime) -> None:
        told = {"backup_set": name, "slot": slot.isoformat()}
        now = self._kit.clock()
        if slots.late(slot, now):
            log.warning("%s: late, this was due %s ago", name, now - slot, extra=told)
        line = self._board.line(name)
        kit = replace(self._kit, config=config, watcher=line)
        try:
            done = app.night(kit, name, slot)
        finally:
            line.clear()
        for task, good in done.items():
            level = logging.INFO if good else logging.ERROR
            log.log(level, "%s: %s %s", name, task, "done" if good else "not good", extra=told)
