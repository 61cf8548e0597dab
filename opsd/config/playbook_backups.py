"""The options of playbooks that answer for backups and repositories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from opsd.config.options import Options
from opsd.config.playbook import Names, Often, PlaybookOptions
from opsd.config.units import Duration, PositiveDuration
from opsd.config.values import AbsolutePath, Name
from opsd.playbook import Consent


class Place(Options):
    """Where a repository lies."""

    host: Name
    """The host (of `hosts`) whose filesystem it is on."""

    point: AbsolutePath
    """That filesystem's mount point."""


class RepositoryFullOptions(PlaybookOptions):
    """`repository_full`: drops what no rule keeps, where one person agrees."""

    places: Mapping[Name, Place] = {}
    """For each repository the filesystem that it lies on: when that is full, this answers."""


class StaleLockOptions(PlaybookOptions):
    """`stale_lock`: removes the lock of a dead process of this machine, where a person agrees."""


class RepositoryDamagedOptions(PlaybookOptions):
    """`repository_damaged`: stops dropping at once; repairs in order, by two persons."""

    approval: Consent = Consent.TWO_PERSON
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    approval_expires: PositiveDuration = timedelta(hours=4)
    """How long it waits for them; then the answer is no."""


class BackupFailedOptions(PlaybookOptions):
    """`backup_failed`: takes the backup once more, where that can help."""

    approval: Consent = Consent.AUTO
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    cooldown: Duration = timedelta(hours=2)
    """Rest between two responses on one host."""

    per_host: Often = 2
    """Responses on one host `within` that time."""


class MassChangeOptions(PlaybookOptions):
    """`mass_change`: freezes retention, keeps evidence, holds the last clean point."""

    approval: Consent = Consent.AUTO
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    evidence: Names = ()
    """The hosts of whose state evidence is kept. None: the one that it is about."""


class RestoreMemberOptions(PlaybookOptions):
    """`restore_member`: one member of a point beside the living one. By hand, two persons."""

    approval: Consent = Consent.TWO_PERSON
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    approval_expires: PositiveDuration = timedelta(hours=1)
    """How long it waits for them; then the answer is no."""

    target: AbsolutePath = Path("/srv/opsd-restore")
    """The directory in which a new one is made for what is restored."""
