"""What the options of every playbook have in common."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.config.options import Options, Truth
from opsd.config.units import Duration, PositiveDuration
from opsd.config.values import Name, Text
from opsd.playbook import Answers, Consent, Limits, Terms

Names = Annotated[tuple[Name, ...], Field(strict=False)]
Often = Annotated[int, Field(strict=True, ge=1, le=1000)]
# A command, one word an item: no shell reads it.
Command = Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]


class PlaybookOptions(Options):
    """What every playbook has."""

    enabled: Truth = True
    """Whether it answers at all."""

    approval: Consent = Consent.REQUIRED
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    approval_expires: PositiveDuration = timedelta(minutes=15)
    """How long it waits for them; then the answer is no."""

    alerts: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Names of alerts from outside that it answers too, by their labels `host` and `subject` (a
    mount point, a file) or `check` (a probe)."""

    hosts: Names = ()
    """The hosts that it may touch. None: every host of `hosts`."""

    never: Names = ()
    """The hosts that it never touches."""

    hosts_at_once: Often = 1
    """Hosts that one plan of it may touch."""

    cooldown: Duration = timedelta(minutes=30)
    """Rest between two responses on one host."""

    per_host: Often = 3
    """Responses on one host `within` that time."""

    in_total: Often = 10
    """Responses on all hosts `within` that time."""

    within: PositiveDuration = timedelta(days=1)
    """The time in which responses are counted."""

    breaker_after: Often = 3
    """After so many responses on one host `breaker_within` that time it is not done once more: the
    cause is not mended. It rests there until a person has looked."""

    breaker_within: PositiveDuration = timedelta(days=7)
    """The time in which the breaker counts."""

    judged_within: PositiveDuration = timedelta(minutes=3)
    """How long after its last step the check may take to be content."""

    def terms(
        self,
        answers: Answers,
        privileges: tuple[tuple[str, ...], ...] = (),
        *,
        freezes_first: bool = False,
    ) -> Terms:
        """These options as the engine reads them, with what the playbook itself says."""
        return Terms(
            answers=replace(answers, alerts=answers.alerts | set(self.alerts)),
            limits=Limits(
                hosts_at_once=self.hosts_at_once,
                cooldown=self.cooldown,
                per_host=self.per_host,
                in_total=self.in_total,
                within=self.within,
                breaker_after=self.breaker_after,
                breaker_within=self.breaker_within,
            ),
            consent=self.approval,
            expires_after=self.approval_expires,
            enabled=self.enabled,
            hosts=frozenset(self.hosts) or None,
            never=frozenset(self.never),
            privileges=privileges,
            freezes_first=freezes_first,
            judged_within=self.judged_within,
        )
