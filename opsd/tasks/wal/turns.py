"""Whose turn a repository's log is: each member goes through its own repositories."""

from __future__ import annotations

from collections.abc import Sequence

from opsd.policy import wal as policy
from opsd.tasks.journal import Journal
from opsd.tasks.kit import Kit

_TURN = "turn"


def turn(kit: Kit, backup_set: str, member: str, repositories: Sequence[str]) -> str:
    """The repository whose turn it is with a member's log, however the last one ended."""
    last = kit.last_told(backup_set, _TURN, member=member)
    return policy.next_of(repositories, last["repository"] if last else None)


def take(journal: Journal, member: str) -> None:
    """Keep whose turn this run is."""
    journal.evidence(_TURN, {"member": member, "repository": journal.run.repository})
