"""A base copy and the log, brought into the directory of a recovery, from wherever they are good.

What lies there already and is what it should be is neither fetched nor written again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field

from opsd.clock import timed
from opsd.drivers import pieces, tree
from opsd.drivers.tree import NOT_FLUSHED
from opsd.errors import OpsdError, RepositoryDamaged
from opsd.model import Finding, Severity
from opsd.tasks.beside import beside
from opsd.tasks.kit import Kit
from opsd.tasks.moving import Moving
from opsd.tasks.wal import at_hand
from opsd.tasks.wal.at_hand import Near
from opsd.tasks.wal.layout import DATA, WAL, settle_places
from opsd.tasks.wal.packs import unpack
from opsd.tasks.wal.planning import Planned


@dataclass(slots=True)
class Fetched:
    """How long it took, and what was wrong."""

    seconds: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def fetch(kit: Kit, planned: Planned, *, proof: bool) -> Fetched:
    """Bring base copy and log, from what is at hand; where that is not good, from elsewhere.

    All of it is on the disk then. `proof`: what was fetched is read again, and held against the
    server's own checksums.
    """
    done = Fetched()
    with tree.flushing(planned.target) as flush:

        def bring(near: Near | None) -> None:
            _bring(kit, planned, done, near)
            with timed(done.seconds, "verify"):
                flush()
                _insist_good(planned, contents=proof and near is None)

        if planned.at_hand:
            with at_hand.held(planned.log, planned.base) as near:
                try:
                    bring(near)
                except OpsdError as error:
                    if near is None or kit.stop.requested or error.key == NOT_FLUSHED:
                        raise
                    told = Finding(Severity.CHANGE, "recover.at_hand_damaged", detail=str(error))
                    done.findings.append(told)
                else:
                    return done
        bring(None)
    return done


def _bring(kit: Kit, planned: Planned, done: Fetched, near: Near | None) -> None:
    target = planned.target
    shutil.rmtree(target / WAL, ignore_errors=True)
    (target / WAL).mkdir(mode=0o700)
    with timed(done.seconds, "fetch"), beside(kit) as side:
        side.start(lambda own: _fetch_log(own, planned, done))
        side.kit.watcher.phase("fetch", planned.log.name)
        try:
            _restore(side.kit, planned, near)
        finally:
            settle_places(target)


def _fetch_log(kit: Kit, planned: Planned, done: Fetched) -> None:
    kit.watcher.phase("fetch", WAL)
    try:
        planned.stock.fetch(planned.chain.segments, planned.target / WAL, kit.go_on)
    except RepositoryDamaged as error:
        if not planned.goal.is_end:
            raise
        # As at a gap: the last commit there is, is the last before it.
        done.findings.append(error.finding(Severity.FAULT))


def _restore(kit: Kit, planned: Planned, near: Near | None) -> None:
    target = planned.target
    if near is not None:
        pieces.lay(target, near.files)
        pieces.copy(near.place, target, near.files.files, kit.stop)
        return
    copies, moving = planned.copies, Moving(kit, planned.base.bytes)
    unpack(copies.map(planned.base.id), copies.pack, target, kit.stop, moving)


def _insist_good(planned: Planned, *, contents: bool) -> None:
    """Raise `RepositoryDamaged` unless a copy is as its manifest says.

    Without `contents` names and sizes are looked at: each piece was held against its digest, where
    that is known, before it was written.
    """
    base = planned.base
    programs = planned.log.programs(base.version // 10000)
    if wrong := programs.verify(planned.target / DATA, contents=contents):
        raise RepositoryDamaged("recover.base_damaged", id=base.id, detail=wrong)
