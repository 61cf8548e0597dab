"""The keys that the logs in a repository are sealed with, under the repository's password.

They lie in the repository as `wal/key.json`; a second copy in the state brings them back when they
are lost there.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from opsd.drivers import seal
from opsd.drivers.seal import Seal
from opsd.drivers.storage import Storage
from opsd.errors import ConfigError, RepositoryDamaged, RepositoryMissing, WrongPassword
from opsd.tasks.kit import Kit

_KEY = "wal/key.json"
_SEALED = ("wal", "base", "packs", "binlog")  # below these lies what keys were needed for
_SETTLING = 2  # seconds: longer than it takes to make keys and write them


@dataclass(slots=True)
class Keys:
    """The keys of a repository. A password opens them in 0.3 s: when they are first needed."""

    kit: Kit
    repository: str
    _seal: Seal | None = None
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seal(self) -> Seal:
        """What seals and opens objects; made where there is none yet.

        Raises `WrongPassword`, `RepositoryDamaged`.
        """
        with self._one_at_a_time:
            if self._seal is None:
                self._seal = _opened(self.kit, self.repository)
            return self._seal

    def insist(self) -> None:
        """Raise what keeps them from being opened."""
        _ = self.seal

    def begin(self) -> None:
        """Open them, if there are any."""
        with self._one_at_a_time, suppress(FileNotFoundError):
            self.kit.reach(self.repository)
            kept = storage_of(self.kit, self.repository).get(_KEY)
            self._seal = _unwrapped(self.kit, self.repository, kept)


def storage_of(kit: Kit, repository: str) -> Storage:
    """Where logs are kept in a repository. Raises `ConfigError` where opsd cannot write itself."""
    storage = kit.storage(repository)
    if storage is None:
        raise ConfigError("wal.no_storage", repository=repository)
    return storage


@contextmanager
def opening(kit: Kit, repositories: Iterable[str]) -> Iterator[Mapping[str, Keys]]:
    """The keys of repositories; those that are there are opened beside the block.

    What keeps one from being opened is raised where it is used.
    """
    keys = {name: Keys(kit, name) for name in repositories}
    with ThreadPoolExecutor() as pool:
        for one in keys.values():
            pool.submit(one.begin)
        yield keys


def rekey(kit: Kit, repository: str, old: Path) -> None:
    """Put the keys under the password that the configuration names, from under an older one.

    Those that are under it already stay; of several repositories often one alone has a new
    password. Raises `WrongPassword` when neither opens them, `RepositoryMissing` where there are
    none.
    """
    storage, password = storage_of(kit, repository), kit.config.repositories[repository].password
    try:
        kept = storage.get(_KEY)
    except FileNotFoundError as none:
        raise RepositoryMissing("wal.no_keys", repository=repository) from none
    with suppress(WrongPassword):
        seal.unwrap(kept, password.path())
        return
    try:
        keys = seal.unwrap(kept, old)
    except WrongPassword as wrong:
        raise WrongPassword("wal.rekey_password", repository=repository, path=old) from wrong
    storage.put(_KEY, seal.wrap(keys, password.path()))


def _opened(kit: Kit, repository: str) -> Seal:
    """The keys, made where there are none.

    Another opsd, or another thread of this one, may make them at the same time: whose came first
    are the keys. A storage that keeps no two apart is looked at once more, a moment later.
    """
    storage = storage_of(kit, repository)
    try:
        kept = storage.get(_KEY)
    except FileNotFoundError:
        second = _second(kit, repository)
        if not second.exists() and any(any(storage.own(below)) for below in _SEALED):
            raise RepositoryDamaged("wal.keys_gone", repository=repository) from None
        password = kit.config.repositories[repository].password.path()
        made = second.read_bytes() if second.exists() else seal.new(password)[1]
        with suppress(FileExistsError):
            storage.put_new(_KEY, made)
        time.sleep(_SETTLING)
        kept = storage.get(_KEY)
    return _unwrapped(kit, repository, kept)


def _unwrapped(kit: Kit, repository: str, kept: bytes) -> Seal:
    """The keys that lie in the repository; the second copy becomes the same."""
    keys = seal.unwrap(kept, kit.config.repositories[repository].password.path())
    second = _second(kit, repository)
    if not second.exists() or second.read_bytes() != kept:
        if second.exists() and not _is_of(second, keys, kit, repository):
            second.rename(second.with_name(f"{second.name}.{secrets.token_hex(4)}"))  # none is lost
        second.parent.mkdir(parents=True, exist_ok=True)
        second.touch(mode=0o600)
        second.write_bytes(kept)
    return keys


def _is_of(second: Path, keys: Seal, kit: Kit, repository: str) -> bool:
    """Whether a second copy holds these keys. One under an older password cannot be asked."""
    password = kit.config.repositories[repository].password.path()
    try:
        return seal.unwrap(second.read_bytes(), password) == keys
    except (WrongPassword, RepositoryDamaged):
        return False


def _second(kit: Kit, repository: str) -> Path:
    return kit.config.state / "wal" / f"{repository}.key.json"
