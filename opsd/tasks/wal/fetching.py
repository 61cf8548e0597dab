"""A base copy and the log, brought into the directory of a recovery, from wherever they are good.

A whole copy comes first, from the cache or from its repository, and is held against its manifest
where it lies then. Copies that build on it are held against theirs where they come from, and are
applied to it one after another: only what changed is written. So over an older cluster, too.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from opsd.clock import timed
from opsd.drivers import increment, tree
from opsd.drivers.mirror import Changes, mirror
from opsd.drivers.restic import Piece
from opsd.drivers.tree import NOT_FLUSHED
from opsd.errors import OpsdError, RepositoryDamaged
from opsd.model import Finding, Severity
from opsd.tasks.beside import beside
from opsd.tasks.kit import Kit
from opsd.tasks.members.captured import Forward
from opsd.tasks.wal import at_hand
from opsd.tasks.wal.files import PLACE
from opsd.tasks.wal.layout import DATA, PLACES, WAL, settle_places
from opsd.tasks.wal.planning import Planned
from opsd.wal import Base

_LIMIT = timedelta(days=7)
_PARTS = ".parts"  # fetched copies that build on another, until they are applied
_SPARED = (f"/{PLACE}", f"/{WAL}", f"/{_PARTS}")  # what a restore over a used target leaves alone
_CHANGES = Changes(increment.PREFIX, increment.apply)
_MANIFEST, _LABEL = "backup_manifest", "backup_label"
_STARTS = re.compile(r"^START WAL LOCATION: (\S+)", re.MULTILINE)
_BUILDS_ON = re.compile(r"^INCREMENTAL FROM LSN: (\S+)\n", re.MULTILINE)
_OF_TIMELINE = re.compile(r"^INCREMENTAL FROM TLI: .*\n", re.MULTILINE)


@dataclass(slots=True)
class Fetched:
    """How long it took, and what was wrong."""

    seconds: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def fetch(kit: Kit, planned: Planned, *, durable: bool) -> Fetched:
    """Bring base copy and log, from what is at hand; where that is not good, from elsewhere.

    `durable`: all of it is on the disk then.
    """
    done = Fetched()
    line = planned.line if planned.at_hand else ()
    with at_hand.held(planned.log, line) as near:
        if near:
            try:
                _bring(kit, planned, done, near, durable=durable)
            except OpsdError as error:
                if kit.stop.requested or error.key == NOT_FLUSHED:
                    raise
                told = Finding(Severity.CHANGE, "recover.at_hand_damaged", detail=str(error))
                done.findings.append(told)
            else:
                return done
    _bring(kit, planned, done, {}, durable=durable)
    return done


def _bring(
    kit: Kit, planned: Planned, done: Fetched, near: Mapping[str, Path], *, durable: bool
) -> None:
    target = planned.target
    shutil.rmtree(target / _PARTS, ignore_errors=True)
    shutil.rmtree(target / WAL, ignore_errors=True)
    (target / WAL).mkdir(mode=0o700)
    whole, *building = planned.line
    places = [near.get(base.id, target / _PARTS / base.id) for base in building]

    def fetch_building(own: Kit) -> None:
        for base, place in zip(building, places, strict=True):
            if base.id not in near:
                place.mkdir(parents=True, mode=0o700)
                _restore(own, planned, base, place)
                settle_places(place)
            _insist_good(planned, base, place)

    with timed(done.seconds, "fetch"), beside(kit) as side:
        side.start(lambda own: _fetch_log(own, planned, done))
        later = side.start(fetch_building)
        if whole.id in near:
            _insist_good(planned, whole, near[whole.id], contents=False)
            later.result()  # before anything is written over
            _copy(side.kit, near[whole.id], target)
        else:
            _restore(side.kit, planned, whole, target)
            settle_places(target)
    with timed(done.seconds, "verify"):
        with beside(kit) as side:
            if durable:  # the server would wait for the disk before it replays
                side.start(lambda own: tree.flush(target, own.stop))
            _insist_good(planned, whole, target)
            for base, place in zip(building, places, strict=True):
                _apply(side.kit, base, place, target)
        shutil.rmtree(target / _PARTS, ignore_errors=True)
        if building and durable:
            tree.flush(target, kit.stop)


def _fetch_log(kit: Kit, planned: Planned, done: Fetched) -> None:
    kit.watcher.phase("fetch", WAL)
    try:
        planned.stock.fetch(planned.chain.segments, planned.target / WAL, kit.go_on)
    except RepositoryDamaged as error:
        if not planned.goal.is_end:
            raise
        # As at a gap: the last commit there is, is the last before it.
        done.findings.append(Finding(Severity.FAULT, error.key, error.fields, error.detail))


def _restore(kit: Kit, planned: Planned, base: Base, home: Path) -> None:
    """Fetch one copy; what lies there already becomes what it is."""
    kit.watcher.phase("fetch", planned.log.name)
    exact = (home / DATA).exists()
    fetched = kit.restic(base.repository).restore(
        Piece(base.snapshot, base.root, home, exact=exact, spared=_SPARED),
        limits=kit.limits(base.repository, _LIMIT),
        on_progress=Forward(kit),
    )
    (home / PLACES).mkdir(mode=0o700, exist_ok=True)
    if fetched.failures:
        detail = "\n".join(fetched.failures[:5])
        raise RepositoryDamaged("proof.fetch_failed", member=planned.log.name, detail=detail)


def _copy(kit: Kit, source: Path, target: Path, changes: Changes | None = None) -> None:
    try:
        for name in (DATA, PLACES):
            mirror(source / name, target / name, kit.stop, changes)
    finally:
        settle_places(target)


def _insist_good(planned: Planned, base: Base, home: Path, *, contents: bool = True) -> None:
    """Raise `RepositoryDamaged` unless a copy is as its manifest says."""
    programs = planned.log.programs(base.version // 10000)
    if wrong := programs.verify(home / DATA, contents=contents):
        raise RepositoryDamaged("recover.base_damaged", id=base.id, detail=wrong)


def _apply(kit: Kit, base: Base, changed: Path, target: Path) -> None:
    """Let the cluster there become the one that a copy builds of it.

    It has no manifest then: each of its parts was held against its own. Its label says that it is
    a whole one, as `pg_combinebackup` writes it; else no server begins with it.
    """
    label = (changed / DATA / _LABEL).read_text(encoding="utf-8")
    starts = _STARTS.findall((target / DATA / _LABEL).read_text(encoding="utf-8"))
    if starts != _BUILDS_ON.findall(label):
        raise RepositoryDamaged("recover.base_damaged", id=base.id, detail=label)
    _copy(kit, changed, target, _CHANGES)
    plain = _OF_TIMELINE.sub("", _BUILDS_ON.sub("", label))
    (target / DATA / _LABEL).write_text(plain, encoding="utf-8")
    (target / DATA / _MANIFEST).unlink()
