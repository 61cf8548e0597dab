"""The newest base copy at hand in `cache` (`cache_bases`), as a directory.

A recovery on this machine takes it from there instead of fetching it. Each piece is held against
its digest when it is read, and what is not good is fetched after all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from opsd import extents
from opsd.drivers import increment, lock, pieces, system
from opsd.drivers.increment import Blocks
from opsd.drivers.pieces import Writing
from opsd.errors import OpsdError, RepositoryDamaged
from opsd.extents import CopiedFile, ExtentMap
from opsd.tasks import room
from opsd.tasks.moving import Moving
from opsd.tasks.wal.copies import Copies
from opsd.tasks.wal.layout import settle_places
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.packs import Arrived, unpack
from opsd.wal import Base

_LEASE = "lease"
_NEW = ".new"
_COMING = ".coming"
_ASKED_AFTER = 64 << 20  # bytes: then it is looked whether there is room for more
_MAP = "extents.json"
_PATIENCE = timedelta(minutes=1)

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Near:
    """A copy that lies here, and the digests of its pieces."""

    place: Path
    files: ExtentMap


def directory(log: Log) -> Path:
    """Where the copy of a member lies, below its id."""
    return log.kit.config.cache / "bases" / log.backup_set / log.name


class Beside:
    """A copy that comes, written here too while it does; what keeps it from that ends only this.

    `needed` bytes must have room. Of one that is not `whole` all is read again at once.
    """

    def __init__(self, log: Log, copy: str, needed: int, *, whole: bool) -> None:
        self.home = directory(log) / f"{copy}{_COMING}"
        self.digests: dict[str, str] = {}  # of its files
        self._whole, self._unasked = whole, 0
        self._failed: OSError | OpsdError | None = None
        self._try(partial(self._begin, log, needed))

    def _begin(self, log: Log, needed: int) -> None:
        place = directory(log)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in place.glob(f"*{_COMING}"):  # by those who died
            if left == self.home or not lock.held(log.kit.run_lease(left.stem)):
                shutil.rmtree(left)
        self.home.mkdir(mode=0o700)
        room.insist(self.home, needed)

    def directory(self, name: str) -> None:
        """Let there be a directory."""
        self._try(partial((self.home / name).mkdir, mode=0o700, exist_ok=True))

    def file(self, arrived: Arrived, take: Callable[[Arrived], None]) -> None:
        """Let a file be taken in, and lie here as well."""
        written = self._try(partial(Writing, self.home / arrived.name, once=self._whole))
        if written is None:
            take(arrived)
            return

        def fill(place: memoryview) -> None:
            arrived.fill(place)
            self._try(partial(self._append, written, place))

        try:
            take(replace(arrived, fill=fill))
        finally:
            self.digests[arrived.name] = written.close()

    def _append(self, written: Writing, content: memoryview) -> None:
        written.append(content)
        self._unasked += len(content)
        if self._unasked > _ASKED_AFTER:
            self._unasked = 0
            room.insist(self.home, 0)

    def insist(self) -> None:
        """Raise what kept it from lying here."""
        if self._failed is not None:
            raise self._failed

    def drop(self) -> None:
        """Remove it, if it lies here still."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _try(self, work: Callable[[], Done]) -> Done | None:
        """Give all of it up after what goes wrong first."""
        if self._failed is None:
            try:
                return work()
            except (OSError, OpsdError) as error:
                self._failed = error
                self.drop()
        return None


def keep(log: Log, base: Base, beside: Beside, found: ExtentMap, copies: Copies) -> ExtentMap:
    """Let the newest copy be the one that lies there: what came, or what it makes of that before.

    Where that one is not there, or not what it was, it is fetched. Gives what it consists of, with
    all digests. Raises `OSError` where there is no room, `OpsdError`, and `lock.Busy` while a
    recovery reads.
    """
    beside.insist()
    place, home = directory(log), beside.home
    changes = {name for name in found.files if not (home / name).exists()}
    with lock.lease(place / _LEASE, base.id, wait=_PATIENCE):
        for old in place.iterdir():
            stays = old.suffix == _COMING or (changes and old.name == base.parent)
            if old.is_dir() and not stays:
                system.wipe(old)
        made, final = place / f"{base.id}{_NEW}", place / base.id
        try:
            if not changes:
                home.rename(made)
            else:
                found = _changed(log, place / base.parent, made, (beside, found, changes), copies)
            settle_places(made, final)
            (made / _MAP).write_bytes(_written(found))
            made.rename(final)
        except BaseException:
            system.wipe(made)
            raise
    return found


def _changed(
    log: Log, old: Path, made: Path, new: tuple[Beside, ExtentMap, set[str]], copies: Copies
) -> ExtentMap:
    """Let the copy before become the new one; gives that with all digests."""
    beside, found, changes = new
    home = beside.home
    stop = log.kit.stop
    try:
        before = _read(old)
        old.rename(made)

        def become(name: str) -> tuple[str, CopiedFile]:
            change = increment.of(name)
            if pieces.of_file(home / change) != beside.digests[change]:
                raise RepositoryDamaged("pieces.damaged", path=home / change)
            with Blocks(home / change) as blocks:
                had, file = before.files[name], found.files[name]
                return name, pieces.patch(made / name, had, file, blocks, stop)

        pieces.lay(made, found)
        rest = {name: file for name, file in found.files.items() if name not in changes}
        pieces.copy(home, made, rest, stop)
        return replace(found, files={**found.files, **dict(pieces.each(become, changes))})
    except (FileNotFoundError, ValueError, KeyError, RepositoryDamaged):
        system.wipe(made)
        made.mkdir(mode=0o700)
        return unpack(found, copies.pack, made, stop, Moving(log.kit, found.size))


def _written(found: ExtentMap) -> bytes:
    """What is told of a copy at hand: all but where else its bytes lie."""
    files = {name: replace(file, extents=()) for name, file in found.files.items()}
    return extents.encode(replace(found, files=files))[1]


def _read(place: Path) -> ExtentMap:
    """The same again. Raises `OSError`, `ValueError`, `KeyError`."""
    return extents.decode(b"[]", (place / _MAP).read_bytes())


def drop(log: Log) -> None:
    """Leave nothing there, since it is not wanted any more. Raises `lock.Busy`, `OSError`."""
    place = directory(log)
    if place.exists():
        with lock.lease(place / _LEASE, log.subject):
            system.wipe(place)


def present(log: Log, base: Base) -> bool:
    """Whether it lies there, as far as this account may see; nobody holds it."""
    return os.path.isdir(directory(log) / base.id)  # noqa: PTH112  (no error where it may not)


@contextmanager
def held(log: Log, base: Base) -> Iterator[Near | None]:
    """The copy that lies there, and stays while the block lasts.

    Nothing where another recovery reads it, and where it cannot be read.
    """
    place, found = directory(log), None
    with ExitStack() as stack:
        if present(log, base):
            with suppress(lock.Busy, OSError, ValueError, KeyError):
                stack.enter_context(lock.lease(place / _LEASE, "recover"))
                found = Near(place / base.id, _read(place / base.id))
        yield found
