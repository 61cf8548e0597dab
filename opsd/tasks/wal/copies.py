"""The base copies in a repository: sealed objects beside the log (docs/adr/0030-extents.md).

base/SET/MEMBER/ID             what the copy is: what `opsd.wal.Base` says
base/SET/MEMBER/ID.map         its files, and where their bytes lie (`opsd.extents`)
packs/SET/MEMBER/ID/NUMBER     bytes that it was the first to have

A copy is there when the first of these is, which comes last.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from opsd import extents, record
from opsd.drivers.storage import Storage
from opsd.errors import RepositoryDamaged
from opsd.extents import ExtentMap
from opsd.tasks.keys import Keys, storage_of
from opsd.tasks.moving import Pace
from opsd.tasks.wal.layout import BASE, PACKS
from opsd.tasks.wal.log import Log
from opsd.wal import Base

log = logging.getLogger(__name__)

_MAP = ".map"
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

    def bases(self) -> tuple[Base, ...]:
        """What there is, oldest first; what cannot be read is left out, and logged."""
        listed = (one.name for one in self.storage.own(self._base("")))
        heads = [name for name in listed if not name.endswith(_MAP)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = [base for base in pool.map(self._told, heads) if base is not None]
        return tuple(sorted(found, key=lambda base: base.until))

    def _told(self, name: str) -> Base | None:
        try:
            body = json.loads(self._open(name))
            if body.pop("format") != _FORMAT:
                raise ValueError("written by a later opsd")
            return replace(record.noun(Base, body), repository=self.repository)
        except FileNotFoundError:  # dropped meanwhile
            pass
        except (RepositoryDamaged, OSError, ValueError, KeyError, TypeError) as error:
            log.error("%s: %s: %s", self.repository, name, error)  # noqa: TRY400
        return None

    def map(self, copy: str) -> ExtentMap:
        """What a copy consists of. Raises `RepositoryDamaged`."""
        name = self._base(f"{copy}{_MAP}")
        try:
            return extents.decode(self._open(name))
        except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
            raise RepositoryDamaged("base.no_map", name=name, detail=str(error)) from error

    def pack(self, pack: str) -> bytes:
        """What lies in a pack. Raises `RepositoryDamaged`."""
        name = self._pack(pack)
        try:
            sealed = self.storage.get(name)
        except FileNotFoundError as error:
            raise RepositoryDamaged("base.no_pack", name=name) from error
        self.download.spent(len(sealed))
        return self.keys.seal.open(name, sealed)

    def file(self, found: ExtentMap, path: str) -> bytes:
        """The content of a small file. Raises `RepositoryDamaged`."""
        file, content = found.files[path], bytearray()
        packs = {name: self.pack(name) for name in {e.pack for e in file.extents}}
        for extent in file.extents:
            content += packs[extent.pack][extent.at : extent.at + extent.size]
        return bytes(content)

    def keep_pack(self, pack: str, content: bytes | memoryview) -> int:
        """Keep bytes that no copy had before; gives how many they are as they are stored."""
        size = self._close(self._pack(pack), content)
        self.upload.spent(size)
        return size

    def keep(self, base: Base, found: ExtentMap) -> int:
        """Let there be a copy whose packs are all there; gives the bytes of what tells of it."""
        body = {"format": _FORMAT, **record.plain(base)}
        told = self._close(self._base(f"{base.id}{_MAP}"), extents.encode(found))
        return told + self._close(self._base(base.id), json.dumps(body).encode())

    def drop(self, copies: Collection[str]) -> None:
        """Remove copies. Their packs stay, until `sweep`."""
        for copy in copies:
            self.storage.remove(self._base(copy))
            self.storage.remove(self._base(f"{copy}{_MAP}"))

    def sweep(self, before: datetime) -> int:
        """Remove what was written before a moment and belongs to no copy; gives how many packs.

        Raises `RepositoryDamaged` where it cannot be told what belongs to one.
        """
        listed = {one.name: one.at for one in self.storage.own(self._base(""))}
        for name, at in [*listed.items()]:
            if name.endswith(_MAP) and name.removesuffix(_MAP) not in listed and at < before:
                self.storage.remove(name)
                del listed[name]
        maps = [name for name in listed if name.endswith(_MAP)]
        used = {pack for name in maps for pack in self.map(_copy(name)).packs}
        gone = [pack for pack, at in self.packs().items() if pack not in used and at < before]
        for pack in gone:
            self.storage.remove(self._pack(pack))
        return len(gone)

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
        return self.keys.seal.open(name, self.storage.get(name))


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


def _copy(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(_MAP)
