"""Whose turn a repository's log is: each member goes through its own repositories."""

from __future__ import annotations

from collections.abc import Sequence

from opsd.policy import wal as policy
from opsd.store import Store
from opsd.tasks.journal import Journal

_TURN = "turn"
_MOST = 100  # pieces of evidence: some nights of all members


def turn(store: Store, backup_set: str, member: str, repositories: Sequence[str]) -> str:
    """The repository whose turn it is with a member's log, however the last one ended."""
    told = store.told(backup_set, _TURN, _MOST)
    mine = [one["repository"] for one in told if one["member"] == member]
    return policy.next_of(repositories, mine[-1] if mine else None)


def take(journal: Journal, member: str) -> None:
    """Keep whose turn this run is."""
    journal.evidence(_TURN, {"member": member, "repository": journal.run.repository})
