"""Whether and when incidents are answered at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from opsd.config.options import Options, Truth
from opsd.config.playbook import Names, Often
from opsd.config.values import AbsolutePath, Name, Text, TimeOfDay

Persons = Annotated[tuple[Text, ...], Field(strict=False)]


class Day(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Blackout(Options):
    """A time of the week in which nothing is changed automatically."""

    days: Annotated[tuple[Day, ...], Field(strict=False)] = ()
    """The days on which it begins: `mon` to `sun`. None: every day."""

    begins: TimeOfDay
    """Local time of day, `HH:MM`, in quotes."""

    ends: TimeOfDay
    """Local time of day; not after `begins` means on the next day."""

    reason: Text
    """Why; it stands where people ask why nothing was done."""

    def covers(self, local: datetime) -> bool:
        """Whether it goes on at a moment of the local clock."""
        return any(self._from(local, back) for back in (0, 1))

    def _from(self, local: datetime, back: int) -> bool:
        """Whether the one that began today, or on the day before, goes on."""
        day = local.date() - timedelta(days=back)
        if self.days and list(Day)[day.weekday()] not in self.days:
            return False
        clock, today = local.time().replace(tzinfo=None), back == 0
        if self.ends > self.begins:
            return today and self.begins <= clock < self.ends
        return clock >= self.begins if today else clock < self.ends


class Automation(Options):
    """The answering of incidents as a whole."""

    enabled: Truth = False
    """Whether opsd answers incidents by itself. Off: it only says what it would do."""

    approvers: Persons = ()
    """The accounts whose word counts as an approval. None: every account that may work as opsd."""

    hosts_at_once: Often = 3
    """Hosts on which something may be changed at the same time."""

    one_at_a_time: Mapping[Name, Names] = {}
    """Groups of hosts of which only one is changed at a time: a database and its standby."""

    playbooks: AbsolutePath | None = None
    """Directory with the site's own playbooks, one in each `*.yaml`. `opsd playbook lint` tells
    what is wrong with them."""

    blackouts: Annotated[tuple[Blackout, ...], Field(strict=False)] = ()
    """Times in which nothing is changed automatically."""

    def blackout(self, local: datetime) -> Blackout | None:
        """The blackout that goes on at a moment of the local clock."""
        return next((one for one in self.blackouts if one.covers(local)), None)

    def beside(self, host: str) -> frozenset[str]:
        """The hosts that must not be changed while this one is; itself among them."""
        groups = (set(hosts) for hosts in self.one_at_a_time.values() if host in hosts)
        return frozenset({host}.union(*groups))
