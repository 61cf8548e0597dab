"""The base copies in a repository: sealed objects beside the log (docs/adr/0030-extents.md).

base/SET/MEMBER/ID             what the copy is: what `opsd.wal.Base` says
base/SET/MEMBER/ID.packs       the names of the packs that its bytes lie in
base/SET/MEMBER/ID.map         its files, and where in these their bytes lie (`opsd.extents`)
packs/SET/MEMBER/ID/NUMBER     bytes that it was the first to have

A copy is there when the first of these is, which comes last; its map may be written once more, with
digests that were not known before.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from opsd import extents, record
from opsd.drivers.storage import LocalStorage, Storage
from opsd.errors import OpsdError, RepositoryDamaged, StorageFailed, TimedOut, ToolFailed
from opsd.extents import ExtentMap
from opsd.tasks.keys import Keys, storage_of
from opsd.tasks.moving import Pace
from opsd.tasks.wal.layout import BASE, PACKS
from opsd.tasks.wal.log import Log
from opsd.tasks.wal.packs import Packs
from opsd.wal import Base

log = logging.getLogger(__name__)

_NAMES, _MAP = ".packs", ".map"
_FORMAT = 1
_AT_ONCE = 4
_QUICK = 1  # of zstd: as small as by 3 for pages of a database, in a third of the time


@dataclass(frozen=True, slots=True)
class Copies:
    """The base copies of one member in one repository."""

    storage: Storage
    keys: Keys
    member: str  # SET/MEMBER
    upload: Pace
    download: Pace

    @property
    def repository(self) -> str:
        """Where they lie."""
        return self.keys.repository

    @property
    def is_near(self) -> bool:
        """Whether that is a directory of this machine: to read there costs no link."""
        return isinstance(self.storage, LocalStorage)

    def bases(self) -> tuple[Base, ...]:
        """What there is, oldest first; what cannot be read is left out, and logged."""
        return self.listed()[0]

    def listed(self) -> tuple[tuple[Base, ...], tuple[str, ...]]:
        """The copies, oldest first, and the ids of those that are there and cannot be read."""
        names = (one.name for one in self.storage.own(self._base("")))
        heads = [name for name in names if not _part(name)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(heads, pool.map(self._told, heads), strict=True))
        there = sorted(
            (one for one in found.values() if isinstance(one, Base)), key=lambda one: one.until
        )
        unread = (name for name, one in found.items() if isinstance(one, Exception))
        return tuple(there), tuple(name.rpartition("/")[2] for name in unread)

    def _told(self, name: str) -> Base | Exception | None:
        try:
            body = json.loads(self._open(name))
            if body.pop("format") != _FORMAT:
                raise ValueError("written by a later opsd")
            return replace(record.noun(Base, body), repository=self.repository)
        except FileNotFoundError:  # dropped meanwhile
            return None
        except (OpsdError, ValueError, KeyError, TypeError) as error:
            log.error("%s: %s: %s", self.repository, name, error)  # noqa: TRY400
            return error

    def map(self, copy: str) -> ExtentMap:
        """What a copy consists of. Raises `RepositoryDamaged`."""
        name = self._base(f"{copy}{_MAP}")
        try:
            return extents.decode(self._open(self._base(f"{copy}{_NAMES}")), self._open(name))
        except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
            raise RepositoryDamaged("base.no_map", name=name, detail=str(error)) from error

    def pack(self, pack: str, place: memoryview) -> int:
        """Put what lies in a pack into memory; gives how many bytes. Raises `RepositoryDamaged`."""
        name = self._pack(pack)
        try:
            sealed = self._get(name)
        except FileNotFoundError as error:
            raise RepositoryDamaged("base.no_pack", name=name) from error
        self.download.spent(len(sealed))
        return self.keys.seal.open_into(name, sealed, place)

    def file(self, found: ExtentMap, path: str) -> bytes:
        """The content of a small file. Raises `RepositoryDamaged`."""
        file = found.files[path]
        content = memoryview(bytearray(file.size))
        packs = Packs(self.pack)
        for extent in file.extents:
            packs.lay(extent, content[extent.begin : extent.end])
        return bytes(content)

    def keep_pack(self, pack: str, content: bytes | memoryview) -> int:
        """Keep bytes that no copy had before; gives how many they are as they are stored."""
        size = self._close(self._pack(pack), content)
        self.upload.spent(size)
        return size

    def keep(self, base: Base, found: ExtentMap) -> int:
        """Let there be a copy whose packs are all there; gives the bytes of what tells of it."""
        names, files = extents.encode(found)
        head = json.dumps({"format": _FORMAT, **record.plain(base)}).encode()
        parts = {f"{base.id}{_NAMES}": names, f"{base.id}{_MAP}": files, base.id: head}
        return sum(self._close(self._base(name), content) for name, content in parts.items())

    def complete(self, copy: str, found: ExtentMap, known: ExtentMap) -> None:
        """Tell all digests of a copy that is there as `found`, which lacks some of them."""
        if told := extents.completed(found, known):
            self._close(self._base(f"{copy}{_MAP}"), extents.encode(told)[1])

    def drop(self, copies: Collection[str]) -> None:
        """Remove copies. Their packs stay, until `sweep`."""
        for copy in copies:
            for part in ("", _MAP, _NAMES):
                self.storage.remove(self._base(f"{copy}{part}"))

    def discard(self, copy: str) -> None:
        """Remove a copy that came to nothing, and the packs that none but it can need."""
        self.drop([copy])
        for pack in (pack for pack in self.packs() if pack.startswith(f"{copy}/")):
            self.upload.kit.go_on()
            self.storage.remove(self._pack(pack))

    def sweep(self, before: datetime) -> int:
        """Remove what was written before a moment and belongs to no copy; gives how many packs.

        Raises `RepositoryDamaged` where it cannot be told what belongs to one.
        """
        listed = {one.name: one.at for one in self.storage.own(self._base(""))}
        stray = [name for name in listed if name.removesuffix(_part(name)) not in listed]
        for name in (name for name in stray if listed[name] < before):
            self.storage.remove(name)
        used = self.needed()
        gone = [pack for pack, at in self.packs().items() if pack not in used and at < before]
        for pack in gone:
            self.storage.remove(self._pack(pack))
        return len(gone)

    def needed(self) -> AbstractSet[str]:
        """The packs that any copy needs. Raises `RepositoryDamaged`."""
        listed = (one.name for one in self.storage.own(self._base("")))
        copies = [_copy(name) for name in listed if _part(name) == _NAMES]
        return {pack for copy in copies for pack in self.packs_of(copy)}

    def packs_of(self, copy: str) -> Collection[str]:
        """The packs that a copy needs; none where it is gone. Raises `RepositoryDamaged`."""
        name = self._base(f"{copy}{_NAMES}")
        try:
            return extents.decode_packs(self._open(name))
        except FileNotFoundError:  # dropped meanwhile
            return ()
        except ValueError as error:
            raise RepositoryDamaged("base.no_map", name=name, detail=str(error)) from error

    def packs(self) -> Mapping[str, datetime]:
        """The packs of all copies, and when each was written."""
        return {
            one.name.removeprefix(self._pack("")): one.at
            for one in self.storage.own(f"{PACKS}/{self.member}")
        }

    def _base(self, name: str) -> str:
        return f"{BASE}/{self.member}/{name}".rstrip("/")

    def _pack(self, name: str) -> str:
        return f"{PACKS}/{self.member}/{name}"

    def _close(self, name: str, content: bytes | memoryview) -> int:
        sealed = self.keys.seal.close(name, content, _QUICK)
        self.storage.put(name, sealed)
        return len(sealed)

    def _open(self, name: str) -> bytes:
        return self.keys.seal.open(name, self._get(name))

    def _get(self, name: str) -> bytes:
        """What lies there. Raises `FileNotFoundError`, `RepositoryDamaged` and `StorageFailed`."""
        try:
            return self.storage.get(name)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise RepositoryDamaged("base.unread", name=name, detail=str(error)) from error


FAILING = (StorageFailed, ToolFailed, TimedOut)  # what befalls one repository, and no other


class Everywhere:
    """The repositories that a copy goes into: one that fails is left out, and the others go on."""

    def __init__(self) -> None:
        self.added: dict[str, int] = defaultdict(int)  # bytes, by repository
        self.failed: dict[str, OpsdError] = {}
        self._copies: list[Copies] = []
        self._one_at_a_time = Lock()

    def add(self, copies: Copies) -> None:
        """One more."""
        self._copies.append(copies)

    @property
    def left(self) -> Sequence[Copies]:
        """Those that have not failed."""
        return [one for one in self._copies if one.repository not in self.failed]

    @property
    def nearest(self) -> Copies:
        """The one of these that it costs least to read from."""
        return next((one for one in self.left if one.is_near), self.left[-1])

    def keep_pack(self, pack: str, content: memoryview) -> None:
        """Keep bytes that no copy had before. Raises what befell the last one that was left."""
        self.each(lambda copies: self._count(copies, copies.keep_pack(pack, content)))

    def keep(self, base: Base, found: ExtentMap) -> None:
        """Let there be a copy whose packs are all there. Raises as `keep_pack` does."""

        def keep(copies: Copies) -> None:
            self._count(copies, copies.keep(replace(base, repository=copies.repository), found))

        self.each(keep)

    def each(self, work: Callable[[Copies], None]) -> None:
        """Do something with each that is left. Raises as `keep_pack` does."""
        for copies in self.left:
            try:
                work(copies)
            except FAILING as error:
                self.leave(copies, error)

    def leave(self, copies: Copies, error: OpsdError) -> None:
        """Go on without one of which something failed; raises that where it was the last."""
        self.failed[copies.repository] = error
        if not self.left:
            raise error

    @contextmanager
    def settling(self, copy: str) -> Iterator[None]:
        """Leave nothing of a copy that is begun in the block where it comes to nothing."""
        there = self.left
        try:
            yield
        except BaseException:
            self._discard(copy, there)
            raise
        self._discard(copy, [one for one in there if one.repository in self.failed])

    def lose(self, copies: Copies, copy: str, error: RepositoryDamaged) -> None:
        """Remove a copy where it is no good. Raises as `keep_pack` does."""
        self._discard(copy, [copies])
        self.leave(copies, error)

    def _discard(self, copy: str, where: Iterable[Copies]) -> None:
        for copies in where:
            with suppress(OpsdError):  # who does not answer is swept by a later copy
                copies.discard(copy)

    def _count(self, copies: Copies, size: int) -> None:
        with self._one_at_a_time:
            self.added[copies.repository] += size


def open_copies(
    log: Log, repository: str, keys: Keys | None = None, *, at_once: bool = False
) -> Copies:
    """The base copies of a member in a repository; `at_once`: fetched as fast as can be."""
    kit, found = log.kit, log.kit.config.repositories[repository]
    return Copies(
        storage_of(kit, repository),
        keys or Keys(kit, repository),
        log.subject,
        Pace(kit, found.upload),
        Pace(kit, None if at_once else found.download),
    )


def _part(name: str) -> str:
    """Which part of a copy an object is; empty for what the copy is."""
    return next((part for part in (_MAP, _NAMES) if name.endswith(part)), "")


def _copy(name: str) -> str:
    """Of which copy an object is that tells of one."""
    return name.rpartition("/")[2].removesuffix(_part(name))
