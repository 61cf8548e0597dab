"""Base copies and replays as samples, from the history: of each log in each repository."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from opsd.config.schema import BackupSet
from opsd.metrics.table import Page
from opsd.model import Evidence, Task
from opsd.store import Store

_MOST = 200  # pieces of evidence that are looked at: months, of several logs weeks
_KINDS = {Task.BASE: ("base", "bases"), Task.REPLAY: ("replayed", "compared")}


def tell(page: Page, store: Store, name: str, backup_set: BackupSet) -> None:
    """What the newest good base copy and replay of each log in each repository told."""
    places = set(backup_set.keepers)
    seen: set[tuple[str, str, str]] = set()
    for task, kinds in _KINDS.items():
        for closed_at, one in store.good_evidence(task, name, kinds, _MOST):
            place = (str(one.body.get("member")), str(one.body.get("repository")))
            key = (one.kind, *place)
            if place in places and key not in seen and _tell(page, (name, *place), one, closed_at):
                seen.add(key)


def _tell(
    page: Page, labels: tuple[str, str, str], evidence: Evidence, closed_at: datetime
) -> bool:
    """Tell what evidence says; whether it says what is asked."""
    told: Mapping[str, Any] = evidence.body
    match evidence.kind:
        case "base":
            page.add("opsd_wal_base_newest_timestamp_seconds", _at(told["until"]), *labels)
            page.add("opsd_wal_base_last_added_bytes", told["added_bytes"], *labels)
        case "bases" if told["oldest"]:
            oldest = _at(told["oldest"])
            page.add("opsd_wal_oldest_recoverable_timestamp_seconds", oldest, *labels)
        case "replayed" if told["achieved"]:
            at, seconds = closed_at.timestamp(), sum(told["seconds"].values())
            page.add("opsd_wal_replay_last_success_timestamp_seconds", at, *labels)
            achieved = _at(told["achieved"])
            page.add("opsd_wal_replay_last_achieved_timestamp_seconds", achieved, *labels)
            page.add("opsd_wal_replay_last_duration_seconds", seconds, *labels)
        case "compared" if told["same"]:
            page.add("opsd_wal_compared_dump_timestamp_seconds", _at(told["at"]), *labels)
        case _:
            return False
    return True


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
