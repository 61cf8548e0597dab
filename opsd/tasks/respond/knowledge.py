"""What opsd itself knows, for playbooks to recall: a literal table.

Each gives plain values (`str`, `int`, `bool`, `datetime`, tuples and mappings of them), and changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from opsd.tasks.respond import harmed, knowing, logged
from opsd.tasks.respond.means import Means

Knowing = Callable[[Means, str], object]


def _incidents(means: Means, host: str) -> tuple[Mapping[str, str], ...]:
    """The open incidents, of one host or of all; `cut_off` alerts were left out of its group."""
    return tuple(
        {
            "code": one.code,
            "host": one.id.host,
            "check": one.id.check,
            "subject": one.id.subject,
            "cause": one.cause,
            "cut_off": str(one.said.fields.get("truncated_alerts", "")),
        }
        for one in means.responses.incidents()
        if host in {"", one.id.host}
    )


def _frozen(means: Means, backup_set: str) -> bool:
    """Whether retention of a set is frozen."""
    return bool(means.kit.store.freezes(backup_set))


def _sets(means: Means, repository: str) -> tuple[str, ...]:
    """The backup sets, in one repository or in all."""
    sets = means.kit.config.backup_sets
    return tuple(n for n, one in sets.items() if repository in {"", one.repository})


def _newest_point(means: Means, backup_set: str) -> Mapping[str, object]:
    """The newest recovery point of a set; empty where there is none."""
    found = means.kit.store.newest_point(backup_set)
    if found is None:
        return {}
    return {"id": found.id, "at": found.at, "complete": found.complete}


KNOWLEDGE: Final[Mapping[str, Knowing]] = {
    "incidents": _incidents,
    "frozen": _frozen,
    "sets": _sets,
    "newest_point": _newest_point,
    "last_runs": knowing.last_runs,
    "room": knowing.room,
    "locks": knowing.locks_of,
    "damage": harmed.damage_of,
    "dropping": knowing.dropping,
    "points": knowing.points,
    "log": logged.log_of,
    "way": knowing.way,
    "probe": knowing.probe,
}
