"""Judging traces: pure, so that every verdict is a row."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsd.catalogue.probes import TABLE
from opsd.config.probes import Probe
from opsd.drivers.net.http import hidden_fields
from opsd.drivers.net.ssh import known_keys
from opsd.model import Status
from opsd.policy.probing import Limits, LinkLimits, failing_phase, judge
from opsd.tasks.check.probing import database_cause
from opsd.trace import PHASES, Cause, Certificate, Facts, Packets, Phase, Replication, Trace

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
LINK = LinkLimits(0.1, 0.5, 0.2 * SECOND, SECOND)


def trace(facts: Facts | None = None, *phases: Phase) -> Trace:
    return Trace(NOW, SECOND, phases, facts or Facts())


def verdict(facts: Facts, limits: Limits) -> tuple[Status, str]:
    result = judge(trace(facts), limits)[0]
    return result.status, result.cause


def test_every_cause_has_a_sentence_and_belongs_to_a_phase() -> None:
    phases = {phase for listed in PHASES.values() for phase in listed}
    assert {cause.phase for cause in Cause} == phases
    said = {key.removeprefix("cause.") for key in TABLE if key.startswith("cause.")}
    assert said == {cause.value for cause in Cause}


def test_every_phase_that_waits_has_a_cause_for_waiting_in_vain() -> None:
    at_once = {"answer", "status", "reply"}  # the last has `reply_none`
    names = {cause.value for cause in Cause}
    for phase in {phase for listed in PHASES.values() for phase in listed} - at_once:
        assert f"{phase}_timeout" in names
        assert f"{phase}_reset" in names or phase == "dns"


def test_every_kind_of_probe_has_its_phases() -> None:
    kinds = {
        get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(Probe)[0])
    }
    assert kinds == PHASES.keys()


@given(cause=st.sampled_from(Cause), seconds=st.floats(0, 10))
def test_the_first_phase_that_failed_is_what_a_probe_is_out_by(
    cause: Cause, seconds: float
) -> None:
    broken = Phase(cause.phase, seconds, cause, "what was seen", "a step")
    (result,) = judge(trace(Facts(peer="192.0.2.1"), Phase("dns", 0.1), broken), Limits(()))
    assert (result.status, result.cause) == (Status.CRITICAL, cause.value)
    assert failing_phase(result.cause) == cause.phase
    assert result.detail == "a step · what was seen"


def certificate(left: timedelta) -> Facts:
    return Facts(certificate=Certificate("a", "b", ("a",), NOW - DAY, NOW + left, 2, verified=True))


def replicating(
    *, standby: bool = False, receiving: bool = False, standbys: int = 0, lag: int | None = None
) -> Facts:
    behind = None if lag is None else lag * SECOND
    return Facts(replication=Replication(standby, receiving, standbys, behind))


ROWS = {
    "answered": (Facts(), Limits(()), Status.OK, ""),
    "slow": (Facts(), Limits((), slow=SECOND / 2), Status.WARNING, "slow"),
    "ends in time": (certificate(22 * DAY), Limits((), certificate=21 * DAY), Status.OK, ""),
    "ends soon": (
        certificate(20 * DAY),
        Limits((), certificate=21 * DAY),
        Status.WARNING,
        "certificate_soon",
    ),
    "a standby near behind": (
        replicating(standby=True, receiving=True, lag=3),
        Limits((), standby=True, max_lag=5 * SECOND),
        Status.OK,
        "",
    ),
    "a standby far behind": (
        replicating(standby=True, receiving=True, lag=6),
        Limits((), max_lag=5 * SECOND),
        Status.CRITICAL,
        "replication_late",
    ),
    "a standby that receives nothing": (
        replicating(standby=True, lag=0),
        Limits((), max_lag=5 * SECOND),
        Status.CRITICAL,
        "replication_stopped",
    ),
    "a standby that became the primary": (
        replicating(),
        Limits((), standby=True),
        Status.CRITICAL,
        "replication_role",
    ),
    "a primary that feeds too few": (
        replicating(standbys=1),
        Limits((), min_standbys=2),
        Status.CRITICAL,
        "replication_few",
    ),
    "an idle primary without a lag": (
        replicating(standbys=1),
        Limits((), max_lag=SECOND, min_standbys=1),
        Status.OK,
        "",
    ),
}


@pytest.mark.parametrize(("facts", "limits", "status", "cause"), ROWS.values(), ids=ROWS)
def test_what_is_asked_besides_an_answer(
    facts: Facts, limits: Limits, status: Status, cause: str
) -> None:
    assert verdict(facts, limits) == (status, cause)


LINKS = {
    "whole": (10, [0.01] * 10, Status.OK, ""),
    "one of ten lost": (10, [0.01] * 9, Status.WARNING, "lossy"),
    "half lost": (10, [0.01] * 5, Status.CRITICAL, "reply_loss"),
    "slow": (10, [0.3] * 10, Status.WARNING, "laggy"),
    "too slow": (10, [1.3] * 10, Status.CRITICAL, "reply_delay"),
    "one slow packet": (10, [0.01] * 9 + [5.0], Status.OK, ""),
    "none": (10, [], Status.CRITICAL, "reply_none"),
}


@pytest.mark.parametrize(("sent", "delays", "status", "cause"), LINKS.values(), ids=LINKS)
def test_a_link_is_judged_by_loss_and_delay(
    sent: int, delays: list[float], status: Status, cause: str
) -> None:
    facts = Facts(roads={"": Packets(sent, tuple(delays))})
    assert verdict(facts, Limits((), link=LINK)) == (status, cause)
    assert bool(failing_phase(cause)) is (status is Status.CRITICAL), "only what is out is counted"


def test_what_we_cannot_look_at_is_unknown_and_no_failure() -> None:
    (result,) = judge(Trace(NOW, SECOND, (), blind="no right to"), Limits(()))
    assert (result.status, failing_phase(result.cause)) == (Status.UNKNOWN, "")


@pytest.mark.parametrize(
    ("phase", "said", "late", "cause"),
    [
        ("login", 'FATAL: password authentication failed for user "x"', False, "login_refused"),
        ("login", "FATAL: sorry, too many clients already", False, "login_full"),
        ("login", "FATAL: the database system is starting up", False, "login_starting"),
        ("login", "server closed the connection unexpectedly", False, "login_reset"),
        ("login", "connection timeout expired", False, "login_timeout"),
        ("login", "FATAL: Kennwort falsch", False, "login_failed"),
        (
            "login",
            "No such file or directory Is the server running locally and accepting connections?",
            False,
            "connect_refused",
        ),
        ("login", "anything", True, "login_timeout"),
        ("query", "server closed the connection unexpectedly", False, "query_reset"),
        ("query", "syntax error", False, "query_failed"),
        ("replication", "permission denied", False, "replication_failed"),
    ],
)
def test_what_postgresql_says_has_a_cause(phase: str, said: str, late: bool, cause: str) -> None:
    assert database_cause(phase, said, late=late) == cause


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.digest(salt, name.encode(), hashlib.sha1)
    return "|1|" + "|".join(base64.b64encode(part).decode() for part in (salt, digest))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("db1.example.vn ssh-ed25519 AAAA comment", True),
        ("DB1.example.vn,192.0.2.1 ssh-ed25519 AAAA", True),
        ("*.example.vn ssh-ed25519 AAAA", True),
        ("*.example.vn,!db1.example.vn ssh-ed25519 AAAA", False),
        ("[db1.example.vn]:2222 ssh-ed25519 AAAA", False),
        ("db2.example.vn ssh-ed25519 AAAA", False),
        ("@revoked db1.example.vn ssh-ed25519 AAAA", False),
        ("# db1.example.vn ssh-ed25519 AAAA", False),
        ("", False),
        (f"{hashed('db1.example.vn')} ssh-ed25519 AAAA", True),
        (f"{hashed('db2.example.vn')} ssh-ed25519 AAAA", False),
    ],
)
def test_a_host_is_looked_up_among_those_that_are_known(line: str, found: bool) -> None:
    assert list(known_keys(line, "db1.example.vn", 22)) == [("ssh-ed25519", "AAAA")] * found


def test_a_host_on_another_port_has_a_name_of_its_own() -> None:
    text = "[db1.example.vn]:2222 ssh-ed25519 AAAA\ndb1.example.vn ssh-ed25519 BBBB\n"
    assert list(known_keys(text, "db1.example.vn", 2222)) == [("ssh-ed25519", "AAAA")]


def test_hidden_fields_are_read_from_a_page_however_it_is_written() -> None:
    text = (
        "<FORM><INPUT TYPE=hidden NAME=a VALUE='1&lt;2'><input type='hidden' name=b><input name=c>"
    )
    assert hidden_fields(text) == {"a": "1<2", "b": ""}
    assert hidden_fields('<input name="v" value="a>b" type="hidden" disabled>') == {"v": "a>b"}
    assert hidden_fields("<input type=hidden value=x><![bad[<input type=hidden") == {}


@pytest.mark.parametrize("piece", ["<input ", "<!--", "<![", '<input a="', "a", "<input 'b' ", "="])
def test_no_page_takes_long_to_read(piece: str) -> None:
    began = time.monotonic()
    hidden_fields(piece * (1_000_000 // len(piece)))
    hidden_fields("<input " + piece * (1_000_000 // len(piece)) + ">")
    assert time.monotonic() - began < 20
