"""Recovery points as a repository itself tells of them: its snapshots and their tags."""

from __future__ import annotations

from datetime import datetime

from opsd.errors import UsageError
from opsd.policy.standing import Listed
from opsd.tasks.kit import PROOF_RECORD, RECORD, TAG, Kit, tagged


def in_repository(kit: Kit, repository: str, backup_set: str | None = None) -> tuple[Listed, ...]:
    """The runs that left snapshots in a repository, newest first. Needs no history."""
    if repository not in kit.config.repositories:
        known = sorted(kit.config.repositories)
        raise UsageError("usage.no_repository", name=repository, known=known)
    wanted = (TAG, f"set:{backup_set}") if backup_set else (TAG,)
    runs: dict[str, list[tuple[str, datetime, str]]] = {}
    for snapshot in kit.restic(repository).snapshots(*wanted):
        part = tagged(snapshot.tags, "part")
        if part != PROOF_RECORD:
            of = tagged(snapshot.tags, "set")
            runs.setdefault(tagged(snapshot.tags, "run"), []).append((part, snapshot.at, of))
    found = (
        Listed(
            run=run,
            backup_set=parts[0][2],
            at=min(at for _, at, _ in parts),
            members=tuple(part for part, _, _ in parts if part != RECORD),
            closed=any(part == RECORD for part, _, _ in parts),
        )
        for run, parts in runs.items()
    )
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))
