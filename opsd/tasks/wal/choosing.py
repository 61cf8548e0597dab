"""Which moments a replay may be of, and onto which base copies: none that the server left.

Where it went back, the log leads from one commit to one that was made much later. A moment in
between is in none of its history; a base copy or a dump of that time is of what it gave up.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from opsd.clock import Stopwatch
from opsd.drivers import system
from opsd.errors import RepositoryDamaged
from opsd.policy import moments
from opsd.policy import wal as policy
from opsd.policy.moments import Span
from opsd.policy.recoverable import no_base
from opsd.tasks.keys import Keys, opening
from opsd.tasks.wal import planning
from opsd.tasks.wal.bases import bases
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.planning import Goal
from opsd.tasks.wal.stock import Stock, stock
from opsd.wal import Base

_ON_ITS_WAY = timedelta(minutes=1)
_POLL_SECONDS = 0.5
_BEHIND = timedelta(seconds=15)  # what is younger may still be on its way to the repository


@dataclass(frozen=True, slots=True)
class Reachable:
    """The base copies of a repository that lead to now, oldest first, and what was left between."""

    bases: tuple[Base, ...]
    left: tuple[Span, ...]


def reachable(log: Log, repository: str, place: Path) -> Reachable:
    """What of a repository leads to now. `place` is made to look at the log, and removed."""
    with opening(log.kit, (repository,)) as keys:
        found = bases(log, repository, keys[repository])
    if found:
        newest = found[-1]
        known = _arrived(log, newest, keys)
        same = (base for base in found if base.system == newest.system)
        able = tuple(base for base in same if not policy.was_left(base, known.held))
        if able:
            return Reachable(able, tuple(_left(log, known, able[0], place)))
    raise no_base(log.subject, [base.until for base in found])


def _arrived(log: Log, base: Base, keys: Mapping[str, Keys]) -> Stock:
    """What the repository has of the log; the end of a copy just taken may be on its way there."""
    most, watch = max(_ON_ITS_WAY, 3 * log.wal.ship_every), Stopwatch()
    size = base.segment_bytes
    while True:
        known = stock(log, base.system, size, keys, here=())
        there = policy.chain(known.held, base.timeline, base.start, size).end >= base.stop
        is_new = watch.elapsed() < most and log.kit.clock() - base.until < most
        if there or not is_new:
            return known
        log.kit.go_on()
        time.sleep(_POLL_SECONDS)


def goal(log: Log, base: Base, left: Sequence[Span]) -> Goal:
    """A random moment that the base copy can be brought to, preferably a new one."""
    last = planning.newest_replay(log.kit, log.backup_set, log.name)
    since = max(base.until, datetime.fromisoformat(last["goal"]) if last else base.until)
    until = log.kit.clock() - max(_BEHIND, 3 * log.wal.ship_every)
    at = moments.pick(Span(since, until), left, random.random())  # noqa: S311
    return Goal("now") if at is None else Goal("time", time=at)


def _left(log: Log, known: Stock, oldest: Base, place: Path) -> Iterator[Span]:
    """What the server left, from the oldest base copy on."""
    found = policy.chain(known.held, oldest.timeline, oldest.start, known.size)
    whole = Span(oldest.until, log.kit.clock())
    for begun in moments.began_anew(found, known.held, oldest.start):
        near = range(begun // known.size - 1, begun // known.size + 2)
        place.mkdir()
        try:
            known.fetch([one for one in found.segments if one.number in near], place, log.kit.go_on)
            commits = list(log.programs(oldest.version // 10000).commits(place))
        except RepositoryDamaged:  # told where it is read: no moment near it is taken
            commits = []
        finally:
            system.wipe(place)
        yield moments.span([(one.at, one.lsn) for one in commits], begun, whole)
