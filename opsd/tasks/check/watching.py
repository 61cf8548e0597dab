"""Everything that is watched by one configuration, as errands that are run each at its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from opsd.check import Check
from opsd.config.check import CheckOptions
from opsd.config.hosts import Host
from opsd.config.probes import Probe
from opsd.config.schema import Config
from opsd.model import CheckId
from opsd.policy.blame import Side
from opsd.policy.judging import Rule
from opsd.store import Watch
from opsd.tasks.check import own, probing, rooms
from opsd.tasks.check.around import whose
from opsd.tasks.check.disturbances import Disturbances
from opsd.tasks.check.itself import BEAT, OPSD, Itself
from opsd.tasks.check.ledger import Asked, Ledger
from opsd.tasks.check.notebook import Answers
from opsd.tasks.check.patrol import REACH, Alone, Apart, Ask, Patrol, Posted
from opsd.tasks.kit import Kit
from opsd.tasks.wal.telling import CHECK as CHECK_OF_LOGS

# A check by its name, made from its options.
Table = Mapping[str, Callable[[Any], Check]]
# How a host is asked.
Door = Callable[[str, Host], Ask]

_OWN = timedelta(minutes=1)
# What the wardens of logs tell each second (opsd.daemon.wal).
_OF_LOGS = timedelta(seconds=5)
# A read that may take longer than this is not waited for by others.
_LONG = timedelta(seconds=15)
_BEATING = timedelta(seconds=5)
_AGING = timedelta(seconds=5)
_THINNING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to do again and again; `work` raises an `OpsdError` when it cannot be recorded."""

    interval: timedelta
    work: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched; one configuration after the other may be adopted."""

    ledger: Ledger
    watch: Watch
    table: Table
    door: Door
    disturbances: Disturbances
    heartbeat: own.Heartbeat
    itself: Itself
    patrols: dict[str, Patrol] = field(default_factory=dict)

    def adopt(self, kit: Kit) -> Mapping[str, Errand]:
        """Watch what this configuration names and nothing else; gives the errands by their names.

        An errand about a host bears the host's name, with a check's behind it that is asked alone.
        """
        rules: dict[Asked, Rule] = {
            ("", own.BACKUP): Rule(_OWN, confirm=1, recover=1),
            ("", rooms.REPOSITORY): Rule(_OWN),
            ("", rooms.STATE): Rule(_OWN),
            ("", OPSD): Rule(BEAT),
        }
        if _within(kit.config) is not None:
            rules["", own.WATCHDOG] = Rule(_OWN, confirm=1, recover=1)
        self.patrols.clear()
        for name in kit.config.hosts:
            options = asked_of(kit.config, name, self.table)
            rules |= self._rules(kit.config, name, options)
            self.patrols.update(self._patrols(kit, name, options))
        rules |= _rules_of_probes(kit.config)
        if any(found.logged or found.streamed for found in kit.config.backup_sets.values()):
            rules["", CHECK_OF_LOGS] = Rule(_OF_LOGS, confirm=1, recover=1)
        self.ledger.adopt(rules, kit.clock())
        return dict(self._errands(kit))

    def _errands(self, kit: Kit) -> Iterator[tuple[str, Errand]]:
        for name, patrol in self.patrols.items():
            yield name, Errand(patrol.interval, patrol.walk)
        for name, probe in _probes(kit.config):
            yield f"probe:{name}", Errand(probe.interval, partial(self._probe, kit, name, probe))
        yield ":backups", Errand(_OWN, lambda: self.ledger.take(own.backups(kit)))
        if (within := _within(kit.config)) is not None:
            ask = partial(own.watchdog, kit, self.heartbeat, within)
            yield ":watchdog", Errand(_BEATING, lambda: self.ledger.take(ask()))
        yield ":repositories", Errand(_OWN, lambda: self.ledger.take(rooms.repositories(kit)))
        yield ":state", Errand(_OWN, lambda: self.ledger.take(rooms.state(kit)))
        yield ":opsd", Errand(BEAT, lambda: self.ledger.take(self.itself.beat()))
        yield ":writing", Errand(_OWN, self.itself.try_writing)
        yield ":aging", Errand(_AGING, lambda: self.ledger.age(kit.clock()))
        yield ":thinning", Errand(_THINNING, lambda: self.watch.thin(kit.clock()))

    def _probe(self, kit: Kit, name: str, probe: Probe) -> None:
        """Ask a service once."""
        one, trace = probing.about(name, probe), probing.observe(probe, kit.clock)
        results = probing.judge(probe, trace)
        self.ledger.take(Answers(one.host, one.check, trace.at, results))
        if code := self.ledger.unblamed(one):
            found = whose(kit.config, name, trace, results[0], kit.clock)
            if found.side is not Side.NOBODY:  # it may just have come back
                self.ledger.blame(code, found, kit.clock())

    def _patrols(
        self, kit: Kit, name: str, options: Mapping[str, CheckOptions]
    ) -> dict[str, Patrol]:
        """One patrol for all quick checks of a host, one for each that takes its time."""
        ask = self.door(name, kit.config.hosts[name])
        common = (ask, self.ledger, self.watch, kit.clock)
        patrols: dict[str, Patrol] = {}
        quick = []
        for one in _posted(options, self.table):
            if one.check.alone:
                patrols[f"{name}/{one.name}"] = Alone(
                    name, (one,), *common, disturbances=self.disturbances
                )
            elif one.patience > _LONG:
                patrols[f"{name}/{one.name}"] = Apart(name, (one,), *common)
            else:
                quick.append(one)
        if quick:
            patrols[name] = Patrol(name, quick, *common)
        return patrols

    def _rules(
        self, config: Config, name: str, options: Mapping[str, CheckOptions]
    ) -> dict[Asked, Rule]:
        above = config.hosts[name].depends_on
        ways = (CheckId(above, REACH),) if above else ()
        quickest = min((found.interval for found in options.values()), default=_OWN)
        rules: dict[Asked, Rule] = {(name, REACH): Rule(quickest, explained_by=ways)}
        for check, found in options.items():
            rules[name, check] = Rule(
                found.interval,
                found.confirm,
                found.recover,
                (CheckId(name, REACH), *ways),
                self.table[check](found).disturbed_by,
            )
        return rules


def _within(config: Config) -> timedelta | None:
    """How long the alert that fires always may stay away; nothing where it is not waited for."""
    webhook = config.webhook
    return webhook.watchdog_within if webhook is not None and webhook.watchdog else None


def _probes(config: Config) -> Iterator[tuple[str, Probe]]:
    return ((name, probe) for name, probe in config.probes.items() if probe.enabled)


def _rules_of_probes(config: Config) -> dict[Asked, Rule]:
    """Of each probe; what it depends on explains it: its host, and other probes."""
    rules: dict[Asked, Rule] = {}
    for name, probe in _probes(config):
        one = probing.about(name, probe)
        hosts = (CheckId(probe.host, REACH),) if probe.host else ()
        probes = (probing.about(other, config.probes[other]) for other in probe.depends_on)
        rules[one.host, one.check] = Rule(
            probe.interval, probe.confirm, probe.recover, (*hosts, *probes)
        )
    return rules


def asked_of(config: Config, host: str, table: Table) -> dict[str, CheckOptions]:
    """The options of every check that is asked of a host, by its name."""
    checks = config.hosts[host].checks.over(config.checks)
    found = {name: checks.options(name) for name in table}
    return {name: options for name, options in found.items() if options.enabled}


def posted_of(config: Config, host: str, table: Table, name: str | None) -> list[Posted]:
    """The check of this name on a host; without a name all that load it little."""
    posted = _posted(asked_of(config, host, table), table)
    return [one for one in posted if name == one.name or (name is None and not one.check.alone)]


def _posted(options: Mapping[str, CheckOptions], table: Table) -> list[Posted]:
    return [Posted(name, table[name](found), found.interval) for name, found in options.items()]
