"""The options of playbooks that answer for machines and the roads between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from opsd.config.options import Options
from opsd.config.playbook import Command, PlaybookOptions
from opsd.config.units import PositiveDuration
from opsd.config.values import AbsolutePath, HostName, Listen, Name, Text
from opsd.playbook import Consent

Programs = Annotated[tuple[Text, ...], Field(strict=False)]


class DiskSlowOptions(PlaybookOptions):
    """`disk_slow`: lets programs that can wait do so."""

    approval: Consent = Consent.AUTO
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    can_wait: Programs = ("updatedb", "rsync", "tar", "gzip", "find")
    """Programs that read and write only when nobody else does, while the disk is slow."""


class TimeService(Options):
    """What keeps the clock of hosts."""

    restart: Command = ("/usr/bin/systemctl", "restart", "chrony.service")
    """The command that makes it begin anew, run as root."""

    running: Command = ("/usr/bin/systemctl", "is-active", "--quiet", "chrony.service")
    """A command that ends with 0 while it runs."""


class ClockSkewOptions(PlaybookOptions):
    """`clock_skew`: starts what keeps the clock anew; never sets a clock itself."""

    approval: Consent = Consent.AUTO
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    service: TimeService = TimeService()
    """What keeps the clock of the hosts."""


class Power(Options):
    """How a host is switched off and on when nothing else is left."""

    via: Name
    """The host (of `hosts`) that reaches its power."""

    cycle: Command
    """The command that takes its power and gives it back, run there."""

    returned: Command
    """A command there that ends with 0 when the power is on again."""


class HostUnreachableOptions(PlaybookOptions):
    """`host_unreachable`: says how far one comes; power is switched by two persons."""

    approval: Consent = Consent.TWO_PERSON
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    approval_expires: PositiveDuration = timedelta(minutes=30)
    """How long it waits for them; then the answer is no."""

    power: Mapping[Name, Power] = {}
    """How the power of a host is switched. None: it is only looked and told."""


class Switch(Options):
    """How traffic changes over to the link that stands by."""

    host: Name
    """The host (of `hosts`) that decides the way."""

    standby: HostName
    """What answers at the far end of the link that stands by."""

    switch: Command
    """The command that changes over, run there as root."""

    back: Command
    """The command that changes back."""

    switched: Command
    """A command there that ends with 0 when it goes over the standby."""


class LinkDownOptions(PlaybookOptions):
    """`link_down`: advises, and changes over where one person agrees."""

    switches: Mapping[Name, Switch] = {}
    """For each probe of a link how one changes over. None: it only advises."""


class Renewal(Options):
    """How a certificate is renewed."""

    host: Name
    """The host (of `hosts`) that it lies on."""

    file: AbsolutePath
    """The file that the check `certificates` looks at."""

    renew: Command
    """The command that fetches a new one, run there as root."""

    reload: Command
    """The command that lets its service take it, run there as root."""

    serves: Listen
    """Where the service shows it, `address:port`, as seen from that host."""

    good_for: PositiveDuration = timedelta(days=21)
    """How long it must be good for at least afterwards."""


class CertificateExpiringOptions(PlaybookOptions):
    """`certificate_expiring`: renews a certificate where one person agrees."""

    renewals: Mapping[Name, Renewal] = {}
    """For each probe (of `probes`) of a service how its certificate is renewed. None: it only looks
    who issued it and what uses it."""


class IsolateHostOptions(PlaybookOptions):
    """`isolate_host`: cuts a host off from everybody but opsd. By hand, two persons."""

    approval: Consent = Consent.TWO_PERSON
    """Who must agree before it changes anything: `auto` (nobody), `required` (one person),
    `two_person` (two different ones)."""

    approval_expires: PositiveDuration = timedelta(minutes=30)
    """How long it waits for them; then the answer is no."""

    isolate: Command = ("/usr/sbin/nft", "-f", "/etc/opsd/isolate.nft")
    """The command that cuts it off, run there as root; it must leave opsd's SSH alone."""

    free: Command = ("/usr/sbin/nft", "delete", "table", "inet", "opsd_isolation")
    """The command that takes that back."""

    isolated: Command = ("/usr/sbin/nft", "list", "table", "inet", "opsd_isolation")
    """A command there, run as root, that ends with 0 while it is cut off."""
