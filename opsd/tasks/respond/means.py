"""What the answering of incidents works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from opsd.drivers.process import Stop
from opsd.model import Status
from opsd.playbook import Occasion, Playbook
from opsd.store import Responses
from opsd.tasks.kit import Kit
from opsd.tasks.respond.hands import Reach

# Playbooks by name, made with their options.
Shelf = Mapping[str, Playbook]

Judge = Callable[[Occasion], Status]
"""Asks the check that raised an incident, now; unknown where it cannot be asked from here."""


@dataclass(frozen=True, slots=True)
class Means:
    """The kit, the journal, the playbooks, the hands, and who judges."""

    kit: Kit
    responses: Responses
    playbooks: Shelf
    reach: Reach
    judge: Judge

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.kit.clock()

    @property
    def stop(self) -> Stop:
        """The wish to end."""
        return self.kit.stop
