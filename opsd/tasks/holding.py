"""Legal holds as the repository knows them: a small record each, so that no lost history loses one.

A hold that ended gets a second record, which says so; where the storage lets go of anything, the
next retention removes both. Neither is a part of a recovery point.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from opsd import record
from opsd.drivers.restic import Limits, Restic, Snapshot, Source
from opsd.keeping import Hold, Word
from opsd.tasks.kit import TAG, Kit, tagged

HOLD: Final = "hold"
END: Final = "hold-end"
_LIMITS = Limits(timedelta(minutes=10), timedelta(seconds=10))


def keep(kit: Kit, name: str, listed: Sequence[Snapshot] | None = None) -> int:
    """Write down in the repository of a set what it does not know of its holds; how many records.

    `listed` are the snapshots of the set, where they are known. Raises what restic raises; the
    next retention writes what is missing.
    """
    restic = kit.restic(kit.backup_set(name).repository)
    holds = kit.store.holds(name, released=True)
    if not holds:
        return 0
    found = restic.snapshots(TAG, f"set:{name}") if listed is None else listed
    known = {part: _ids(found, part) for part in (HOLD, END)}
    written = 0
    for hold in holds:
        over = hold.released_at is not None
        if hold.id not in known[HOLD] and not over:
            _write(kit, restic, hold, HOLD)
        elif hold.id in known[HOLD] and over and hold.id not in known[END]:
            _write(kit, restic, hold, END)
        else:
            continue
        written += 1
    return written


def over(kit: Kit, name: str, listed: Iterable[Snapshot]) -> Iterator[str]:
    """The records of holds that ended, as snapshots of the set; the hold's own comes first."""
    ended = {h.id for h in kit.store.holds(name, released=True) if h.released_at is not None}
    told = sorted(listed, key=lambda one: tagged(one.tags, "part") == END)
    for part in (HOLD, END):
        for one in told:
            if tagged(one.tags, "part") == part and tagged(one.tags, HOLD) in ended:
                yield one.id


def lost(kit: Kit, snapshots: Sequence[Snapshot]) -> Iterator[tuple[Snapshot, Snapshot | None]]:
    """The holds that a repository knows and the history does not, each with its end."""
    ends = {tagged(one.tags, HOLD): one for one in snapshots if tagged(one.tags, "part") == END}
    for one in snapshots:
        name, hold_id = tagged(one.tags, "set"), tagged(one.tags, HOLD)
        if tagged(one.tags, "part") == HOLD and not any(
            hold.id == hold_id for hold in kit.store.holds(name, released=True)
        ):
            yield one, ends.get(hold_id)


def restore(kit: Kit, restic: Restic, one: Snapshot, end: Snapshot | None) -> None:
    """Put a hold into the history; one whose end cannot be read holds on."""
    hold = record.noun(Hold, _read(restic, one))
    kit.store.add_hold(hold)
    if end is not None:
        told = _read(restic, end)
        at = record.noun(Hold, told).released_at or kit.clock()
        kit.store.release_hold(hold.id, Word(at, hold.who, "released"))


def _ids(found: Iterable[Snapshot], part: str) -> frozenset[str]:
    return frozenset(tagged(one.tags, HOLD) for one in found if tagged(one.tags, "part") == part)


def _write(kit: Kit, restic: Restic, hold: Hold, part: str) -> None:
    """Its file stays beside the history: the record is of a path that is there."""
    path: Path = kit.config.state / "holds" / f"{hold.id}.{part}.json"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(record.to_json(record.plain(hold)), encoding="utf-8")
    names = (TAG, f"set:{hold.backup_set}", f"part:{part}", f"{HOLD}:{hold.id}")
    restic.backup(Source(path, kit.config.host, names), limits=_LIMITS)


def _read(restic: Restic, one: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(restic.read_file(one.id, one.paths[0]))
    return found
