"""A receiver whose place in the log the server no longer has begins anew behind what is lost to it.

pg_receivewal goes on behind the newest file of its directory. So that the newest whole segment that
anybody has is put there; what lies between stays with those who have it, and is a gap where nobody
has it, which shipping tells.
"""

from __future__ import annotations

import re
from pathlib import Path

from opsd.policy import wal as policy
from opsd.tasks.keys import opening
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.stock import stock
from opsd.wal import PARTIAL, Segment

_GONE = re.compile(
    r"has already been removed|can no longer (get changes|access)|has been invalidated"
    r"|cannot read from .*replication slot"
)


def ended(log: Log, name: str, directory: Path, said: str) -> None:
    """A receiver ended, and said why. Where its place is gone, make it a new one."""
    if _GONE.search(said) is not None:
        _resume(log, name, directory)


def _resume(log: Log, name: str, directory: Path) -> None:
    """Make its slot anew, and let the receiver go on from the newest that can be had."""
    programs, connection = log.programs(), log.connection(name)
    programs.drop_slot(connection, log.wal.slot(name))
    heads = sorted((p for p in directory.iterdir() if _segment(p)), key=lambda p: p.name)
    if not heads:
        return
    with heads[-1].open("rb") as stream:
        head = policy.heading(stream.read(64))
    if head is not None:
        with opening(log.kit, log.repositories) as keys:
            known = stock(log, head.system, head.size, keys)
        whole = [one for one, covered in known.held.segments.items() if covered.whole]
        newest = max(whole, key=lambda one: (one.number, one.timeline), default=None)
        mine = Segment.of(heads[-1].name.removesuffix(PARTIAL), head.size)
        if newest is not None and mine is not None and newest.number > mine.number:
            known.fetch((newest,), directory)
            return
    aside = directory.with_name(f"{directory.name}.{log.kit.clock():%Y%m%dT%H%M%SZ}")
    directory.rename(aside)
    directory.mkdir(mode=0o700)


def _segment(path: Path) -> bool:
    return Segment.of(path.name.removesuffix(PARTIAL)) is not None
