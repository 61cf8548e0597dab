"""Probes of whole services: a site walked through, PostgreSQL, SSH."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from opsd.config.probes import Probe
from opsd.demo.front import Front
from opsd.model import CheckResult, Status
from opsd.trace import Cause, Trace
from tests.probing import failed, made, probed
from tests.servers import page, request, reset, serving, silent
from tests.site import Site

# --------------------------------------------------------------------------------- a site


def walk(url: str, **changed: Any) -> Probe:
    steps = [
        {"name": "open", "path": "/", "text": "Đăng nhập"},
        {"name": "health", "path": "/suc-khoe", "text": '"status": "ok"', **changed},
        {"name": "log in", "path": "/dang-nhap", "form": {"ten": "probe"}, "status": [401]},
    ]
    return made("walk", url=url, timeout="8s", steps=steps)


def test_the_front_of_the_dossier_system_is_walked_through(site: Site) -> None:
    front = Front(site.system)
    front.start()
    try:
        trace, (result,) = probed(walk(front.address))
        assert result.status is Status.OK, result
        assert [p.step for p in trace.phases if p.name == "content"] == ["open", "health", "log in"]
        assert trace.facts.hops == (f"{front.address}/dang-nhap",)
        site.system.stop()  # the database goes away under the front
        trace, (result,) = probed(walk(front.address))
        assert (failed(trace).step, result.cause) == ("health", "status_wrong")
        assert "health" in result.detail
    finally:
        front.stop()
    trace, (result,) = probed(walk(f"http://127.0.0.1:{free_port()}"))
    assert (failed(trace).step, result.cause) == ("open", "connect_refused")


def test_a_walk_keeps_cookies_and_sends_hidden_fields_and_secrets_back(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("đúng rồi\n", encoding="utf-8")
    seen: list[str] = []

    def desk(opened: socket.socket) -> None:
        asked = request(opened).decode()
        head, _, body = asked.partition("\r\n\r\n")
        while asked.startswith("POST") and f"Content-Length: {len(body)}\r\n" not in head:
            body += opened.recv(4096).decode()
        if asked.startswith("GET /login"):
            form = b'<form><input type="hidden" name="token" value="a&amp;b"></form>'
            opened.sendall(page(form, "200 OK", "Set-Cookie: id=one; Path=/", "Set-Cookie: x=1"))
        elif asked.startswith("POST /login"):
            seen.append(body)
            right = "Cookie: id=one; x=1" in head
            moved = page(b"", "303 See Other", "Location: /mine", "Set-Cookie: x=; Max-Age=0")
            opened.sendall(moved if right else page(b"", "403 Forbidden"))
        else:
            right = "Cookie: id=one\r\n" in f"{head}\r\n"
            opened.sendall(page(b"my dossiers" if right else b"who are you?"))

    steps = [
        {"name": "the form", "path": "/login"},
        {
            "name": "in",
            "path": "/login",
            "form": {"user": "probe"},
            "secret_form": {"password": str(secret)},
            "text": "my dossiers",
        },
    ]
    with serving(desk) as port:
        url = f"http://127.0.0.1:{port}"
        trace, (result,) = probed(made("walk", url=url, steps=steps))
        assert result.status is Status.OK, result
        posted = parse_qs(seen[0])
        assert posted == {"token": ["a&b"], "user": ["probe"], "password": ["đúng rồi"]}
        assert "đúng" not in repr(trace)
        secret.unlink()
        _, (result,) = probed(made("walk", url=url, steps=steps))
    assert (result.status, result.cause) == (Status.UNKNOWN, "blind")


# --------------------------------------------------------------------------------- PostgreSQL


def asked(site: Site, **options: Any) -> tuple[Trace, CheckResult]:
    options = {"connection": site.system.connection, "timeout": "4s", **options}
    trace, (result,) = probed(made("postgres", **options), slack=2.5)
    return trace, result


def test_a_database_is_asked_and_its_faults_are_told_apart(site: Site) -> None:
    trace, result = asked(site, query="SELECT code FROM dossier LIMIT 1")
    assert result.status is Status.OK, result
    assert [phase.name for phase in trace.phases] == ["connect", "login", "query", "replication"]
    assert trace.facts.server.startswith("PostgreSQL ")
    rows = (
        ({"query": "SELECT 1 WHERE false"}, Cause.QUERY_EMPTY),
        ({"query": "SELECT nothing"}, Cause.QUERY_FAILED),
        ({"query": "SELECT pg_sleep(30)", "timeout": "1s"}, Cause.QUERY_TIMEOUT),
        ({"query": "UPDATE dossier SET code = code RETURNING 1"}, Cause.QUERY_FAILED),
        ({"query": "SELECT 1) ; DROP TABLE dossier; --"}, Cause.QUERY_FAILED),
        ({"standby": True}, Cause.REPLICATION_ROLE),
        ({"min_standbys": 1}, Cause.REPLICATION_FEW),
        (
            {"connection": f"{site.system.connection} user=nobody_of_this_name"},
            Cause.LOGIN_REFUSED,
        ),
        ({"connection": "host=/nowhere dbname=dossiers"}, Cause.CONNECT_REFUSED),
    )
    found = [(cause, asked(site, **options)[1].cause) for options, cause in rows]
    assert [cause.value for cause, _ in found] == [cause for _, cause in found]
    _, result = asked(site, query="SELECT count(*) FROM dossier HAVING count(*) = 60")
    assert result.status is Status.OK, "nothing was changed"


def test_a_database_server_that_freezes_is_left_at_the_deadline(site: Site) -> None:
    pid = postmaster(site)
    group = [pid, *children(pid)]
    for one in group:
        os.kill(one, signal.SIGSTOP)
    try:
        trace, result = asked(site, timeout="3s")
    finally:
        for one in group:
            os.kill(one, signal.SIGCONT)
    assert (failed(trace).name, result.cause) == ("login", "login_timeout")


def test_a_database_that_freezes_in_the_middle_is_left_at_the_deadline(site: Site) -> None:
    """Its backend stops while it runs the query, so that not even its own timeout comes."""
    pid = postmaster(site)
    stopped: list[int] = []

    def freeze() -> None:
        until = time.monotonic() + 3
        while not stopped and time.monotonic() < until:
            stopped.extend(child for child in children(pid) if title(child).endswith("SELECT"))
        os.kill(stopped[0], signal.SIGSTOP)

    thread = threading.Thread(target=freeze)
    thread.start()
    try:
        trace, result = asked(site, timeout="3s", query="SELECT pg_sleep(20)")
    finally:
        thread.join()
        os.kill(stopped[0], signal.SIGCONT)
    assert (failed(trace).name, result.cause) == ("query", "query_timeout")


def postmaster(site: Site) -> int:
    (file,) = site.system.cluster.directory.rglob("postmaster.pid")
    return int(file.read_text(encoding="ascii").split()[0])


def title(pid: int) -> str:
    """What a server's process calls itself: what it does, at the end."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").rstrip("\0 ")
    return ""


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


@pytest.mark.parametrize(
    ("serve", "cause"), [(silent, "login_timeout"), (reset, "login_reset")], ids=["silent", "reset"]
)
def test_a_port_that_is_no_database_is_told(serve: Any, cause: str) -> None:
    with serving(serve) as port:
        connection = f"host=127.0.0.1 port={port} dbname=x user=y"
        trace, (result,) = probed(made("postgres", connection=connection), slack=2.5)
    assert [phase.name for phase in trace.phases] == ["connect", "login"]
    assert result.cause == cause


def _left_behind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))


def _busy(path: Path) -> list[socket.socket]:
    """A listener that takes nobody any more, and those who wait for it."""
    held = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    held[0].bind(str(path))
    held[0].listen(0)
    held[1].connect(str(path))
    return held


@pytest.mark.parametrize(
    ("lay", "cause"),
    [
        (lambda _: None, "connect_refused"),
        (_left_behind, "connect_refused"),
        (_busy, "connect_timeout"),
    ],
    ids=["no socket", "a socket that was left", "busy"],
)
def test_a_local_server_that_does_not_run_is_told_from_one_that_lets_nobody_in(
    lay: Callable[[Path], Any], cause: str, tmp_path: Path
) -> None:
    held = lay(tmp_path / ".s.PGSQL.5433")
    connection = f"host={tmp_path} port=5433 dbname=x user=y"
    trace, (result,) = probed(made("postgres", connection=connection), slack=2.5)
    assert [(phase.name, str(phase.cause)) for phase in trace.phases] == [("connect", cause)]
    assert result.fields["peer"] == f"{tmp_path}/.s.PGSQL.5433"
    for one in held or ():
        one.close()


# --------------------------------------------------------------------------------- SSH


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@contextmanager
def sshd(directory: Path) -> Iterator[int]:
    """A real server with a key of its own."""
    key, port = directory / "host_key", free_port()
    Path("/run/sshd").mkdir(exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    options = [f"HostKey={key}", f"ListenAddress=127.0.0.1:{port}", "PidFile=none", "UsePAM=no"]
    argv = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", *(f"-o{one}" for one in options)]
    with (directory / "sshd.log").open("wb") as log:
        server = subprocess.Popen(argv, stderr=log)
    try:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with closing(socket.socket()) as knocking:
                if knocking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def test_an_ssh_server_is_known_by_its_key(tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    with sshd(tmp_path) as port:
        own = (tmp_path / "host_key.pub").read_text().split()[:2]
        other = subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True
        )
        assert other.returncode == 0
        wrong = (tmp_path / "other.pub").read_text().split()[:2]
        probe = made("ssh", address="127.0.0.1", port=port, known_hosts=str(known), timeout="5s")
        found = {}
        for name, line in (
            ("known", f"[127.0.0.1]:{port} {' '.join(own)}\n"),
            ("changed", f"[127.0.0.1]:{port} {' '.join(wrong)}\n"),
            ("unknown", f"127.0.0.1 {' '.join(own)}\n"),
        ):
            known.write_text(line)
            trace, (result,) = probed(probe)
            found[name] = (trace.facts.server.startswith("SSH-2.0-"), result.cause)
        known.write_text(f"[127.0.0.1]:{port} {' '.join(own)}\n")
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
        assert "127.0.0.1" not in known.read_text()
        _, (hashed,) = probed(probe)
        _, (any_key,) = probed(made("ssh", address="127.0.0.1", port=port, timeout="5s"))
    assert found == {
        "known": (True, ""),
        "changed": (True, "key_changed"),
        "unknown": (True, "key_unknown"),
    }
    assert hashed.status is any_key.status is Status.OK


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"", "banner_timeout"),
        (b"HTTP/1.1 400 Bad Request\r\n" * 900, "banner_wrong"),
        (b"SSH-2.0-frozen\r\n", "key_timeout"),
    ],
    ids=["silence", "another language", "a banner and no more"],
)
def test_what_is_no_ssh_server_is_told(said: bytes, cause: str) -> None:
    def serve(opened: socket.socket) -> None:
        opened.sendall(said)
        silent(opened)

    with serving(serve) as port:
        trace, (result,) = probed(made("ssh", address="127.0.0.1", port=port, timeout="2s"))
    assert result.cause == cause
    assert failed(trace).name == cause.partition("_")[0]
