"""What is done when a backup set is fired: the slot that is due, once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from opsd import app
from opsd.config.schema import Config
from opsd.errors import OpsdError
from opsd.metrics import Board
from opsd.model import Task
from opsd.policy import slots
from opsd.tasks.kit import Kit

log = logging.getLogger(__name__)


class Nights:
    """Runs the due slots, each with the configuration of the moment in which it begins."""

    def __init__(self, kit: Kit, config: Callable[[], Config], board: Board) -> None:
        self._kit = kit
        self._config = config
        self._board = board

    def due(self, name: str, config: Config) -> datetime | None:
        """The newest slot of a set, if it still wants a run."""
        at = config.backup_sets[name].schedule
        slot = slots.newest_due(self._kit.clock(), at, config.zone)
        fired = self._kit.store.fired(Task.BACKUP, name)
        return slot if slots.wants_run(slot, fired) else None

    def work(self, name: str) -> None:
        """Run the slot that is due, and the next one if it fell due meanwhile. Raises nothing."""
        tried: datetime | None = None
        while not self._kit.stop.requested:
            config = self._config()
            if name not in config.backup_sets:
                return
            try:
                slot = self.due(name, config)
                if slot is None or slot == tried:
                    return
                tried = slot
                self._run(name, config, slot)
            except OpsdError as error:
                log.error("%s: %s", name, error, extra={"backup_set": name})  # noqa: TRY400
            except Exception:
                log.exception("%s: opsd itself failed", name, extra={"backup_set": name})
            if tried is None:
                return

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
