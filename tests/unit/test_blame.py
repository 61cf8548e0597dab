"""Ours, theirs, or the road: every verdict is a row of what was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsd.catalogue import SENTENCES
from opsd.model import Status
from opsd.policy.blame import Seen, Side, blame
from opsd.trace import Cause, Facts, Phase, Trace

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BEFORE = {
    "dns": (),
    "connect": ("dns",),
    "tls": ("dns", "connect"),
    "send": ("dns", "connect", "tls"),
    "status": ("dns", "connect", "tls", "send"),
    "content": ("dns", "connect", "tls", "send", "status"),
    "login": ("dns", "connect"),
    "reply": (),
}


def seen(
    name: str = "it",
    cause: Cause | None = None,
    *,
    kind: str = "http",
    scope: str = "upstream",
    status: int | None = None,
) -> Seen:
    """A probe that is out by a cause, or good."""
    if cause is None:
        good = ("dns", "connect") if kind != "ping" else ("reply",)
        phases = tuple(Phase(phase, 0.1) for phase in good)
    else:
        phases = (
            *(Phase(phase, 0.1) for phase in BEFORE[cause.phase]),
            Phase(cause.phase, 0.1, cause),
        )
    trace = Trace(NOW, timedelta(seconds=1), phases, Facts(status=status))
    return Seen(name, kind, scope, trace, Status.CRITICAL if cause else Status.OK, cause or "")


def link(cause: Cause | None = None, name: str = "link") -> Seen:
    return seen(name, cause, kind="ping", scope="internal")


OTHER = seen("other")
ROWS: dict[str, tuple[Seen, tuple[Seen, ...], Side, str]] = {
    "nothing is wrong": (seen(), (OTHER,), Side.NOBODY, "nobody"),
    "an application of theirs fails": (
        seen(cause=Cause.STATUS_WRONG, status=503),
        (OTHER, link()),
        Side.THEIRS,
        "answered",
    ),
    "they do not let us in": (
        seen(cause=Cause.STATUS_WRONG, status=403),
        (OTHER,),
        Side.UNCLEAR,
        "refuses_us",
    ),
    "a wrong page": (seen(cause=Cause.CONTENT_WRONG), (), Side.THEIRS, "answered"),
    "silence after the connection": (
        seen(cause=Cause.SEND_TIMEOUT),
        (OTHER,),
        Side.THEIRS,
        "answered",
    ),
    "refused": (seen(cause=Cause.CONNECT_REFUSED), (), Side.THEIRS, "refused"),
    "not reached, others are": (
        seen(cause=Cause.CONNECT_TIMEOUT),
        (OTHER, link()),
        Side.THEIRS,
        "others_reached",
    ),
    "not reached, nor is anybody": (
        seen(cause=Cause.CONNECT_TIMEOUT),
        (seen("other", Cause.CONNECT_TIMEOUT), link()),
        Side.ROAD,
        "none_reached",
    ),
    "not reached, the link is good": (
        seen(cause=Cause.CONNECT_UNREACHABLE),
        (link(),),
        Side.THEIRS,
        "link_good",
    ),
    "not reached, and nobody to ask": (
        seen(cause=Cause.CONNECT_TIMEOUT),
        (seen("ours", scope="internal"),),
        Side.UNCLEAR,
        "alone",
    ),
    "every link is out": (
        seen(cause=Cause.CONNECT_TIMEOUT),
        (link(Cause.REPLY_NONE), link(Cause.REPLY_LOSS, "second")),
        Side.ROAD,
        "links",
    ),
    "one of two links is out": (
        seen(cause=Cause.SEND_TIMEOUT),
        (link(Cause.REPLY_NONE), link(name="second")),
        Side.THEIRS,
        "answered",
    ),
    "the gateway of ours that it needs is out": (
        seen(cause=Cause.CONNECT_TIMEOUT),
        (seen("needed", Cause.SEND_TIMEOUT, scope="internal"), OTHER),
        Side.OURS,
        "needed",
    ),
    "their name is not found": (
        seen(cause=Cause.DNS_UNKNOWN),
        (OTHER,),
        Side.THEIRS,
        "their_name",
    ),
    "no name is found": (
        seen(cause=Cause.DNS_TIMEOUT),
        (seen("other", Cause.DNS_TIMEOUT),),
        Side.OURS,
        "our_resolver",
    ),
    "a name is not found, nobody to ask": (
        seen(cause=Cause.DNS_UNKNOWN),
        (),
        Side.UNCLEAR,
        "name",
    ),
    "their certificate has expired": (
        seen(cause=Cause.TLS_EXPIRED),
        (OTHER,),
        Side.THEIRS,
        "their_tls",
    ),
    "all certificates have expired": (
        seen(cause=Cause.TLS_EXPIRED),
        (seen("other", Cause.TLS_EARLY),),
        Side.OURS,
        "our_clock",
    ),
    "no authority is trusted": (
        seen(cause=Cause.TLS_UNTRUSTED),
        (seen("other", Cause.TLS_SELF_SIGNED),),
        Side.OURS,
        "our_trust",
    ),
    "every handshake is cut": (
        seen(cause=Cause.TLS_RESET),
        (seen("other", Cause.TLS_TIMEOUT),),
        Side.ROAD,
        "device",
    ),
    "our account was changed": (
        seen(cause=Cause.LOGIN_REFUSED, kind="postgres"),
        (),
        Side.UNCLEAR,
        "refused_login",
    ),
    "their database is full": (
        seen(cause=Cause.LOGIN_FULL, kind="postgres"),
        (),
        Side.THEIRS,
        "answered",
    ),
    "some packets are lost": (
        replace(link(), status=Status.CRITICAL, cause="reply_loss"),
        (),
        Side.ROAD,
        "packets",
    ),
    "packets are lost": (seen(cause=Cause.REPLY_LOSS, kind="ping"), (), Side.ROAD, "packets"),
}


@pytest.mark.parametrize(("it", "others", "side", "because"), ROWS.values(), ids=ROWS)
def test_a_fault_has_a_side_and_a_reason(
    it: Seen, others: tuple[Seen, ...], side: Side, because: str
) -> None:
    found = blame(it, others, frozenset({"needed"}))
    assert (found.side, found.key) == (side, f"blame.{because}")


def test_a_link_that_is_needed_is_the_road() -> None:
    it = seen(cause=Cause.CONNECT_TIMEOUT)
    found = blame(it, (link(Cause.REPLY_NONE, "needed"), link()), frozenset({"needed"}))
    assert (found.side, found.fields) == (Side.ROAD, {"names": ["needed"]})


def test_a_probe_that_cannot_be_made_is_our_own_fault() -> None:
    trace = Trace(NOW, timedelta(), (), blind="no file")
    found = blame(Seen("it", "http", "upstream", trace, Status.UNKNOWN, "blind"), (OTHER,))
    assert (found.side, found.key) == (Side.OURS, "blame.blind")


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_ends_with_a_side(cause: Cause) -> None:
    phase = Phase(cause.phase, 0.1, cause)
    trace = Trace(NOW, timedelta(), (phase,))
    it = Seen("it", "http", "upstream", trace, Status.CRITICAL, cause)
    for others in ((), (OTHER,), (link(),), (seen("other", Cause.CONNECT_TIMEOUT),)):
        assert blame(it, others).key in SENTENCES


def test_every_reason_that_can_be_said_is_given_by_a_row() -> None:
    said = {key.removeprefix("blame.") for key in SENTENCES if key.startswith("blame.")}
    assert said == {because for *_, because in ROWS.values()} | {"blind"}
    assert {f"side.{side}" for side in Side} <= SENTENCES.keys()
