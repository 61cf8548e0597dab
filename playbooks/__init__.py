"""The playbooks that opsd knows.

The key is the name in the configuration, on the command line and in metrics. A playbook is one
file here, one line in this table, and its options in `opsd.config.playbooks`. Of two that answer
the same the first is asked first; one may find that it is the other's and pass it on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opsd.playbook import Playbook
from playbooks.backup_failed import BackupFailed
from playbooks.certificate_expiring import CertificateExpiring
from playbooks.clock_skew import ClockSkew
from playbooks.database_down import DatabaseDown
from playbooks.disk_full import DiskFull
from playbooks.disk_slow import DiskSlow
from playbooks.host_unreachable import HostUnreachable
from playbooks.isolate_host import IsolateHost
from playbooks.link_down import LinkDown
from playbooks.mass_change import MassChange
from playbooks.replication_stuck import ReplicationStuck
from playbooks.repository_damaged import RepositoryDamaged
from playbooks.repository_full import RepositoryFull
from playbooks.restore_member import RestoreMember
from playbooks.stale_lock import StaleLock
from playbooks.upstream_down import UpstreamDown
from playbooks.web_down import WebDown

PLAYBOOKS: Final[Mapping[str, Callable[[Any], Playbook]]] = {
    "repository_damaged": RepositoryDamaged,
    "stale_lock": StaleLock,
    "repository_full": RepositoryFull,
    "backup_failed": BackupFailed,
    "disk_full": DiskFull,
    "disk_slow": DiskSlow,
    "database_down": DatabaseDown,
    "replication_stuck": ReplicationStuck,
    "web_down": WebDown,
    "host_unreachable": HostUnreachable,
    "link_down": LinkDown,
    "certificate_expiring": CertificateExpiring,
    "clock_skew": ClockSkew,
    "mass_change": MassChange,
    "isolate_host": IsolateHost,
    "restore_member": RestoreMember,
    "upstream_down": UpstreamDown,
}
