"""How incidents are answered: one group of options a playbook."""

from __future__ import annotations

from opsd.catalogue import Size
from opsd.config.options import Options
from opsd.config.playbook import PlaybookOptions
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

    def options(self, playbook: str) -> PlaybookOptions:
        """The options of the playbook of this name."""
        found = getattr(self, playbook)
        assert isinstance(found, PlaybookOptions)  # noqa: S101  (a test closes the names)
        return found
