"""What a probe saw of a service: its phases in their order, up to the first that failed.

A phase has the seconds that it took; a walk has the same phases again in each of its steps. A cause
begins with the name of the phase that it belongs to, so that a counter by cause is one by phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Cause(StrEnum):
    """Why a phase failed. What each means: `cause.<value>` in the catalogue."""

    DNS_UNKNOWN = "dns_unknown"
    DNS_EMPTY = "dns_empty"
    DNS_TIMEOUT = "dns_timeout"
    DNS_FAILED = "dns_failed"
    ANSWER_WRONG = "answer_wrong"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_UNREACHABLE = "connect_unreachable"
    CONNECT_RESET = "connect_reset"
    TLS_TIMEOUT = "tls_timeout"
    TLS_RESET = "tls_reset"
    TLS_FAILED = "tls_failed"
    TLS_EXPIRED = "tls_expired"
    TLS_EARLY = "tls_early"
    TLS_NAME = "tls_name"
    TLS_SELF_SIGNED = "tls_self_signed"
    TLS_INCOMPLETE = "tls_incomplete"
    TLS_UNTRUSTED = "tls_untrusted"
    SEND_TIMEOUT = "send_timeout"
    SEND_RESET = "send_reset"
    SEND_GARBLED = "send_garbled"
    STATUS_WRONG = "status_wrong"
    STATUS_REDIRECTS = "status_redirects"
    CONTENT_TIMEOUT = "content_timeout"
    CONTENT_RESET = "content_reset"
    CONTENT_GARBLED = "content_garbled"
    CONTENT_LARGE = "content_large"
    CONTENT_WRONG = "content_wrong"
    CONTENT_FORBIDDEN = "content_forbidden"
    BANNER_TIMEOUT = "banner_timeout"
    BANNER_RESET = "banner_reset"
    BANNER_WRONG = "banner_wrong"
    KEY_TIMEOUT = "key_timeout"
    KEY_RESET = "key_reset"
    KEY_UNKNOWN = "key_unknown"
    KEY_CHANGED = "key_changed"
    LOGIN_TIMEOUT = "login_timeout"
    LOGIN_RESET = "login_reset"
    LOGIN_REFUSED = "login_refused"
    LOGIN_STARTING = "login_starting"
    LOGIN_FULL = "login_full"
    LOGIN_FAILED = "login_failed"
    QUERY_TIMEOUT = "query_timeout"
    QUERY_RESET = "query_reset"
    QUERY_FAILED = "query_failed"
    QUERY_EMPTY = "query_empty"
    REPLICATION_TIMEOUT = "replication_timeout"
    REPLICATION_RESET = "replication_reset"
    REPLICATION_FAILED = "replication_failed"
    REPLICATION_ROLE = "replication_role"
    REPLICATION_STOPPED = "replication_stopped"
    REPLICATION_FEW = "replication_few"
    REPLICATION_LATE = "replication_late"
    REPLY_NONE = "reply_none"
    REPLY_LOSS = "reply_loss"
    REPLY_DELAY = "reply_delay"

    @property
    def phase(self) -> str:
        """The phase that it belongs to."""
        return self.value.partition("_")[0]


# The phases of each kind of probe, in their order.
PHASES: Mapping[str, tuple[str, ...]] = {
    "dns": ("dns", "answer"),
    "tcp": ("dns", "connect"),
    "tls": ("dns", "connect", "tls"),
    "http": ("dns", "connect", "tls", "send", "status", "content"),
    "walk": ("dns", "connect", "tls", "send", "status", "content"),
    "postgres": ("dns", "connect", "login", "query", "replication"),
    "ssh": ("dns", "connect", "banner", "key"),
    "ping": ("dns", "reply"),
}


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase. Without a cause it went well; `detail` quotes the outside world."""

    name: str
    seconds: float
    cause: Cause | None = None
    detail: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of a server; `ends` is the earliest end in its chain.

    The chain is the one that was verified, or where none could be the one that was presented.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    chain: int
    verified: bool
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class Packets:
    """What came back on one road: the seconds of each packet that did."""

    sent: int
    delays: tuple[float, ...]

    @property
    def lost(self) -> float:
        """The share that did not come back."""
        return (self.sent - len(self.delays)) / self.sent

    @property
    def median(self) -> float | None:
        """The middle of the delays."""
        ordered = sorted(self.delays)
        return ordered[len(ordered) // 2] if ordered else None


@dataclass(frozen=True, slots=True)
class Replication:
    """Whether a server is a standby, or how many it feeds, and how far the last is behind."""

    standby: bool
    receiving: bool
    standbys: int
    lag: timedelta | None


@dataclass(frozen=True, slots=True)
class Hop:
    """A router on the way of packets, or the `end` of it."""

    number: int
    address: str
    seconds: float
    end: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What else a probe came to know; `socket` is one of this machine, where there is no peer."""

    peer: str = ""
    socket: str = ""
    local: str = ""
    status: int | None = None
    first_byte: float | None = None
    hops: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    server: str = ""
    certificate: Certificate | None = None
    replication: Replication | None = None
    roads: Mapping[str, Packets] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """One probe from beginning to end. `blind` says why it could not be made at all."""

    at: datetime
    elapsed: timedelta
    phases: tuple[Phase, ...]
    facts: Facts = Facts()
    blind: str = ""

    @property
    def failed(self) -> Phase | None:
        """The first phase that failed."""
        return next((phase for phase in self.phases if phase.cause), None)
