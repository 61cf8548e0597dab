"""What is done when a backup set is fired: the slot that is due, once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opsd import app
from opsd.config.schema import Config
from opsd.engine import Attempt, Engine, Work
from opsd.errors import OpsdError
from opsd.metrics import Board
from opsd.model import Evidence, Outcome, Run, Task
from opsd.policy import slots
from opsd.tasks import sweep
from opsd.tasks.kit import Kit

log = logging.getLogger(__name__)

NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Lost:
    """A slot that did not come to its end: how often it was tried, and why that failed."""

    slot: datetime
    tries: int
    error: str


@dataclass(frozen=True, slots=True)
class Night:
    """A set and its slot, with the configuration of the moment."""

    kit: Kit
    name: str
    slot: datetime

    @property
    def work(self) -> Work:
        """By which it is claimed."""
        return Work(NIGHT, self.name, self.slot)

    @property
    def told(self) -> dict[str, str]:
        """What a line of the log says of it besides."""
        return {"backup_set": self.name, "slot": self.slot.isoformat()}

    def tries(self) -> list[tuple[Run, Outcome | None]]:
        """The backups of this slot, oldest first."""
        fired = self.kit.store.fired(Task.BACKUP, self.name)
        return [(run, outcome) for run, outcome in fired if run.slot == self.slot]


class Nights:
    """Runs the due slots, each with the configuration of the moment in which it begins."""

    def __init__(
        self, kit: Kit, config: Callable[[], Config], engine: Engine, board: Board
    ) -> None:
        self._kit = kit
        self._config = config
        self._engine = engine
        self._board = board
        self._lost: dict[str, Lost] = {}

    def due(self, name: str) -> bool:
        """Whether the newest slot of a set still wants a run."""
        night = self._newest(name)
        return night is not None and self._wanted(night)

    def work(self, name: str) -> timedelta | None:
        """Run the slot that is due, and the next one if it fell due meanwhile. Raises nothing.

        Gives how long to wait before a slot is tried again that did not come to its end.
        """
        while not self._kit.stop.requested and (night := self._newest(name)) is not None:
            error = ""
            try:
                sweep.sweep(night.kit)
                if not self._wanted(night):
                    return None
                with self._engine.attempt(night.work) as attempt:
                    if attempt is None:
                        return None
                    error = self._try(night, attempt)
                    over = self._settled(night, attempt)
            except OpsdError as failure:
                error, over = error or str(failure), False
                log.error("%s: %s", name, failure, extra=night.told)  # noqa: TRY400
            if not over:
                return self._lose(night, error)
        return None

    def _newest(self, name: str) -> Night | None:
        """The newest slot of a set; nothing when the configuration has no such set any more."""
        config = self._config()
        if name not in config.backup_sets:
            return None
        at = config.backup_sets[name].schedule
        slot = slots.newest_due(self._kit.clock(), at, config.zone)
        return Night(replace(self._kit, config=config), name, slot)

    def _wanted(self, night: Night) -> bool:
        fired = self._kit.store.fired(Task.BACKUP, night.name)
        return self._engine.wants(night.work, untried=slots.wants_run(night.slot, fired))

    def _try(self, night: Night, attempt: Attempt) -> str:
        """Do what is left of a night; gives what went wrong. Raises nothing."""
        name = night.name
        try:
            if (
                before := attempt.claim.before
            ) is not None and before.name != self._kit.config.host:
                sweep.settle(night.kit, before.name, name, night.slot)
            self._run(night, attempt)
        except OpsdError as failure:
            log.error("%s: %s", name, failure, extra=night.told)  # noqa: TRY400
            return str(failure)
        except Exception as fault:
            log.exception("%s: opsd itself failed", name, extra=night.told)
            return repr(fault)
        return ""

    def _run(self, night: Night, attempt: Attempt) -> None:
        now = self._kit.clock()
        if slots.late(night.slot, now):
            late = now - night.slot
            log.warning("%s: late, this was due %s ago", night.name, late, extra=night.told)
        line = self._board.line(night.name)
        kit = replace(night.kit, watcher=line, stop=attempt.stop)
        try:
            done = app.night(kit, night.name, night.slot)
        finally:
            line.clear()
        for task, good in done.items():
            level = logging.INFO if good else logging.ERROR
            said = "done" if good else "not good"
            log.log(level, "%s: %s %s", night.name, task, said, extra=night.told)

    def _settled(self, night: Night, attempt: Attempt) -> bool:
        """Whether the slot is at its end, be it a bad one; the engine is told.

        A run whose end could not be written is dead, and settled as such. Of a slot without any run
        nothing could be recorded; the losses are told to the run that is there at last.
        """
        sweep.sweep(night.kit)
        tries = night.tries()
        if not tries:
            attempt.lose()
            return False
        if tries[-1][1] is Outcome.INTERRUPTED or attempt.stop.requested:
            return False
        lost = self._lost.pop(night.name, None)
        if lost is not None and lost.slot == night.slot:
            told = {"tries": lost.tries, "error": lost.error}
            self._kit.store.add_evidence(Evidence(tries[-1][0].id, self._kit.clock(), "lost", told))
        attempt.finish()
        return True

    def _lose(self, night: Night, error: str) -> timedelta | None:
        """Count the loss, and give how long to wait."""
        if self._kit.stop.requested:
            return None
        name, lost = night.name, Lost(night.slot, 1, error)
        before = self._lost.get(name)
        if before is not None and before.slot == lost.slot:
            lost = replace(lost, tries=before.tries + 1)
        self._lost[name] = lost
        now, config = self._kit.clock(), night.kit.config
        following = slots.next_due(now, config.backup_sets[name].schedule, config.zone)
        wait = slots.wait_after(lost.tries, following - now)
        again = f"tried again in {wait}" if wait else "left until the next slot"
        log.warning("%s: lost %d times, %s", name, lost.tries, again, extra=night.told)
        return wait
