"""Playbooks as a table of facts and plans: what was seen, and what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opsd.check import Answer
from opsd.config.playbooks import Playbooks
from opsd.model import CheckId, Finding
from opsd.playbook import Facts, Occasion, Plan, Playbook, Recall
from opsd.policy import plans
from opsd.tasks.respond.actions import EFFECTS
from playbooks import PLAYBOOKS

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def made(name: str, options: Mapping[str, object] | None = None) -> Playbook:
    """A playbook with options, as a configuration has them."""
    config = Playbooks.model_validate({name: dict(options or {})})
    return PLAYBOOKS[name](config.options(name))


@dataclass(frozen=True)
class Case:
    """One row: for this occasion and these answers this diagnosis, and these steps in order."""

    name: str
    playbook: str
    id: CheckId
    cause: str
    says: tuple[str, ...]
    does: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[tuple[str, str], object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    at: str = ""  # the host whose answers they are; none: that of the occasion
    unreached: tuple[str, ...] = ()
    passes_on: bool = False

    @property
    def occasion(self) -> Occasion:
        """What is to be answered."""
        return Occasion("SC-20261123-001", self.id, self.cause, NOW)

    @property
    def facts(self) -> Facts:
        """What was seen."""
        host = self.at or self.id.host
        return Facts(
            NOW,
            {(host, name): Answer(text) for name, text in self.answers.items()},
            {Recall(*about): value for about, value in self.known.items()},
            {host: Finding(2, "host.silent") for host in self.unreached},  # type: ignore[arg-type]
        )

    def planned(self) -> tuple[Playbook, Plan]:
        """The playbook, and what it plans."""
        playbook = made(self.playbook, self.options)
        return playbook, playbook.plan(self.occasion, self.facts)


def flaws(playbook: Playbook, plan: Plan) -> list[str]:
    """What the engine would not run."""
    return [one.key for one in plans.flaws(plan, playbook.terms, EFFECTS)]
