"""The playbooks that opsd knows.

The key is the name in the configuration, on the command line and in metrics. A playbook is one
file here, one line in this table, and its options in `opsd.config.playbooks`. Of two that answer
the same the first does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opsd.playbook import Playbook
from playbooks.disk_full import DiskFull

PLAYBOOKS: Final[Mapping[str, Callable[[Any], Playbook]]] = {
    "disk_full": DiskFull,
}
