"""The ports as real clients meet them: pages, TLS, users, clients that misbehave."""

import base64
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from opsd.catalogue import Language
from opsd.config import users
from opsd.config.values import Address
from opsd.config.web import Guard
from opsd.errors import ConfigError, Refused
from opsd.web import AdminPages, Server
from tests.guards import PASSWORD, certificate, guarded, written

ANYWHERE = Address("127.0.0.1:0")
Headers = dict[str, str]


@dataclass(slots=True)
class Orders:
    """What the admin port was told to do."""

    reloads: int = 0
    wrong: str = ""

    def reload(self) -> str:
        """Count it."""
        self.reloads += 1
        return self.wrong


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def serve(orders: Orders) -> Iterator[Callable[[Guard], Server]]:
    """Makes servers of the admin's pages, with a guard."""
    made: list[Server] = []

    def begin(guard: Guard) -> Server:
        pages = AdminPages(str, lambda: "not ready", orders.reload, lambda: Language.VI)
        made.append(Server(ANYWHERE, pages, guard))
        return made[-1]

    yield begin
    for one in made:
        one.close()


Serve = Callable[[Guard], Server]


@contextmanager
def connected(server: Server, trust: Path | None) -> Iterator[HTTPConnection]:
    host, _, port = server.address.rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=10)
    if trust:
        context = ssl.create_default_context(cafile=str(trust))
        connection = HTTPSConnection(host, int(port), timeout=10, context=context)
    with closing(connection):
        yield connection


def fetched(
    server: Server,
    path: str,
    method: str = "GET",
    headers: Headers | None = None,
    trust: Path | None = None,
) -> tuple[int, str, Headers]:
    with connected(server, trust) as connection:
        connection.request(method, path, headers=headers or {})
        found = connection.getresponse()
        return found.status, found.read().decode(), dict(found.getheaders())


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


# ------------------------------------------------------------------------------ pages


def test_the_pages_of_the_admin_port(serve: Serve, orders: Orders) -> None:
    server = serve(Guard())
    status, text, headers = fetched(server, "/")
    assert status == 200
    assert 'lang="vi"' in text
    assert 'href="/-/ready"' in text
    assert "metrics" not in text
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert fetched(server, "/-/healthy")[:2] == (200, "ok\n")
    assert fetched(server, "/-/ready")[:2] == (503, "not ready\n")
    assert fetched(server, "/-/ready", "HEAD")[:2] == (503, "")
    assert fetched(server, "/metrics")[0] == 404
    assert fetched(server, "/../etc/passwd")[0] == 404
    assert orders.reloads == 0


def test_a_reload_is_an_order_and_is_answered_by_how_it_went(serve: Serve, orders: Orders) -> None:
    server = serve(Guard())
    assert fetched(server, "/-/reload")[0] == 405
    assert orders.reloads == 0
    assert fetched(server, "/-/reload", "POST")[:2] == (200, "ok\n")
    orders.wrong = "rpo: soon"
    assert fetched(server, "/-/reload", "POST")[:2] == (503, "rpo: soon\n")
    assert orders.reloads == 2
    assert fetched(server, "/-/healthy", "POST")[0] == 405
    assert fetched(server, "/-/reload", "POST", {"Content-Length": str(1 << 30)})[0] == 413
    assert fetched(server, "/-/reload", "DELETE")[0] == 501
    assert orders.reloads == 2


# ------------------------------------------------------------------------------ TLS


def test_a_port_with_a_certificate_speaks_tls_and_nothing_else(
    serve: Serve, tmp_path: Path
) -> None:
    path, key = certificate(tmp_path)
    other, _ = certificate(tmp_path, "elsewhere")
    server = serve(guarded(certificate_file=path, key_file=key))
    assert fetched(server, "/-/healthy", trust=path)[:2] == (200, "ok\n")
    with pytest.raises(ssl.SSLCertVerificationError):
        fetched(server, "/-/healthy", trust=other)
    with pytest.raises(OSError, match=r"(?i)reset|closed|without response"):
        fetched(server, "/-/healthy")
    host, _, port = server.address.rpartition(":")
    old = ssl.create_default_context(cafile=str(path))
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        pytest.raises(ssl.SSLError),
    ):
        old.wrap_socket(plain, server_hostname="localhost")
    assert fetched(server, "/-/healthy", trust=path)[0] == 200


def test_a_new_certificate_is_used_at_once_and_a_wrong_one_is_not(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, key = certificate(tmp_path)
    server = serve(guarded(certificate_file=path, key_file=key))
    first = path.read_bytes()
    new, new_key = certificate(tmp_path, "new")
    (tmp_path / "new.crt").replace(path)
    before = written(tmp_path / "first.crt", first.decode())
    assert fetched(server, "/-/healthy", trust=before)[0] == 200, "the half is not used"
    assert "is not that of the certificate" in caplog.text
    new_key.replace(key)
    assert fetched(server, "/-/healthy", trust=path)[0] == 200, "the whole is"
    with pytest.raises(ssl.SSLCertVerificationError):
        fetched(server, "/-/healthy", trust=before)
    assert not new.exists()


# ------------------------------------------------------------------------------ users


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "users", users.entry("prometheus", PASSWORD, os.urandom(16)) + "\n")


@pytest.mark.parametrize(
    "header",
    [
        "",
        basic("prometheus", PASSWORD + "x"),
        basic("prometheus", ""),
        basic("somebody", PASSWORD),
        basic("", ""),
        "Basic !!!",
        "Basic " + "A" * 5000,
        f"Bearer {PASSWORD}",
    ],
)
def test_nothing_is_done_for_who_shows_no_password(
    serve: Serve, orders: Orders, file: Path, header: str
) -> None:
    server = serve(guarded(users_file=file))
    assert (
        fetched(server, "/-/healthy", "GET", {"Authorization": basic("prometheus", PASSWORD)})[0]
        == 200
    )
    status, text, headers = fetched(server, "/-/reload", "POST", {"Authorization": header})
    assert (status, text) == (401, "who are you?\n")
    assert headers["WWW-Authenticate"].startswith("Basic ")
    assert fetched(server, "/")[0] == 401
    assert fetched(server, "/no/such")[0] == 401
    assert orders.reloads == 0


def test_a_user_who_is_taken_out_is_not_admitted_any_more(serve: Serve, file: Path) -> None:
    server = serve(guarded(users_file=file))
    shown = {"Authorization": basic("prometheus", PASSWORD)}
    assert fetched(server, "/-/healthy", "GET", shown)[0] == 200
    written(file, users.entry("prometheus", PASSWORD + " changed", os.urandom(16)))
    assert fetched(server, "/-/healthy", "GET", shown)[0] == 401
    written(file, "nonsense\n")
    shown = {"Authorization": basic("prometheus", PASSWORD + " changed")}
    assert fetched(server, "/-/healthy", "GET", shown)[0] == 200, "a wrong file changes nothing"
    written(file, "# nobody\n")
    assert fetched(server, "/-/healthy", "GET", shown)[0] == 401


def test_what_fitted_once_is_not_dear_again(serve: Serve, file: Path) -> None:
    server = serve(guarded(users_file=file))
    shown = {"Authorization": basic("prometheus", PASSWORD)}

    def seconds() -> float:
        begin = time.monotonic()
        assert fetched(server, "/-/healthy", "GET", shown)[0] == 200
        return time.monotonic() - begin

    first = seconds()
    assert min(seconds() for _ in range(5)) < first


# ------------------------------------------------------------------------------ what is refused


def test_a_taken_port_a_foreign_address_and_a_wrong_guard_are_refused(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(Guard())
    pages = AdminPages(str, str, str, lambda: Language.EN)
    with pytest.raises(Refused, match="another program does"):
        Server(Address(server.address), pages)
    with pytest.raises(Refused, match=r"cannot listen on 192\.0\.2\.1:1"):
        Server(Address("192.0.2.1:1"), pages)
    path, _ = certificate(tmp_path)
    _, key = certificate(tmp_path, "other")
    with pytest.raises(ConfigError, match="is not that of the certificate"):
        Server(ANYWHERE, pages, guarded(certificate_file=path, key_file=key))


def test_clients_that_say_nothing_take_no_more_than_their_share(
    serve: Serve, tmp_path: Path
) -> None:
    path, key = certificate(tmp_path)
    server = serve(guarded(certificate_file=path, key_file=key))
    host, _, port = server.address.rpartition(":")
    idle = [socket.create_connection((host, int(port)), timeout=10) for _ in range(40)]
    try:
        closed = 0
        for one in idle[-20:]:
            one.settimeout(5)
            closed += one.recv(1) == b""
        assert closed == 20
    finally:
        for one in idle:
            one.close()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if fetched(server, "/-/healthy", trust=path)[0] == 200:
                return
        except (ConnectionError, OSError):
            time.sleep(0.05)
    pytest.fail("it did not recover")
