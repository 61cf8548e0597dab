"""The watch of a running daemon: what it keeps, its rounds, and what the metrics page is told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from opsd import app, assembly
from opsd.config.schema import Config
from opsd.daemon.respond import Responder
from opsd.daemon.rounds import Rounds
from opsd.drivers.postgres.place import Place
from opsd.metrics import Watched
from opsd.tasks.check.gather import Hands
from opsd.tasks.check.notebook import Answers
from opsd.tasks.kit import Kit
from opsd.tasks.wal.room import Room, room_elsewhere


class Watchtower:
    """Everything about the watch, and about answering what it sees. `config` is asked anew.

    Raises `StorageFailed` where what it keeps cannot be opened.
    """

    def __init__(self, kit: Kit, config: Callable[[], Config]) -> None:
        self._kit = kit
        self._config = config
        self._cases, self._watch = assembly.alerts(kit.config), assembly.samples(kit.config)
        self._hands = Hands(kit.clock, kit.stop)
        self._watching = app.watching(kit, self._cases, self._watch, self._hands.ask)
        self._rounds = Rounds(kit.clock)
        self.responder = Responder(kit, config)

    def begin(self) -> None:
        """Start the rounds, and to answer."""
        self.adopt()
        self._rounds.begin()
        self.responder.begin()

    def adopt(self) -> None:
        """Watch what the configuration of the moment names."""
        config = self._config()
        self._hands.keep(tuple(config.hosts))
        self._rounds.adopt(self._watching.adopt(replace(self._kit, config=config)))
        self.responder.adopt()

    def plan_anew(self) -> None:
        """Follow a clock that was set."""
        self._rounds.plan_anew()

    def take(self, answers: Answers) -> None:
        """Take what was found elsewhere than in the rounds, and let others read it at once."""
        self._watching.ledger.take(answers)
        self._watching.ledger.age(answers.at)

    def watched(self) -> Watched:
        """What is watched, just now."""
        config, ledger = self._config(), self._watching.ledger
        return Watched(
            states=ledger.states(),
            intervals={asked: rule.interval for asked, rule in ledger.rules.items()},
            counts=ledger.counts(),
            missed=self._rounds.missed,
            incidents=self._cases.incidents(),
            maintenance=self._cases.maintenance(self._kit.clock()),
            hosts=tuple(config.hosts),
            ways=self._ways(),
            writable=dict(self._watching.itself.writable),
            bare=frozenset(name for name, host in config.hosts.items() if host.node_exporter),
        )

    def room(self, place: Place) -> Room | None:
        """What is free where a server's data lies on a host that is watched."""
        return room_elsewhere(place, self._config().hosts, self._watching.ledger.states())

    def _ways(self) -> Mapping[str, Counter[str]]:
        """Connections of the watch and of playbooks: all under no word, failures under theirs."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for tallies in (self._hands.tallies, self.responder.tallies):
            for host, tally in tuple(tallies.items()):
                found[host] += Counter({"": tally.tried}) + tally.failed
        return found

    def close(self) -> None:
        """End the rounds, let go of the hosts, and write down what is known."""
        self.responder.close()
        self._hands.close()
        self._rounds.end()
        self._watching.ledger.close()
        self._watch.close()
        self._cases.close()
