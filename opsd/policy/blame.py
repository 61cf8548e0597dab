"""Ours, theirs, or the road between: whose fault it is that a partner's service is out.

Only what was seen decides: how far our probe came, and what other probes saw at the same time.
Where that does not suffice the answer is that it is unclear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from opsd.model import Finding, Severity, Status
from opsd.trace import Cause, Trace

_LINK = "ping"
_UPSTREAM = "upstream"
_NOT_REACHED = {Cause.CONNECT_TIMEOUT, Cause.CONNECT_UNREACHABLE}
_CLOCK = {Cause.TLS_EXPIRED, Cause.TLS_EARLY}
_TRUST = {Cause.TLS_UNTRUSTED, Cause.TLS_INCOMPLETE, Cause.TLS_SELF_SIGNED}
_CUT = {Cause.TLS_TIMEOUT, Cause.TLS_RESET, Cause.TLS_FAILED}
_REFUSING_US = {401, 403, 407, 429}


class Side(StrEnum):
    """Who has to act."""

    NOBODY = "nobody"
    OURS = "ours"
    THEIRS = "theirs"
    ROAD = "road"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Seen:
    """A probe as it was made just now."""

    name: str
    kind: str
    scope: str
    trace: Trace
    status: Status
    cause: str = ""

    @property
    def out(self) -> bool:
        """Whether the service cannot be used."""
        return self.status is Status.CRITICAL

    @property
    def resolved(self) -> bool:
        """Whether a name was found."""
        return any(phase.name == "dns" and not phase.cause for phase in self.trace.phases)

    @property
    def reached(self) -> bool:
        """Whether a connection was made."""
        return any(phase.name == "connect" and not phase.cause for phase in self.trace.phases)


@dataclass(frozen=True, slots=True)
class Blame:
    """Whose fault, and why we say so: a sentence of the catalogue with its values."""

    side: Side
    key: str
    fields: Mapping[str, object] = field(default_factory=dict)

    @property
    def said(self) -> Finding:
        """Why, as a finding."""
        return Finding(Severity.NOTE, self.key, self.fields)


def blame(seen: Seen, others: Sequence[Seen], needed: frozenset[str] = frozenset()) -> Blame:
    """Whose fault it is that `seen` is out; `needed` are the probes that it depends on."""
    if seen.trace.blind:
        return Blame(Side.OURS, "blame.blind")
    if not seen.out:
        return Blame(Side.NOBODY, "blame.nobody")
    around = tuple(other for other in others if other.name != seen.name)
    if lost := [other.name for other in around if other.out and other.name in needed]:
        links = all(other.kind == _LINK for other in around if other.name in lost)
        return Blame(Side.ROAD if links else Side.OURS, "blame.needed", {"names": lost})
    links_seen = [other for other in around if other.kind == _LINK]
    if links_seen and all(link.out for link in links_seen):
        return Blame(Side.ROAD, "blame.links", {"names": [link.name for link in links_seen]})
    failed = seen.trace.failed
    if failed is None or failed.cause is None:
        if seen.kind == _LINK:  # some came back, or late
            return Blame(Side.ROAD, "blame.packets")
        return Blame(Side.THEIRS, "blame.answered")
    return _BY_PHASE.get(failed.cause.phase, _answered)(seen, failed.cause, around)


Around = Sequence[Seen]


def _dns(_: Seen, cause: Cause, around: Around) -> Blame:
    if resolved := [other.name for other in around if other.resolved]:
        return Blame(Side.THEIRS, "blame.their_name", {"names": resolved})
    if cause is Cause.DNS_TIMEOUT:
        return Blame(Side.OURS, "blame.our_resolver")
    return Blame(Side.UNCLEAR, "blame.name")


def _connect(_: Seen, cause: Cause, around: Around) -> Blame:
    if cause not in _NOT_REACHED:
        return Blame(Side.THEIRS, "blame.refused")
    upstream = [other for other in around if other.scope == _UPSTREAM and other.kind != _LINK]
    if reached := [other.name for other in upstream if other.reached]:
        return Blame(Side.THEIRS, "blame.others_reached", {"names": reached})
    if upstream:
        return Blame(Side.ROAD, "blame.none_reached", {"names": [other.name for other in upstream]})
    if links := [other.name for other in around if other.kind == _LINK and not other.out]:
        return Blame(Side.THEIRS, "blame.link_good", {"names": links})
    return Blame(Side.UNCLEAR, "blame.alone")


def _tls(_: Seen, cause: Cause, around: Around) -> Blame:
    for group, side, key in (
        (_CLOCK, Side.OURS, "blame.our_clock"),
        (_TRUST, Side.OURS, "blame.our_trust"),
        (_CUT, Side.ROAD, "blame.device"),
    ):
        same = [other.name for other in around if other.cause in {one.value for one in group}]
        if cause in group and same:
            return Blame(side, key, {"names": same})
    return Blame(Side.THEIRS, "blame.their_tls")


def _status(seen: Seen, _: Cause, __: Around) -> Blame:
    if seen.trace.facts.status in _REFUSING_US:
        return Blame(Side.UNCLEAR, "blame.refuses_us", {"status": str(seen.trace.facts.status)})
    return Blame(Side.THEIRS, "blame.answered")


def _login(_: Seen, cause: Cause, __: Around) -> Blame:
    refused = cause is Cause.LOGIN_REFUSED
    return Blame(
        *(Side.UNCLEAR, "blame.refused_login") if refused else (Side.THEIRS, "blame.answered")
    )


def _reply(_: Seen, __: Cause, ___: Around) -> Blame:
    return Blame(Side.ROAD, "blame.packets")


def _answered(_: Seen, __: Cause, ___: Around) -> Blame:
    return Blame(Side.THEIRS, "blame.answered")


_BY_PHASE: Final[Mapping[str, Callable[[Seen, Cause, Around], Blame]]] = {
    "dns": _dns,
    "connect": _connect,
    "tls": _tls,
    "status": _status,
    "login": _login,
    "reply": _reply,
}
