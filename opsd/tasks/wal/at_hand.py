"""The newest base copy and those that it builds on, at hand in `cache` (`cache_bases`).

A recovery on this machine takes them from there instead of fetching them. They are held against
their manifests like what is fetched, and what is not good is fetched after all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from opsd.drivers import lock, system
from opsd.tasks.wal.layout import PLACES, settle_places
from opsd.tasks.wal.log import Log
from opsd.wal import Base

_LEASE = "lease"
_NEW = ".new"
_PATIENCE = timedelta(minutes=1)


def directory(log: Log) -> Path:
    """Where the copies of a member lie, each below its id."""
    return log.kit.config.cache / "bases" / log.backup_set / log.name


def keep(log: Log, home: Path, line: Sequence[Base]) -> None:
    """Take in `home`, the newest of a line, and give up what is not of the line.

    Raises `OSError` where there is no room, and `lock.Busy` while a recovery reads.
    """
    place = directory(log)
    wanted = {base.id for base in line}
    with lock.lease(place / _LEASE, line[-1].id, wait=_PATIENCE):
        for old in place.iterdir():
            if old.is_dir() and old.name not in wanted:
                system.wipe(old)
        made, final = place / f"{line[-1].id}{_NEW}", place / line[-1].id
        try:
            shutil.move(home, made)
            (made / PLACES).mkdir(mode=0o700, exist_ok=True)
            settle_places(made, final)
            made.rename(final)
        except OSError:
            system.wipe(made)
            raise


def drop(log: Log) -> None:
    """Leave nothing there, since it is not wanted any more. Raises `lock.Busy`, `OSError`."""
    place = directory(log)
    if place.exists():
        with lock.lease(place / _LEASE, log.subject):
            system.wipe(place)


def present(log: Log, line: Sequence[Base]) -> frozenset[str]:
    """The ids of those that lie there, as far as this account may see; nobody holds them."""
    place = directory(log)
    return frozenset(base.id for base in line if os.path.isdir(place / base.id))  # noqa: PTH112


@contextmanager
def held(log: Log, line: Sequence[Base]) -> Iterator[Mapping[str, Path]]:
    """Where those of a line lie, by their ids, and stay while the block lasts.

    Nothing where another recovery reads them.
    """
    place, found = directory(log), frozenset[str]()
    with ExitStack() as stack:
        if present(log, line):
            with suppress(lock.Busy, OSError):
                stack.enter_context(lock.lease(place / _LEASE, "recover"))
                found = present(log, line)
        yield {name: place / name for name in found}
