"""What every task works with, and the doors it opens by name."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from opsd.clock import Clock, Stopwatch
from opsd.config.mariadb import MariadbMember
from opsd.config.repository import Repository
from opsd.config.schema import BackupSet, Config, PostgresMember
from opsd.drivers import lock, process
from opsd.drivers.mariadb import Database as Mariadb
from opsd.drivers.mariadb import Way
from opsd.drivers.postgres import Database
from opsd.drivers.restic import Bounds, Limits, Restic
from opsd.drivers.s3 import Bucket, Credentials, S3Storage
from opsd.drivers.storage import LocalStorage, Storage
from opsd.errors import Cancelled, RepositoryLocked, StorageFailed, UsageError
from opsd.store import Store

# Tags of snapshots. The record is no member: it closes a recovery point and holds its manifests.
TAG = "opsd"
RECORD = "record"
RECORD_FILE = "record.json"
PROOF_RECORD = "proof-record"
# What a record says of each member of its point. A snapshot of the run that it does not name was
# stored, but not believed.
HOLDS = "holds:"
LEASE = ".lease"
_MADE_WITHIN = timedelta(minutes=5)
_UNHEARD_FOR = timedelta(minutes=1)
_WAITED = timedelta(seconds=10)  # longer than a server that refuses takes to say so
_LOOKED_AT = 100  # pieces of evidence: some nights of all members and repositories
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


class Watcher(Protocol):
    """Somebody who is told how far a run is."""

    def phase(self, name: str, subject: str = "") -> None:
        """A new phase begins; `subject` is the member or repository it is about."""
        ...

    def advance(self, done: int, total: int) -> None:
        """`done` of `total` bytes of this phase; `total` is 0 while it is not known."""
        ...

    def beside(self) -> Watcher:
        """Who is told of work that goes on at the same time, with phases of its own."""
        ...


class Nobody:
    """A watcher that does not look."""

    def phase(self, name: str, subject: str = "") -> None:
        """Nothing."""

    def advance(self, done: int, total: int) -> None:
        """Nothing."""

    def beside(self) -> Watcher:
        """The same."""
        return self


def storage_at(name: str, found: Repository) -> Storage | None:
    """The objects of a repository, where opsd can read them itself."""
    if found.path is not None:
        return LocalStorage(found.path)
    if found.s3_credentials is None or not found.url.startswith("s3:"):
        return None
    return S3Storage(name, Bucket.at(found.url), Credentials.of(found.s3_credentials.path()))


@dataclass(frozen=True, slots=True)
class Kit:
    """The configuration, the history, the clock, and the wish to end."""

    config: Config
    store: Store
    clock: Clock
    stop: process.Stop = field(default_factory=process.Stop)
    watcher: Watcher = field(default_factory=Nobody)
    slot: datetime | None = None  # which a schedule fired, where one did
    _unheard: dict[str, tuple[Stopwatch, StorageFailed]] = field(default_factory=dict)

    def backup_set(self, name: str) -> BackupSet:
        """The backup set of this name. Raises `UsageError` with the names there are."""
        found = self.config.backup_sets.get(name)
        if found is None:
            raise UsageError("set.unknown", name=name, known=sorted(self.config.backup_sets))
        return found

    def restic(self, repository: str) -> Restic:
        """The door to a repository."""
        found = self.config.repositories[repository]
        credentials = found.s3_credentials
        return Restic(
            name=repository,
            url=found.url,
            password_file=found.password.path(),
            cache=self.config.cache,
            program=self.config.restic,
            env={"AWS_SHARED_CREDENTIALS_FILE": str(credentials.path())} if credentials else {},
            stop=self.stop,
            bounds=Bounds(found.upload, found.download, self.config.restic_memory),
        )

    def limits(self, repository: str, work: timedelta) -> Limits:
        """How long restic may work, and how long wait for somebody else's lock."""
        return Limits(work, self.config.repositories[repository].lock_wait)

    def storage(self, repository: str) -> Storage | None:
        """The objects of a repository, where opsd can read them itself."""
        return storage_at(repository, self.config.repositories[repository])

    def reach(self, repository: str) -> None:
        """Raise at once when the storage of a repository does not answer as it should.

        Who was waited for in vain is not waited for again in the next minute.
        """
        watch, before = Stopwatch(), self._unheard.get(repository)
        if before is not None and before[0].elapsed() < _UNHEARD_FOR:
            told = before[1]
            raise StorageFailed(told.key, detail=told.detail, **told.fields)
        storage = self.storage(repository)
        try:
            if storage is not None:
                storage.reach()
        except StorageFailed as error:
            if watch.elapsed() > _WAITED:
                self._unheard[repository] = Stopwatch(), error
            raise

    def database(self, member: PostgresMember) -> Database:
        """The door to a member's database."""
        passwords = member.passwords
        return Database(member.connection, passwords.path() if passwords else None)

    def mariadb(self, member: MariadbMember) -> Mariadb:
        """The door to a member's MariaDB database."""
        passwords = member.passwords
        passfile = passwords.path() if passwords else None
        way = Way(member.user, member.socket, member.host or "", member.port, passfile)
        return Mariadb(way, member.database, self.stop)

    def last_told(self, backup_set: str, kind: str, **of: str) -> Mapping[str, Any] | None:
        """The newest evidence of a kind that says all of this, among the newest of a set."""
        told = self.store.told(backup_set, kind, _LOOKED_AT)
        return next((one for one in reversed(told) if of.items() <= one.items()), None)

    def go_on(self) -> None:
        """Raise `Cancelled` when the end was asked for; called between the items of long work."""
        if self.stop.requested:
            raise Cancelled("run.cancelled")

    # --- places

    def scratch(self, run: str) -> Path:
        """Where a run keeps what must not stay."""
        return self.config.scratch / run

    def scratch_lease(self, run: str) -> Path:
        """The lease of that place: beside it, so that whoever shares the scratch sees it."""
        return self.config.scratch / f"{run}{LEASE}"

    def run_lease(self, run: str) -> Path:
        """The lease that a run holds while it lives, for all who share its history."""
        return self.config.state / "runs" / run

    def manifest(self, backup_set: str, member: str) -> Path:
        """The newest manifest of a files member, kept so that unchanged files need no hashing."""
        return self.config.state / "manifests" / backup_set / f"{member}.jsonl"

    def queue(
        self, repository: str, holder: str, wait: timedelta
    ) -> AbstractContextManager[timedelta]:
        """One run at a time for each repository; gives how long it was waited for."""
        return self._turn("lock", repository, holder, wait)

    def making(self, repository: str) -> AbstractContextManager[timedelta]:
        """One at a time, in the queue or not, looks whether a repository is there, and makes it."""
        return self._turn("making", repository, "making", _MADE_WITHIN)

    @contextmanager
    def _turn(
        self, what: str, repository: str, holder: str, wait: timedelta
    ) -> Iterator[timedelta]:
        path = self.config.state / "locks" / f"{repository}.{what}"
        with ExitStack() as held:
            try:
                waited = held.enter_context(lock.lease(path, holder, wait=wait, stop=self.stop))
            except lock.Busy as busy:
                raise RepositoryLocked(
                    "repository.held", repository=repository, holder=busy.holder, waited=wait
                ) from busy
            except OSError as error:
                raise state_unusable(path.parent, error) from error
            yield waited


def state_unusable(path: Path, error: OSError) -> StorageFailed:
    """What it means that opsd cannot work in its own directory of records."""
    return StorageFailed("daemon.state_unusable", path=path, detail=str(error))


def new_run_id(at: datetime) -> str:
    """An id that sorts by time and is not guessed twice."""
    return f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def is_run_id(name: str) -> bool:
    """Whether a name in scratch is ours: anything else there is somebody's and left alone."""
    return _RUN_ID.fullmatch(name) is not None


def begun_at(run: str) -> datetime:
    """The moment in the id of a run."""
    return datetime.strptime(run.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def tags(backup_set: str, run: str, part: str) -> tuple[str, ...]:
    """The tags of a snapshot."""
    return (TAG, f"set:{backup_set}", f"run:{run}", f"part:{part}")


def tagged(found: frozenset[str], name: str) -> str:
    """The value of a tag `name:value`, empty where there is none."""
    return next((tag.partition(":")[2] for tag in found if tag.startswith(f"{name}:")), "")
