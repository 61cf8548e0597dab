"""Base copies and replays as samples, from the history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from opsd.config.schema import BackupSet
from opsd.metrics.table import Page
from opsd.model import Task
from opsd.store import Store

_LOOKED_AT = 50  # of the newest evidence: nights of several logs in several repositories


def tell(page: Page, store: Store, name: str, backup_set: BackupSet) -> None:
    """What the newest good base copies and replays of a set told."""
    for kind in ("base", "bases"):
        bodies = store.told(name, kind, _LOOKED_AT)
        newest = {(one["member"], one["repository"]): one for one in bodies}
        for who in backup_set.keepers:
            if who in newest:
                _tell_base(page, name, kind, newest[who])
    if found := store.last_ended(Task.REPLAY, name, good=True):
        told = store.evidence(found[0].id, "replayed")
        if told and told["achieved"]:
            labels = (name, told["member"], told["repository"])
            at, seconds = found[1].closed_at.timestamp(), sum(told["seconds"].values())
            page.add("opsd_wal_replay_last_success_timestamp_seconds", at, *labels)
            achieved = _at(told["achieved"])
            page.add("opsd_wal_replay_last_achieved_timestamp_seconds", achieved, *labels)
            page.add("opsd_wal_replay_last_duration_seconds", seconds, *labels)
        if (compared := store.evidence(found[0].id, "compared")) and compared["same"]:
            labels = (name, compared["member"], compared["repository"])
            page.add("opsd_wal_compared_dump_timestamp_seconds", _at(compared["at"]), *labels)


def _tell_base(page: Page, name: str, kind: str, told: Mapping[str, Any]) -> None:
    labels = (name, told["member"], told["repository"])
    if kind == "base":
        page.add("opsd_wal_base_newest_timestamp_seconds", _at(told["until"]), *labels)
        page.add("opsd_wal_base_last_added_bytes", told["added_bytes"], *labels)
    elif told["oldest"]:
        oldest = _at(told["oldest"])
        page.add("opsd_wal_oldest_recoverable_timestamp_seconds", oldest, *labels)


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
