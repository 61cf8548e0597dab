"""Probes against real sockets: each fault is seen in its phase, by its cause, in its time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsd.config.probes import Probe
from opsd.model import CheckResult, Status
from opsd.trace import Cause, Trace
from tests import probing
from tests.probing import failed, made, patient
from tests.servers import (
    DAY,
    Serve,
    answering,
    dribbling,
    page,
    reset,
    serving,
    sign,
    silent,
    with_tls,
)

WELCOME = page("<h1>Dịch vụ công</h1>".encode(), "200 OK", "Content-Type: text/html")


def probed(probe: Probe) -> tuple[Trace, CheckResult]:
    trace, (result,) = probing.probed(probe)
    return trace, result


def names(trace: Trace) -> list[str]:
    return [phase.name for phase in trace.phases]


# --------------------------------------------------------------------------------- pages


@dataclass(frozen=True)
class Wrong:
    """A server that does something wrong, and what is said of it."""

    serve: Serve
    cause: Cause
    options: tuple[tuple[str, object], ...] = ()


PAGES = {
    "accepts and says nothing": Wrong(silent, Cause.SEND_TIMEOUT),
    "cuts the connection": Wrong(reset, Cause.SEND_RESET),
    "closes without a word": Wrong(answering(b""), Cause.SEND_RESET),
    "dribbles its headers": Wrong(dribbling(b"HTTP/1.1 200 OK\r\nX: "), Cause.SEND_TIMEOUT),
    "speaks something else": Wrong(answering(b"220 mail ready\r\n\r\n"), Cause.SEND_GARBLED),
    "endless headers": Wrong(
        answering(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500), Cause.SEND_GARBLED
    ),
    "an error of the application": Wrong(
        answering(page(b"x", "503 Service Unavailable")), Cause.STATUS_WRONG
    ),
    "200 with the wrong page": Wrong(answering(page(b"Index of /")), Cause.CONTENT_WRONG),
    "200 with a page about maintenance": Wrong(
        answering(page("Dịch vụ công: đang bảo trì".encode())),
        Cause.CONTENT_FORBIDDEN,
        (("forbidden_text", "bảo trì"),),
    ),
    "a page that never ends": Wrong(dribbling(b"HTTP/1.1 200 OK\r\n\r\nx"), Cause.CONTENT_TIMEOUT),
    "a page that is cut off": Wrong(
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"), Cause.CONTENT_RESET
    ),
    "a chunk that is cut off": Wrong(
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"),
        Cause.CONTENT_RESET,
    ),
    "chunks that are none": Wrong(
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf"),
        Cause.CONTENT_RESET,
    ),
    "a page without end in size": Wrong(
        answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (3 << 20)), Cause.CONTENT_LARGE
    ),
    "redirects in a circle": Wrong(
        answering(page(b"", "302 Found", "Location: /again")), Cause.STATUS_REDIRECTS
    ),
    "a redirect to nowhere": Wrong(
        answering(page(b"", "302 Found", "Location: http://[::1/")), Cause.STATUS_REDIRECTS
    ),
    "a redirect to no port": Wrong(
        answering(page(b"", "302 Found", "Location: http://a:999999/")), Cause.STATUS_REDIRECTS
    ),
    "a redirect out of HTTP": Wrong(
        answering(page(b"", "302 Found", "Location: file:///etc/passwd")), Cause.STATUS_REDIRECTS
    ),
}


@pytest.mark.parametrize("wrong", PAGES.values(), ids=PAGES)
def test_a_page_that_is_wrong_is_out_by_its_phase_and_cause(wrong: Wrong) -> None:
    with serving(wrong.serve) as port:
        url = f"http://127.0.0.1:{port}/"
        limit = "1s" if wrong.cause.value.endswith("timeout") else "10s"
        asked = {"timeout": limit, **dict(wrong.options)}
        trace, result = probed(made("http", url=url, text="Dịch vụ công", **asked))
    assert failed(trace).cause is wrong.cause
    assert failed(trace).name == wrong.cause.phase
    assert (result.status, result.cause) == (Status.CRITICAL, wrong.cause.value)
    assert result.key == f"cause.{wrong.cause}"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_page_that_is_right_has_every_phase_with_its_time(host: str) -> None:
    with serving(answering(WELCOME), host) as port:
        where = f"[{host}]" if ":" in host else host
        trace, result = probed(
            made(
                "http", url=f"http://{where}:{port}/", text="Dịch vụ công", timeout="10s", slow="8s"
            )
        )
    assert result.status is Status.OK, result
    assert names(trace) == ["connect", "send", "status", "content"]
    assert trace.facts.peer == trace.facts.local == host
    assert 0 < sum(phase.seconds for phase in trace.phases) <= trace.elapsed.total_seconds()
    told = {(m.metric, m.labels.get("phase", "")): m.value for m in result.measurements}
    assert told["opsd_probe_success", ""] == 1
    assert told["opsd_probe_phase_duration_seconds", "send"] > 0


def test_a_right_page_that_comes_late_is_a_warning() -> None:
    def serve(opened: socket.socket) -> None:
        time.sleep(0.3)
        answering(WELCOME)(opened)

    with serving(serve) as port:
        trace, result = probed(patient("http", url=f"http://127.0.0.1:{port}/", slow="200ms"))
    assert (result.status, result.cause) == (Status.WARNING, "slow")
    assert trace.facts.first_byte is not None
    assert 0.25 < trace.facts.first_byte < 8


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(answering(WELCOME)) as port:
        _, result = probed(patient("http", url=f"http://127.0.0.1:{port}/"))
    assert result.status is Status.OK


def test_a_redirect_is_followed_and_told_without_its_query() -> None:
    def serve(opened: socket.socket) -> None:
        asked = opened.recv(4096)
        moved = page(b"", "302 Found", "Location: /in?ticket=secret")
        opened.sendall(WELCOME if asked.startswith(b"GET /in?ticket=secret ") else moved)

    with serving(serve) as port:
        trace, result = probed(patient("http", url=f"http://127.0.0.1:{port}/"))
    assert result.status is Status.OK
    assert trace.facts.hops == (f"http://127.0.0.1:{port}/in",)


# --------------------------------------------------------------------------------- connections


def nobody_there() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def test_a_closed_port_is_refused() -> None:
    trace, result = probed(made("tcp", address="127.0.0.1", port=nobody_there()))
    assert (failed(trace).name, result.cause) == ("connect", "connect_refused")


def test_a_full_queue_that_accepts_nobody_is_a_timeout() -> None:
    with socket.socket() as listening, ExitStack() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        port = listening.getsockname()[1]
        trace, result = probed(made("tcp", address="127.0.0.1", port=port))
    assert (failed(trace).name, result.cause) == ("connect", "connect_timeout")


def test_a_network_without_a_road_is_unreachable() -> None:
    trace, result = probed(made("tcp", address="fe80::1", port=1))  # on which link?
    assert (failed(trace).name, result.cause) == ("connect", "connect_unreachable")


def test_a_name_with_two_addresses_is_reached_by_the_one_that_answers() -> None:
    with serving(answering(WELCOME)) as port:  # `localhost` may be ::1 first: nothing is there
        trace, result = probed(patient("tcp", address="localhost", port=port))
    assert result.status is Status.OK
    assert (names(trace), trace.facts.peer) == (["dns", "connect"], "127.0.0.1")


def test_a_resolver_that_hangs_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def hanging(*question: object) -> list[Any]:
        asked.append(question)
        time.sleep(4)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    probe = made("tcp", address="slow.example.vn", port=1)
    for _ in range(2):
        trace, result = probed(probe)
        assert (failed(trace).name, result.cause) == ("dns", "dns_timeout")
    assert len(asked) == 1, "a name that is still asked for is not asked for again"


def test_a_name_that_does_not_exist_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    _, result = probed(made("tcp", address="no.example.vn", port=1))
    assert result.cause == "dns_unknown"


# --------------------------------------------------------------------------------- TLS


@dataclass(frozen=True)
class Chain:
    """How a chain is damaged, and what is said of it."""

    damage: Callable[[], tuple[list[Any], Any]]
    cause: Cause
    ends: timedelta


def chain(*, name: str = "127.0.0.1", sent: int = 2, trusted: bool = True, **own: Any) -> Any:
    """A root, an authority below it, a server; how many of them the server sends."""

    def build() -> tuple[list[Any], Any]:
        root = sign("Test Root", authority=True)
        middle = sign("Test Authority", root, authority=True, ends=30 * DAY)
        server = sign(name, middle, **own)
        other = sign("Other Root", authority=True)
        return [server, middle, root][:sent], root if trusted else other

    return build


def alone() -> tuple[list[Any], Any]:
    server = sign("127.0.0.1")
    return [server], sign("Other Root", authority=True)


CHAINS = {
    "expired": Chain(chain(begins=-9 * DAY, ends=-DAY), Cause.TLS_EXPIRED, -DAY),
    "not valid yet": Chain(chain(begins=DAY), Cause.TLS_EARLY, 30 * DAY),
    "for another name": Chain(chain(name="portal.example.vn"), Cause.TLS_NAME, 30 * DAY),
    "without what is between": Chain(chain(sent=1), Cause.TLS_INCOMPLETE, 90 * DAY),
    "by an unknown authority": Chain(chain(trusted=False), Cause.TLS_UNTRUSTED, 30 * DAY),
    "by an unknown authority, root sent": Chain(
        chain(trusted=False, sent=3), Cause.TLS_UNTRUSTED, 30 * DAY
    ),
    "by itself": Chain(alone, Cause.TLS_SELF_SIGNED, 90 * DAY),
}


def secured(tmp_path: Path, sent: list[Any], trusted: Any, serve: Serve = silent) -> Any:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(trusted.pem)
    return serving(with_tls(tmp_path, sent, serve)), str(ca)


@pytest.mark.parametrize("case", CHAINS.values(), ids=CHAINS)
def test_a_certificate_that_is_wrong_is_told_with_its_end(case: Chain, tmp_path: Path) -> None:
    server, ca = secured(tmp_path, *case.damage())
    with server as port:
        trace, result = probed(patient("tls", address="127.0.0.1", port=port, ca_file=ca))
    assert (failed(trace).name, result.cause) == ("tls", case.cause.value)
    certificate = trace.facts.certificate
    assert certificate is not None
    assert not certificate.verified
    assert abs(certificate.ends - trace.at - case.ends) < timedelta(minutes=5)
    told = {m.metric: m.value for m in result.measurements}
    expiry = told["opsd_probe_tls_certificate_expiry_timestamp_seconds"]
    assert expiry == certificate.ends.timestamp()


def test_a_good_certificate_tells_the_earliest_end_of_its_chain(tmp_path: Path) -> None:
    server, ca = secured(tmp_path, *chain()())
    with server as port:
        trace, result = probed(patient("tls", address="127.0.0.1", port=port, ca_file=ca))
        soon = made(
            "tls",
            address="127.0.0.1",
            port=port,
            timeout="10s",
            ca_file=ca,
            certificate_warning="40d",
        )
        _, early = probed(soon)
    assert result.status is Status.OK, result
    assert names(trace) == ["connect", "tls"]
    certificate = trace.facts.certificate
    assert certificate is not None
    assert (certificate.verified, certificate.chain, certificate.issuer) == (
        True,
        3,
        "Test Authority",
    )
    assert (early.status, early.cause) == (Status.WARNING, "certificate_soon")
    told = {m.metric: m.value for m in early.measurements}
    assert told["opsd_probe_success"] == 1, "a certificate that ends soon is no outage"


def test_a_page_over_tls_is_fetched(tmp_path: Path) -> None:
    sent, trusted = chain()()
    server, ca = secured(tmp_path, sent, trusted, answering(WELCOME))
    with server as port:
        trace, result = probed(
            patient("http", url=f"https://127.0.0.1:{port}/", text="công", ca_file=ca)
        )
    assert result.status is Status.OK, result
    assert names(trace) == ["connect", "tls", "send", "status", "content"]


def greeting(opened: socket.socket) -> None:
    opened.sendall(b"220 mail.example.vn ready\r\n")
    silent(opened)


def record_by_bytes(opened: socket.socket) -> None:
    opened.sendall(b"\x16\x03\x03\x40\x00")
    while True:
        time.sleep(0.2)
        opened.sendall(b"\x01")


@pytest.mark.parametrize(
    ("serve", "cause"),
    [
        (silent, Cause.TLS_TIMEOUT),
        (reset, Cause.TLS_RESET),
        (greeting, Cause.TLS_FAILED),
        (record_by_bytes, Cause.TLS_TIMEOUT),
    ],
)
def test_a_port_that_does_not_speak_tls_is_told(serve: Serve, cause: Cause) -> None:
    with serving(serve) as port:
        _, result = probed(made("tls", address="127.0.0.1", port=port))
    assert result.cause == cause.value


def test_a_file_of_authorities_that_is_missing_makes_us_blind_not_them_bad() -> None:
    with serving(silent) as port:
        probe = made("tls", address="127.0.0.1", port=port, ca_file="/nowhere/ca.pem")
        _, result = probed(probe)
    assert (result.status, result.cause) == (Status.UNKNOWN, "blind")
    assert "/nowhere/ca.pem" in result.detail
