"""Every option of opsd, with its type, its default and what it means."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr

from opsd.catalogue import Language, Size
from opsd.config.addresses import Connection, StoreUrl
from opsd.config.automation import Automation
from opsd.config.checks import Checks
from opsd.config.command import CommandMember
from opsd.config.heartbeats import Heartbeat
from opsd.config.hosts import Host
from opsd.config.incidents import Incidents
from opsd.config.mariadb import MariadbMember
from opsd.config.notify import Channel
from opsd.config.oncall import OnCall
from opsd.config.options import Options, Truth
from opsd.config.origin import Origin
from opsd.config.playbooks import Playbooks
from opsd.config.probes import Probe
from opsd.config.repository import Repository
from opsd.config.retention import Retention
from opsd.config.secret import Secret, secret
from opsd.config.units import PositiveBytes, PositiveDuration
from opsd.config.values import (
    AbsolutePath,
    Address,
    Credential,
    HostName,
    InsidePath,
    Listen,
    Name,
    Program,
    SecretFile,
    Text,
    TimeOfDay,
    Zone,
)
from opsd.config.wal import Wal
from opsd.config.web import Web
from opsd.config.webhook import Webhook

Location = tuple[str | int, ...]
Jobs = Annotated[int, Field(strict=True, ge=1, le=64)]


class Clock(Options):
    """How far this machine's clock may be trusted."""

    max_offset: PositiveDuration = timedelta(seconds=60)
    """Largest difference from the clocks of the database servers, and from the newest snapshot,
    with which a backup still begins."""

    require_sync: Truth = True
    """Whether a clock that no time server keeps stops a backup. `demo: true` turns this off."""


class PostgresMember(Options):
    """A PostgreSQL database."""

    kind: Literal["postgres"]
    """A database."""

    connection: Connection
    """How to reach it, in libpq keywords (`host=… dbname=… user=…`), without a password."""

    passfile: SecretFile | None = None
    """File with the password in libpq's format, readable by its owner alone."""

    passfile_credential: Credential | None = None
    """Name of the systemd credential that holds such a file."""

    jobs: Jobs = 2
    """Tables dumped and restored at the same time."""

    wal: Wal | None = None
    """Its log, received while it is written. None: what is newer than the last backup is lost."""

    @property
    def passwords(self) -> Secret | None:
        """The file with passwords, in libpq's format."""
        return secret(self.passfile, self.passfile_credential)


class FilesMember(Options):
    """A tree of files."""

    kind: Literal["files"]
    """A tree of files."""

    path: AbsolutePath
    """Its root, an absolute path."""

    exclude: Annotated[tuple[InsidePath, ...], Field(strict=False)] = ()
    """Plain paths below the root that are left out. No patterns: what is left out is named."""


Dumped = PostgresMember | MariadbMember | CommandMember
Member = Annotated[Dumped | FilesMember, Field(discriminator="kind")]


class Orphans(StrEnum):
    """What a file that no row names means for a proof."""

    REPORT = "report"
    FAIL = "fail"
    IGNORE = "ignore"


class Invariant(Options):
    """Something that must hold in a restored database."""

    name: Text
    """What holds, in words; it stands in reports."""

    member: Name
    """The PostgreSQL member that is asked."""

    query: Text
    """SQL that returns the rows that offend. No row: it holds."""


class Reconciliation(Options):
    """Every file that the restored database names is in the restored tree, and is the same."""

    database: Name
    """The PostgreSQL member that names files."""

    files: Name
    """The files member that has them."""

    query: Text
    """SQL that returns `path, size, sha256`; the path counts from the root of the files member. A
    fourth column is what people know the row by, as the code of its dossier: it is told with it."""

    orphans: Orphans = Orphans.REPORT
    """Files that no row names: `report` them, `fail` the proof, or `ignore` them."""


class Prove(Options):
    """How a recovery point is proved: restored elsewhere, and asked what must hold."""

    after_backup: Truth = True
    """Whether each backup is proved at once."""

    budget: PositiveBytes = Size(500 << 30)
    """Bytes of each tree of files that one proof restores. Of a larger one, a random part that
    moves on."""

    budget_time: PositiveDuration | None = None
    """How long one proof may restore and compare each tree, reckoned by the best speed of the last
    ones that passed (at first 20 MiB/s). Of `budget` and this, the smaller part is taken."""

    read_budget: PositiveBytes = Size(200 << 30)
    """Bytes of the repository's packs that one proof reads back."""

    timeout: PositiveDuration = timedelta(hours=6)
    """How long one proof may take."""

    invariants: Annotated[tuple[Invariant, ...], Field(strict=False)] = ()
    """What must hold in the restored database."""

    reconcile: Annotated[tuple[Reconciliation, ...], Field(strict=False)] = ()
    """Which database names the files of which tree."""


class BackupSet(Options):
    """What must be restored together."""

    title: Text | None = None
    """Its name for people."""

    repository: Name
    """The repository that takes its snapshots."""

    schedule: TimeOfDay
    """Local time of day of the backup, `HH:MM`, in quotes."""

    rpo: PositiveDuration
    """Tolerable age of the newest recovery point: what may be lost."""

    rto: PositiveDuration
    """Tolerable time to restore it."""

    timeout: PositiveDuration = timedelta(hours=12)
    """How long one backup may take."""

    members: Annotated[Mapping[Name, Member], Field(min_length=1)]
    """Its parts, each with a name. Files are taken after all others, whatever the order here."""

    prove: Prove = Prove()
    """How its recovery points are proved."""

    retention: Retention | None = None
    """Which of its recovery points stay. None: all of them, for ever."""

    @property
    def ordered(self) -> tuple[tuple[str, Dumped | FilesMember], ...]:
        """The members in the order they are taken: every file that the database names exists."""
        return (*self.dumped.items(), *self.trees.items())

    @property
    def dumped(self) -> Mapping[str, Dumped]:
        """The members that a program dumps: all but trees of files."""
        return {n: m for n, m in self.members.items() if not isinstance(m, FilesMember)}

    @property
    def databases(self) -> Mapping[str, PostgresMember]:
        """The PostgreSQL members."""
        return {n: m for n, m in self.members.items() if isinstance(m, PostgresMember)}

    @property
    def logged(self) -> Mapping[str, PostgresMember]:
        """The databases whose log is received."""
        return {n: m for n, m in self.databases.items() if m.wal is not None}

    @property
    def streamed(self) -> Mapping[str, MariadbMember]:
        """The MariaDB databases whose binary log is received."""
        found = ((n, m) for n, m in self.members.items() if isinstance(m, MariadbMember))
        return {name: member for name, member in found if member.binlog is not None}

    @property
    def keepers(self) -> tuple[tuple[str, str], ...]:
        """The members whose log is received, each with each repository that keeps it."""
        wal = ((name, member.wal) for name, member in self.logged.items())
        binlog = ((name, member.binlog) for name, member in self.streamed.items())
        found = ((name, options) for name, options in (*wal, *binlog) if options)
        return tuple(
            (name, repository)
            for name, options in found
            for repository in options.repositories or (self.repository,)
        )

    @property
    def trees(self) -> Mapping[str, FilesMember]:
        """The files members."""
        return {n: m for n, m in self.members.items() if isinstance(m, FilesMember)}


def _scratch(others: dict[str, Any]) -> Path:
    return Path(others["state"]) / "scratch"


def _cache(others: dict[str, Any]) -> Path:
    return Path(others["state"]) / "cache"


class Config(Options):
    """The configuration of opsd on one machine."""

    language: Language = Language.VI
    """The language of messages and documents: `vi` or `en`."""

    timezone: Zone = "Asia/Ho_Chi_Minh"
    """The zone of schedules and of times in documents."""

    demo: Truth = False
    """A demonstration on one disk: the repository may lie beside its source, and the clock may be
    unsynchronised. Never for data that matters."""

    host: HostName = Field(default_factory=platform.node)
    """Name under which snapshots are stored. Default: this machine's name."""

    state: AbsolutePath = Path("/var/lib/opsd")
    """Directory of opsd's own records: history, locks, manifests."""

    store: StoreUrl | None = None
    """Where the history lies that several nodes share: `postgresql://user@host/database`, without
    a password. None: in a SQLite file in `state`, for one node alone."""

    store_passfile: SecretFile | None = None
    """File with the password of `store` in libpq's format, readable by its owner alone."""

    store_passfile_credential: Credential | None = None
    """Name of the systemd credential that holds such a file."""

    scratch: AbsolutePath = Field(default_factory=_scratch)
    """Directory of dumps on their way and of throwaway databases; it is wiped.
    Default: `scratch` in `state`."""

    cache: AbsolutePath = Field(default_factory=_cache)
    """Directory of restic's cache and of its temporary files. Default: `cache` in `state`."""

    cache_size: PositiveBytes = Size(20 << 30)
    """Bytes that restic's cache keeps after each night; what lay unused longest goes."""

    listen: Listen = Address("127.0.0.1:9851")
    """Address and port of `/metrics`."""

    admin_listen: Listen = Address("127.0.0.1:9852")
    """Address and port where opsd is asked whether it is well, and told to read its configuration
    again. Beyond this machine only with a guard."""

    web: Web = Web()
    """What stands before the ports: certificates and users."""

    restic: Program = "restic"
    """Name or absolute path of the restic program, 0.17 or newer."""

    restic_memory: PositiveBytes | None = None
    """Memory that each restic tries to keep below (Go's GOMEMLIMIT). None: as it likes."""

    clock: Clock = Clock()
    """What is asked of this machine's clock before a backup."""

    repositories: Annotated[Mapping[Name, Repository], Field(min_length=1)]
    """Where backups go, each under a name."""

    backup_sets: Annotated[Mapping[Name, BackupSet], Field(min_length=1)]
    """What is backed up, each under a name."""

    hosts: Mapping[Name, Host] = {}
    """The machines that are watched, each under a name; `local` is this one. None: none is."""

    checks: Checks = Checks()
    """What is asked of every host, and where it begins to worry; a host may have its own."""

    probes: Mapping[Name, Probe] = {}
    """The services that are asked from outside, each under a name. None: none is."""

    webhook: Webhook | None = None
    """The way in for Alertmanager, on the admin port. None: there is none."""

    channels: Mapping[Name, Channel] = {}
    """How people are told, each under a name; where it matters in this order. None: nobody is."""

    oncall: OnCall | None = None
    """Who is on duty. None: everybody who stands in a channel's `to` is told."""

    heartbeats: Mapping[Name, Heartbeat] = {}
    """Dead-man switches that hear of opsd, each under a name. None: nobody notices when it dies."""

    incidents: Incidents = Incidents()
    """How incidents are recorded, and what the law asks of them."""

    automation: Automation = Automation()
    """Whether and when incidents are answered by playbooks."""

    playbooks: Playbooks = Playbooks()
    """What each playbook may do, how often, and who must agree."""

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def origin(self) -> Origin:
        """Where this configuration was written."""
        return self._origin

    def written_at(self, origin: Origin) -> Config:
        """The same configuration, knowing where it was written."""
        copy = self.model_copy()
        copy._origin = origin  # noqa: SLF001  (our own copy)
        return copy

    @property
    def store_passwords(self) -> Secret | None:
        """The file with the password of the history's server."""
        return secret(self.store_passfile, self.store_passfile_credential)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    @property
    def sync_required(self) -> bool:
        """Whether an unsynchronised clock stops a backup; never in a demonstration."""
        return self.clock.require_sync and not self.demo
