"""Probes of names and of links."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from opsd.model import Status
from tests.probing import failed, made, probed


@contextmanager
def name_server(answer: Any) -> Iterator[int]:
    """A server of names on a free port; it says what `answer` makes of a question, or nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.05)
        over: list[bool] = []

        def serve() -> None:
            while not over:
                try:
                    wire, peer = listening.recvfrom(4096)
                except TimeoutError:
                    continue
                except OSError:
                    return
                if reply := answer(dns.message.from_wire(wire)):
                    listening.sendto(reply.to_wire(), peer)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.append(True)
            server.join(5)


def address_of(question: dns.message.Message) -> dns.message.Message:
    reply = dns.message.make_response(question)
    name = question.question[0].name
    reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.10", "192.0.2.11"))
    return reply


def refusing(code: dns.rcode.Rcode) -> Any:
    def answer(question: dns.message.Message) -> dns.message.Message:
        reply = dns.message.make_response(question)
        reply.set_rcode(code)
        return reply

    return answer


@pytest.mark.parametrize(
    ("answer", "expect", "cause"),
    [
        (address_of, ["192.0.2.11"], ""),
        (address_of, ["192.0.2.12"], "answer_wrong"),
        (dns.message.make_response, [], "dns_empty"),
        (refusing(dns.rcode.NXDOMAIN), [], "dns_unknown"),
        (refusing(dns.rcode.SERVFAIL), [], "dns_failed"),
        (lambda _: None, [], "dns_timeout"),
    ],
    ids=["right", "wrong", "empty", "unknown", "failing", "silent"],
)
def test_a_name_is_asked_of_a_server(answer: Any, expect: list[str], cause: str) -> None:
    with name_server(answer) as port:
        probe = made("dns", name="portal.example.vn", server="127.0.0.1", port=port, expect=expect)
        trace, (result,) = probed(probe)
    assert result.cause == cause
    assert not cause or failed(trace).cause == cause
    if cause in {"", "answer_wrong"}:
        assert trace.facts.answers == ("192.0.2.10", "192.0.2.11")


# --------------------------------------------------------------------------------- links


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_link_that_is_whole_loses_nothing(address: str) -> None:
    trace, (result,) = probed(made("ping", address=address, count=5, gap="20ms"))
    assert result.status is Status.OK, result
    packets = trace.facts.roads[""]
    assert (packets.sent, packets.lost, len(packets.delays)) == (5, 0, 5)
    assert packets.median is not None
    assert packets.median < 0.1


@pytest.mark.parametrize(
    ("address", "standby", "status", "causes"),
    [
        ("127.0.0.1", "127.0.0.2", Status.OK, ["", "", ""]),
        ("127.0.0.1", "198.51.100.9", Status.WARNING, ["standby_lost", "", "lost"]),
        ("198.51.100.9", "127.0.0.1", Status.WARNING, ["main_lost", "lost", ""]),
        ("198.51.100.9", "198.51.100.8", Status.CRITICAL, ["reply_none", "lost", "lost"]),
    ],
    ids=["both", "main alone", "standby alone", "none"],
)
def test_a_link_and_its_standby_are_judged_apart_and_together(
    address: str, standby: str, status: Status, causes: list[str]
) -> None:
    probe = made(
        "ping", address=address, standby={"address": standby}, count=3, gap="10ms", timeout="3s"
    )
    trace, results = probed(probe)
    assert [result.subject for result in results] == ["", "main", "standby"]
    assert results[0].status is status
    assert [result.cause for result in results] == causes
    assert max(result.status for result in results[1:]) <= Status.WARNING
    links = {
        m.labels["link"]: m.value
        for m in results[0].measurements
        if m.metric == "opsd_link_loss_ratio"
    }
    assert links.keys() == {"main", "standby"}
    assert trace.elapsed < timedelta(seconds=4)
