"""How incidents are answered: one group of options a playbook."""

from __future__ import annotations

from opsd.catalogue import Size
from opsd.config.options import Options
from opsd.config.playbook import PlaybookOptions
from opsd.config.playbook_backups import (
    BackupFailedOptions,
    MassChangeOptions,
    RepositoryDamagedOptions,
    RepositoryFullOptions,
    RestoreMemberOptions,
    StaleLockOptions,
)
from opsd.config.playbook_hosts import (
    CertificateExpiringOptions,
    ClockSkewOptions,
    DiskSlowOptions,
    HostUnreachableOptions,
    IsolateHostOptions,
    LinkDownOptions,
)
from opsd.config.playbook_services import (
    DatabaseDownOptions,
    ReplicationStuckOptions,
    UpstreamDownOptions,
    WebDownOptions,
)
from opsd.config.units import PositiveBytes
from opsd.playbook import Consent


class DiskFullOptions(PlaybookOptions):
    """`disk_full`: wins back space that nobody misses."""

    approval: Consent = Consent.AUTO
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    keep_journal: PositiveBytes = Size(500 << 20)
    """What stays of the systemd journal."""


class Playbooks(Options):
    """The options of every playbook."""

    disk_full: DiskFullOptions = DiskFullOptions()
    """A filesystem is full: old journals and downloaded packages go."""

    disk_slow: DiskSlowOptions = DiskSlowOptions()
    """A disk is slow: who reads and writes; programs that can wait do."""

    repository_full: RepositoryFullOptions = RepositoryFullOptions()
    """The filesystem of a repository is full: what no rule keeps is dropped."""

    database_down: DatabaseDownOptions = DatabaseDownOptions()
    """A database does not answer: why; one that crashed is started."""

    replication_stuck: ReplicationStuckOptions = ReplicationStuckOptions()
    """Replication or the archive of a database does not go on: why."""

    web_down: WebDownOptions = WebDownOptions()
    """A web front does not answer: why; one that is not running is started."""

    host_unreachable: HostUnreachableOptions = HostUnreachableOptions()
    """A host cannot be reached: how far one comes, and who else cannot be."""

    link_down: LinkDownOptions = LinkDownOptions()
    """A link is down: advice to change over, or doing it."""

    certificate_expiring: CertificateExpiringOptions = CertificateExpiringOptions()
    """A certificate expires: who issued it; it is renewed."""

    backup_failed: BackupFailedOptions = BackupFailedOptions()
    """A backup failed or is overdue: why; it is taken once more."""

    stale_lock: StaleLockOptions = StaleLockOptions()
    """A lock of the dead keeps backups out."""

    repository_damaged: RepositoryDamagedOptions = RepositoryDamagedOptions()
    """A repository is damaged: the repair order."""

    mass_change: MassChangeOptions = MassChangeOptions()
    """Much more changed than usual: somebody may be destroying data."""

    isolate_host: IsolateHostOptions = IsolateHostOptions()
    """Cuts a host off from everybody but opsd."""

    clock_skew: ClockSkewOptions = ClockSkewOptions()
    """A clock is wrong: what keeps it begins anew."""

    restore_member: RestoreMemberOptions = RestoreMemberOptions()
    """Restores one member of a point beside the living one."""

    upstream_down: UpstreamDownOptions = UpstreamDownOptions()
    """A partner's service is out: evidence, and a message to send."""

    def options(self, playbook: str) -> PlaybookOptions:
        """The options of the playbook of this name."""
        found = getattr(self, playbook)
        assert isinstance(found, PlaybookOptions)  # noqa: S101  (a test closes the names)
        return found
