"""What is asked of services from outside, as their users and our partners see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from opsd.catalogue import Size
from opsd.config.addresses import Connection, read_connection
from opsd.config.check import CheckOptions
from opsd.config.hosts import Port
from opsd.config.options import Options, Truth
from opsd.config.probe_values import Ip, Objective, PagePath, Peer, Share, ShortDuration, Url
from opsd.config.secret import Secret, secret
from opsd.config.units import PositiveBytes, PositiveDuration
from opsd.config.values import AbsolutePath, Credential, Name, SecretFile, Text

Code = Annotated[int, Field(strict=True, ge=100, le=599)]
Redirects = Annotated[int, Field(strict=True, ge=0, le=20)]
Packets = Annotated[int, Field(strict=True, ge=1, le=100)]
Standbys = Annotated[int, Field(strict=True, ge=0, le=20)]


class Scope(StrEnum):
    """Whose a service is."""

    INTERNAL = "internal"
    UPSTREAM = "upstream"


class Family(StrEnum):
    """Which addresses of a name are tried."""

    ANY = "any"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


class RecordType(StrEnum):
    """What the domain name system is asked for."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    MX = "MX"
    NS = "NS"
    PTR = "PTR"
    SOA = "SOA"
    SRV = "SRV"
    TXT = "TXT"


class ProbeOptions(CheckOptions):
    """What every probe has."""

    title: Text | None = None
    """Its name for people."""

    interval: PositiveDuration = timedelta(seconds=60)
    """How often the service is asked."""

    timeout: PositiveDuration = timedelta(seconds=10)
    """How long one probe may take, all of it."""

    host: Name | None = None
    """The host (of `hosts`) that the service runs on: when it is dead, that explains the probe."""

    depends_on: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """Probes without which this one cannot succeed: their fault is not this one's."""

    scope: Scope = Scope.INTERNAL
    """`internal`: ours. `upstream`: a partner's, of which is said whether it is ours, theirs, or
    the road between."""

    objective: Objective = Decimal("0.995")
    """The share of 30 days in which the service is to be available."""

    slow: ShortDuration | None = None
    """A probe that takes longer is a warning."""


class Reached(ProbeOptions):
    """What every probe has that opens a connection."""

    family: Family = Family.ANY
    """Which addresses of a name are tried: `any`, `ipv4` or `ipv6`."""


class Secured(Reached):
    """What every probe has that may speak TLS."""

    ca_file: AbsolutePath | None = None
    """File with the authorities that are trusted, in PEM. Default: those of this machine."""

    certificate_warning: PositiveDuration = timedelta(days=21)
    """A certificate that ends sooner is a warning."""


class DnsProbe(ProbeOptions):
    """A name in the domain name system."""

    kind: Literal["dns"]
    """A name in the domain name system."""

    name: Peer
    """The name that is looked up."""

    record: RecordType = RecordType.A
    """What is asked for."""

    server: Ip | None = None
    """Address of the server that is asked. Default: those of this machine."""

    port: Port = 53
    """Its port."""

    expect: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Answers that must be among those that come."""


class TcpProbe(Reached):
    """A port that accepts connections."""

    kind: Literal["tcp"]
    """A port that accepts connections."""

    address: Peer
    """Name or address of the server."""

    port: Port
    """The port."""


class TlsProbe(Secured):
    """A port that speaks TLS, and its certificate."""

    kind: Literal["tls"]
    """A port that speaks TLS."""

    address: Peer
    """Name or address of the server."""

    port: Port = 443
    """The port."""

    server_name: Peer | None = None
    """The name that the certificate must carry. Default: the address."""


class HttpProbe(Secured):
    """A page."""

    kind: Literal["http"]
    """A page."""

    url: Url
    """Its address, without a password in it."""

    status: Annotated[tuple[Code, ...], Field(strict=False, min_length=1)] = (200,)
    """Status codes that are right, after redirects."""

    text: Text | None = None
    """What must stand on the page."""

    forbidden_text: Text | None = None
    """What must not stand on it."""

    redirects: Redirects = 5
    """How many redirects are followed."""

    max_body: PositiveBytes = Size(1 << 20)
    """Largest page that is read."""


class Step(Options):
    """One page of a walk."""

    name: Text
    """What is done, in words."""

    path: PagePath
    """The page, from the root of the site."""

    status: Annotated[tuple[Code, ...], Field(strict=False, min_length=1)] = (200,)
    """Status codes that are right, after redirects."""

    text: Text | None = None
    """What must stand on the page."""

    forbidden_text: Text | None = None
    """What must not stand on it."""

    form: Mapping[Text, str] | None = None
    """Fields that are posted, besides the hidden ones of the page before. Nothing: the page is
    only fetched. No secrets here: see `secret_form`."""

    secret_form: Mapping[Text, SecretFile] = {}
    """Fields whose values are read from files, readable by their owner alone."""


class WalkProbe(Secured):
    """A walk through a site, as its users go: each step with its expectations, cookies kept."""

    kind: Literal["walk"]
    """A walk through a site."""

    url: Url
    """The root of the site."""

    steps: Annotated[tuple[Step, ...], Field(strict=False, min_length=1)]
    """What is done, in this order."""

    redirects: Redirects = 5
    """How many redirects each step follows."""

    max_body: PositiveBytes = Size(1 << 20)
    """Largest page that is read."""


class PostgresProbe(Reached):
    """A PostgreSQL server: log in, ask, and see how far a standby is behind."""

    kind: Literal["postgres"]
    """A PostgreSQL server."""

    connection: Connection
    """How to reach it, in libpq keywords, without a password."""

    passfile: SecretFile | None = None
    """File with the password in libpq's format, readable by its owner alone."""

    passfile_credential: Credential | None = None
    """Name of the systemd credential that holds such a file."""

    query: Text = "SELECT 1"
    """A sample: SQL that must return a row. It runs in a transaction that can only read."""

    standby: Truth | None = None
    """Whether the server must be a standby (`true`) or must not (`false`)."""

    max_lag: PositiveDuration | None = None
    """How far behind this standby may be, or the worst of those that this server feeds."""

    min_standbys: Standbys = 0
    """How many standbys must be fed by this server."""

    @property
    def passwords(self) -> Secret | None:
        """The file with passwords, in libpq's format."""
        return secret(self.passfile, self.passfile_credential)


class SshProbe(Reached):
    """An SSH server: its banner, its key exchange, its host key. Nobody logs in."""

    kind: Literal["ssh"]
    """An SSH server."""

    address: Peer
    """Name or address of the server."""

    port: Port = 22
    """The port."""

    known_hosts: AbsolutePath | None = None
    """File with its host key, in OpenSSH's format. Nothing: any key is right."""


class Road(Options):
    """One way to a place."""

    address: Peer
    """What answers at its far end."""

    source: Ip | None = None
    """Our own address from which packets go this way."""


class PingProbe(Reached):
    """A link: how many packets are lost on it, and how long they take; and its standby."""

    kind: Literal["ping"]
    """A link."""

    address: Peer
    """What answers at its far end."""

    source: Ip | None = None
    """Our own address from which packets go this way."""

    standby: Road | None = None
    """The link that stands by. Each is judged apart, and both together."""

    count: Packets = 10
    """Packets that are sent."""

    gap: ShortDuration = timedelta(milliseconds=100)
    """Time between two packets."""

    loss_warning: Share = Decimal("0.1")
    """Share of packets lost from which it is a warning."""

    loss_critical: Share = Decimal("0.5")
    """The same, from which it is critical."""

    delay_warning: ShortDuration = timedelta(milliseconds=200)
    """Median time there and back from which it is a warning."""

    delay_critical: ShortDuration = timedelta(milliseconds=1000)
    """The same, from which it is critical."""

    @property
    def roads(self) -> Mapping[str, Road]:
        """The ways by their name; one alone has none."""
        main = Road(address=self.address, source=self.source)
        return {"main": main, "standby": self.standby} if self.standby else {"": main}


Probe = Annotated[
    DnsProbe | TcpProbe | TlsProbe | HttpProbe | WalkProbe | PostgresProbe | SshProbe | PingProbe,
    Field(discriminator="kind"),
]


def target(probe: Probe) -> str:
    """What a probe asks, for people and labels: never a path or a query, which may be secret."""
    match probe:
        case DnsProbe():
            return probe.name
        case HttpProbe() | WalkProbe():
            return urlsplit(probe.url).netloc
        case PostgresProbe():
            settings = read_connection(probe.connection)
            return settings.get("hostaddr") or settings.get("host", "localhost")
        case PingProbe():
            return probe.address
        case _:
            bare = f"[{probe.address}]" if ":" in probe.address else probe.address
            return f"{bare}:{probe.port}"
