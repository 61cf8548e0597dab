"""One member's log: where it is received and kept, and the doors to all of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from opsd.config.addresses import read_connection
from opsd.config.schema import PostgresMember
from opsd.config.wal import Wal
from opsd.drivers import cluster, pgwal, process
from opsd.drivers.postgres import Database
from opsd.errors import ToolFailed, UsageError
from opsd.policy import protection
from opsd.policy.wal import Heading, heading
from opsd.tasks.kit import Kit


@dataclass(frozen=True, slots=True)
class Log:
    """The log of the server of one PostgreSQL member."""

    kit: Kit
    backup_set: str
    name: str
    member: PostgresMember
    wal: Wal

    @property
    def subject(self) -> str:
        """Its name for people and for the watch."""
        return f"{self.backup_set}/{self.name}"

    @property
    def repositories(self) -> tuple[str, ...]:
        """Who keeps it."""
        return self.wal.repositories or (self.kit.backup_set(self.backup_set).repository,)

    @property
    def applications(self) -> tuple[str, ...]:
        """All receivers, here and elsewhere, as the server knows them."""
        return tuple(self.wal.application(name) for name in self.wal.receivers)

    @property
    def directories(self) -> dict[str, Path]:
        """Where it is received on this machine."""
        return {n: r.directory for n, r in self.wal.here.items() if r.directory is not None}

    @property
    def database(self) -> Database:
        """The door to the server for looking and setting up."""
        found = self.kit.database(self.member)
        return replace(found, connection=_to_the_primary(found.connection))

    @property
    def database_name(self) -> str:
        """The database of the member on its server."""
        settings = read_connection(self.member.connection)
        return settings.get("dbname") or settings.get("user") or self.name

    def connection(self, receiver: str = "") -> str:
        """The way to the server as the role that receives; to any part of it, and by its name."""
        found = self.wal.receivers.get(receiver)
        way = (found and found.connection) or self.member.connection
        application = self.wal.application(receiver) if receiver else "opsd_base"
        return pgwal.as_role(_to_the_primary(way), self.wal.role, application)

    def commit(self) -> str:
        """What the server's clients commit with, as the role that receives is told."""
        return self.programs().commit(self.connection())

    def waits_for(self, names: str) -> int | None:
        """For how many receivers commits wait, as the server's names of them say."""
        return protection.waits_for(names, self.applications, self.wal.wait_for)

    def receive(self, receiver: str, directory: Path, said: Path) -> process.Background:
        """Begin to receive it into a directory, from its own slot."""
        connection, slot = self.connection(receiver), self.wal.slot(receiver)
        programs = self.programs()
        programs.make_slot(connection, slot)
        return programs.receive(connection, slot, directory, said)

    @property
    def passfile(self) -> Path | None:
        """The passwords of the role that receives."""
        passwords = self.wal.passwords or self.member.passwords
        return passwords.path() if passwords else None

    def programs(self, major: int | None = None) -> pgwal.WalPrograms:
        """PostgreSQL's programs for its log. Those that read it must be of its own version."""
        directory = cluster.binaries(cluster.newest() if major is None else major)
        if major is not None and directory.parent.name != str(major):
            raise ToolFailed("cluster.no_binaries", major=str(major))
        passfile = {"PGPASSFILE": str(self.passfile)} if self.passfile else {}
        return pgwal.WalPrograms(directory, {"TZ": "UTC", **passfile}, self.kit.stop)


def _to_the_primary(connection: str) -> str:
    """Of several hosts the one that writes: with a standby's receivers no commit gets on."""
    settings = read_connection(connection)
    several = any("," in settings.get(word, "") for word in ("host", "hostaddr"))
    return f"{connection} target_session_attrs=primary" if several else connection


def heading_of(path: Path) -> Heading | None:
    """What the first page of a received file says. Raises `OSError`."""
    with path.open("rb") as stream:
        return heading(stream.read(64))


def logs(kit: Kit) -> Iterator[Log]:
    """Every log that is configured."""
    for name, backup_set in kit.config.backup_sets.items():
        for member, found in backup_set.logged.items():
            if found.wal is not None:
                yield Log(kit, name, member, found, found.wal)


def logs_of(kit: Kit, backup_set: str) -> tuple[Log, ...]:
    """The logs of a set. Raises `UsageError` when it has none."""
    kit.backup_set(backup_set)
    found = tuple(log for log in logs(kit) if log.backup_set == backup_set)
    if not found:
        raise UsageError("wal.none", name=backup_set)
    return found
