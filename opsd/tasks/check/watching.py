"""Everything that is watched by one configuration: the patrols, and the rules of their checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from opsd.check import Check
from opsd.config.checks import CheckOptions, Checks
from opsd.config.hosts import Host
from opsd.config.schema import Config
from opsd.model import CheckId
from opsd.policy.judging import Rule
from opsd.store import Watch
from opsd.tasks.check import own
from opsd.tasks.check.disturbances import Disturbances
from opsd.tasks.check.ledger import Asked, Ledger
from opsd.tasks.check.patrol import REACH, Alone, Ask, Patrol, Posted
from opsd.tasks.kit import Kit

# A check by its name, made from its options.
Table = Mapping[str, Callable[[Any], Check]]
# How a host is asked.
Door = Callable[[str, Host], Ask]

_OWN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched. `patrols` are walked apart from each other, each at its own interval."""

    ledger: Ledger
    watch: Watch
    table: Table
    door: Door
    disturbances: Disturbances
    patrols: dict[str, Patrol] = field(default_factory=dict)

    def adopt(self, kit: Kit) -> None:
        """Watch what this configuration names, from now on and nothing else."""
        config, now = kit.config, kit.clock()
        rules = {("", own.BACKUP): Rule(_OWN, confirm=1, recover=1)}
        self.patrols.clear()
        for name, host in config.hosts.items():
            options = host.checks.over(config.checks)
            rules |= _rules(config, name, options_of(options, self.table), self.table)
            self.patrols.update(self._patrols(kit, name, options_of(options, self.table)))
        self.ledger.adopt(rules, now)

    def _patrols(
        self, kit: Kit, name: str, options: Mapping[str, CheckOptions]
    ) -> dict[str, Patrol]:
        """One patrol for all quick checks of a host, one for each that takes its time."""
        ask = self.door(name, kit.config.hosts[name])
        posted = [Posted(c, self.table[c](found), found.interval) for c, found in options.items()]
        patrols = {}
        if quick := [one for one in posted if not one.check.alone]:
            patrols[name] = Patrol(name, quick, ask, self.ledger, self.watch, kit.clock)
        for one in posted:
            if one.check.alone:
                patrols[f"{name}/{one.name}"] = Alone(
                    name,
                    (one,),
                    ask,
                    self.ledger,
                    self.watch,
                    kit.clock,
                    disturbances=self.disturbances,
                )
        return patrols


def options_of(checks: Checks, table: Table) -> dict[str, CheckOptions]:
    """The options of every check that is asked, by its name."""
    found = {name: checks.options(name) for name in table}
    return {name: options for name, options in found.items() if options.enabled}


def _rules(
    config: Config, name: str, options: Mapping[str, CheckOptions], table: Table
) -> dict[Asked, Rule]:
    host = config.hosts[name]
    above = (CheckId(host.depends_on, REACH),) if host.depends_on else ()
    quickest = min((found.interval for found in options.values()), default=_OWN)
    rules = {(name, REACH): Rule(quickest, explained_by=above)}
    for check, found in options.items():
        rules[name, check] = Rule(
            found.interval,
            found.confirm,
            found.recover,
            (CheckId(name, REACH), *above),
            table[check](found).disturbed_by,
        )
    return rules
