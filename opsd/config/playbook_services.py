"""The options of playbooks that answer for services: databases, web fronts, partners."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from opsd.config.options import Options
from opsd.config.playbook import Command, Often, PlaybookOptions
from opsd.config.units import Duration
from opsd.config.values import AbsolutePath, Name, Text
from opsd.playbook import Consent

_SYSTEMCTL = "/usr/bin/systemctl"


class Database(Options):
    """A PostgreSQL server that a probe asks."""

    host: Name
    """The host (of `hosts`) that it runs on."""

    data: AbsolutePath = Path("/var/lib/postgresql")
    """A directory on the filesystem of its data."""

    log: AbsolutePath
    """Its log. What stands there decides whether it crashed, was stopped, or is damaged."""

    start: Command = (_SYSTEMCTL, "start", "postgresql.service")
    """The command that starts it, run as root."""

    ready: Command = ("pg_isready", "-q", "-t", "3")
    """A command that ends with 0 when it takes connections."""


class DatabaseDownOptions(PlaybookOptions):
    """`database_down`: starts a database that crashed; never one that was stopped or is damaged."""

    approval: Consent = Consent.AUTO
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    cooldown: Duration = timedelta(hours=1)
    """Rest between two responses on one host."""

    per_host: Often = 2
    """Responses on one host `within` that time."""

    breaker_after: Often = 2
    """After so many responses on one host `breaker_within` that time it is not done once more: the
    cause is not mended. It rests there until a person has looked."""

    services: Mapping[Name, Database] = {}
    """For each probe of a database where it runs and how it is started."""


class Replica(Options):
    """A PostgreSQL server whose replication or archive a probe asks."""

    host: Name
    """The host (of `hosts`) that it runs on."""

    psql: Command = ("psql", "-XAtq", "-d", "postgres")
    """How it is asked there; the SQL follows as `-c`."""


class ReplicationStuckOptions(PlaybookOptions):
    """`replication_stuck`: says what holds it up; resumes a paused replay where a person agrees."""

    services: Mapping[Name, Replica] = {}
    """For each probe of a database where it runs and how it is asked."""


class Front(Options):
    """A web front that a probe asks."""

    host: Name
    """The host (of `hosts`) that it runs on."""

    start: Command = (_SYSTEMCTL, "restart", "nginx.service")
    """The command that starts it, run as root."""

    up: Command = (_SYSTEMCTL, "is-active", "--quiet", "nginx.service")
    """A command that ends with 0 while it runs."""

    test: Command = ("true",)
    """A command that ends with 0 when its configuration is right, run as root."""

    log: AbsolutePath = Path("/var/log/nginx/error.log")
    """Its log of errors, to attach."""


class WebDownOptions(PlaybookOptions):
    """`web_down`: starts a web front that is not running and whose configuration is right."""

    approval: Consent = Consent.AUTO
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    services: Mapping[Name, Front] = {}
    """For each probe of a web front where it runs and how it is started."""


class Partner(Options):
    """Who is behind a service that is not ours."""

    name: Text
    """What it is called, in a message."""

    contact: Text
    """Where a message goes. opsd drafts it; a person sends it."""


class UpstreamDownOptions(PlaybookOptions):
    """`upstream_down`: gathers evidence and drafts a message; changes nothing."""

    partners: Mapping[Name, Partner] = {}
    """For each probe of a partner's service who that is."""
