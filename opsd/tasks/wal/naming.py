"""A named point (`pg_create_restore_point`): found in the log, from its newest part to the oldest.

Only who knows where it stands can choose the base copy: the newest may be younger than the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from opsd.drivers import system
from opsd.errors import RepositoryDamaged, UsageError
from opsd.policy import wal as policy
from opsd.tasks.keys import opening
from opsd.tasks.kit import Kit, new_run_id
from opsd.tasks.wal.bases import every_base
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import told
from opsd.tasks.wal.stock import Stock, stock
from opsd.wal import Base, Segment

_PIECE = 256 << 20  # bytes of the log that are looked through at a time


def find(kit: Kit, log: Log, name: str, near: Path) -> int:
    """Where the newest point of this name stands. Raises `UsageError` where there is none.

    The log is fetched piece by piece beside `near`, where there is room, and removed again.
    """
    kit.watcher.phase("choose", log.name)
    home = near.with_name(f".{new_run_id(kit.clock())[-6:]}")
    with opening(kit, log.repositories) as keys:
        found, silent = every_base(log, keys)
    stocks: dict[str, tuple[Stock, set[Segment]]] = {}  # of each server, and what was looked at
    damage: RepositoryDamaged | None = None
    for base in sorted(found, key=lambda base: base.until, reverse=True):
        if base.system not in stocks:
            stocks[base.system] = stock(log, base.system, base.segment_bytes, keys), set()
        known, looked = stocks[base.system]
        chain = policy.chain(known.held, base.timeline, base.start, known.size)
        for piece in policy.pieces(chain.segments, looked, max(_PIECE // known.size, 1)):
            looked.update(piece)
            try:
                at = _newest(kit, log, (base, known, piece), name, home)
            except RepositoryDamaged as error:  # the point may be older
                damage = error
                continue
            if at is not None:
                return at
    if damage is not None:
        raise damage
    oldest = min((base.until for base in found), default="-")
    unasked = [*silent, *(one for known, _ in stocks.values() for one in known.findings)]
    raise UsageError("recover.no_name", point=name, oldest=oldest, detail=told(unasked))


def _newest(
    kit: Kit, log: Log, where: tuple[Base, Stock, Sequence[Segment]], name: str, home: Path
) -> int | None:
    """The last point of a name in a piece of the log."""
    base, known, piece = where
    home.mkdir(mode=0o700, parents=True)
    try:
        known.fetch(piece, home, kit.go_on)
        points = log.programs(base.version // 10000).restore_points(home)
        return max((lsn for one, lsn in points if one == name), default=None)
    finally:
        system.wipe(home)
