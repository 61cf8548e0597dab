"""The watch of a running daemon: what it keeps, its rounds, and what the metrics page is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from opsd import app
from opsd.clock import Clock
from opsd.config.schema import Config
from opsd.daemon.rounds import Rounds
from opsd.metrics import Watched
from opsd.store import Cases
from opsd.tasks.check.watching import Door, Watching
from opsd.tasks.kit import Kit


@dataclass(frozen=True, slots=True)
class Watchtower:
    """Everything about the watch; `config` is asked anew each time."""

    watching: Watching
    rounds: Rounds
    cases: Cases
    config: Callable[[], Config]
    clock: Clock

    def adopt(self, kit: Kit) -> None:
        """Watch what the configuration of the moment names."""
        self.rounds.adopt(self.watching.adopt(replace(kit, config=self.config())))

    def watched(self) -> Watched:
        """What is watched, just now."""
        config, ledger = self.config(), self.watching.ledger
        return Watched(
            states=ledger.states(),
            intervals={asked: rule.interval for asked, rule in ledger.rules.items()},
            counts=ledger.counts(),
            missed=self.rounds.missed,
            incidents=self.cases.incidents(),
            maintenance=self.cases.maintenance(self.clock()),
            hosts=tuple(config.hosts),
            bare=frozenset(name for name, host in config.hosts.items() if host.node_exporter),
        )


@contextmanager
def tower(kit: Kit, config: Callable[[], Config], door: Door) -> Iterator[Watchtower]:
    """Open what the watch keeps, for as long as the daemon lives; written down at the end."""
    cases, watch = app.cases(kit.config), app.samples(kit.config)
    watching = app.watching(kit, cases, watch, door)
    made = Watchtower(watching, Rounds(kit.clock), cases, config, kit.clock)
    try:
        yield made
    finally:
        made.rounds.end()
        watching.ledger.close()
        watch.close()
        cases.close()
