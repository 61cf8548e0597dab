"""The tripwire: is what a backup took unlike what was taken before? It never stops a backup.

What it finds freezes retention, so that nothing older is dropped until a person has looked, and is
told with what was seen.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from pathlib import Path

from opsd import manifest
from opsd.drivers import manifests, tree
from opsd.errors import OpsdError, Refused
from opsd.keeping import Cause
from opsd.manifest import FILE, Entry
from opsd.model import MemberKind, Severity
from opsd.policy import anomaly
from opsd.policy.anomaly import Kind, Oddity, Shape
from opsd.policy.retention import Obstacle
from opsd.tasks import keeping
from opsd.tasks.journal import Journal
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import STORED, Captured

_PAST = 60  # runs that are looked back on
_SAMPLE = 32  # files of which a piece is read
_PIECE = 64 << 10
_SUSPICIOUS = {Kind.CHANGED, Kind.NEW, Kind.REPLACED, Kind.DENSE}


def watch(kit: Kit, journal: Journal, captured: Mapping[str, Captured]) -> None:
    """Judge each member against the past; freeze retention once, and say what was seen."""
    past = _past(kit, journal)
    now = {
        e.body["part"]: e.body for e in kit.store.all_evidence(journal.run.id) if e.kind == STORED
    }
    seen: list[tuple[Oddity, OpsdError]] = []
    for name, found in captured.items():
        if name in now:
            shapes = [_shape(body, found) for body in (*past.get(name, ()), now[name])]
            oddities = anomaly.judge(shapes[:-1], shapes[-1])
            oddities += _sampled(kit, journal, name, found, oddities)
            seen += [(one, _said(name, one)) for one in oddities]
    for _, error in seen:
        journal.find(Severity.CHANGE, error.key, **error.fields)
    if seen:
        _, gravest = min(seen, key=_from_the_gravest)
        obstacle = Obstacle(Cause.ANOMALY, journal.run.id, gravest)
        keeping.freeze(kit, journal.run.backup_set, [obstacle])


def _from_the_gravest(said: tuple[Oddity, OpsdError]) -> tuple[bool, bool]:
    return said[0].kind is not Kind.SCRAMBLED, not said[0].grave


def _past(kit: Kit, journal: Journal) -> Mapping[str, list[Mapping[str, object]]]:
    """What the runs before this one stored of each part, oldest first."""
    found: dict[str, list[Mapping[str, object]]] = {}
    parts = len(kit.backup_set(journal.run.backup_set).members) + 1  # the record is one
    most = _PAST * parts
    bodies = kit.store.told(journal.run.backup_set, STORED, most, besides=journal.run.id)
    for body in bodies:
        found.setdefault(str(body["part"]), []).append(body)
    return found


def _shape(body: Mapping[str, object], member: Captured) -> Shape:
    """What a run stored. Of a dump all files bear new names each night: that says nothing."""
    told = {name: int(str(body.get(name, 0))) for name in Shape.__dataclass_fields__}
    if member.snapshot.kind is not MemberKind.FILES:
        told |= {"new": 0, "changed": 0}
    return Shape(**told)


def _said(member: str, one: Oddity) -> Refused:
    return Refused(
        f"anomaly.{one.kind}",
        member=member,
        percent=round(100 * one.figure, 1),
        usual=round(100 * one.usual, 1),
        source=anomaly.SOURCE,
        grave=one.grave,
    )


def _sampled(
    kit: Kit, journal: Journal, name: str, found: Captured, oddities: tuple[Oddity, ...]
) -> tuple[Oddity, ...]:
    """Where much changed: do the files that changed hold noise?"""
    odd = any(one.kind in _SUSPICIOUS for one in oddities)
    if not odd or found.snapshot.kind is not MemberKind.FILES:
        return ()
    kept = kit.manifest(journal.run.backup_set, name)
    try:
        heads = [
            tree.head(Path(found.snapshot.root), path, _PIECE)
            for path in _changed(kept, found.manifest)
        ]
    except (OSError, ValueError) as odd_manifest:
        journal.find(Severity.NOTE, "anomaly.not_sampled", member=name, why=str(odd_manifest))
        return ()
    scrambled = anomaly.scrambled([head for head in heads if head is not None])
    return (scrambled,) if scrambled else ()


def _changed(kept: Path, now: Path) -> list[bytes]:
    """Some files that are others now, or new: the same few of the same many, by a hash of names."""
    before: Iterator[Entry] = manifests.read(kept) if kept.exists() else iter(())
    pairs = manifest.merge(before, manifests.read(now), manifest.by_path, manifest.by_path)
    changed = (
        new.path
        for old, new in pairs
        if new is not None and new.kind == FILE and (old is None or old.sha256 != new.sha256)
    )
    return heapq.nsmallest(_SAMPLE, changed, key=lambda path: hashlib.sha256(path).digest())
