"""What the daemon keeps of the watch, and tells the metrics page of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opsd import app
from opsd.clock import Clock
from opsd.config.schema import Config
from opsd.metrics import Watched
from opsd.store import Cases
from opsd.tasks.check.watching import Door, Watching
from opsd.tasks.kit import Kit


@dataclass(frozen=True, slots=True)
class Watchtower:
    """The watch of a running daemon."""

    watching: Watching
    cases: Cases
    config: Callable[[], Config]
    clock: Clock

    def watched(self) -> Watched:
        """What is watched, just now."""
        config, ledger = self.config(), self.watching.ledger
        return Watched(
            states=ledger.states(),
            intervals={asked: rule.interval for asked, rule in ledger.rules.items()},
            counts=ledger.counts(),
            incidents=self.cases.incidents(),
            maintenance=self.cases.maintenance(self.clock()),
            hosts=tuple(config.hosts),
            bare=frozenset(name for name, host in config.hosts.items() if host.node_exporter),
        )


@contextmanager
def tower(kit: Kit, config: Callable[[], Config], door: Door) -> Iterator[Watchtower]:
    """Open what the watch keeps, for as long as the daemon lives."""
    cases, watch = app.cases(kit.config), app.samples(kit.config)
    try:
        yield Watchtower(app.watching(kit, cases, watch, door), cases, config, kit.clock)
    finally:
        watch.close()
        cases.close()
