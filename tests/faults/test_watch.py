"""What happens to three hosts and their services is seen, named as what it is, and is one incident.

The daemon watches real hosts over real sshd, a real web front behind TLS, a real road.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from opsd.app import STORE, WATCH
from opsd.clock import now
from opsd.config.checks import Checks
from opsd.model import CheckId, Incident
from opsd.store import Cases, Watch
from tests.hosts import NamespaceHost, Network, network, program
from tests.prometheus import Stack, free_port, stack
from tests.servers import DAY, Signed, answering, page, serving, sign, with_tls
from tests.site import ROOT, workplace

pytestmark = pytest.mark.xdist_group("watch")

INTERVAL = timedelta(seconds=2)
ANSWER = timedelta(seconds=5)  # what a host that is dead is waited for, and a busy machine
PATIENCE = 60.0
DATA, FAR = "/mnt/opsd-data", "/mnt/opsd-far"
GOOD_PAGE, WRONG_PAGE = "<h1>Hồ sơ của tôi</h1>", "<h1>It works!</h1>"
# The alerts that say of an incident what it is.
INCIDENTS = {
    "OpsdHostUnreachable",
    "OpsdFilesystemTrouble",
    "OpsdClockWrong",
    "OpsdLinkDown",
    "OpsdServiceDown",
    "OpsdOtherIncident",
}
# A file system whose server never answers: who asks waits, until killed.
SILENT_MOUNT = """
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
if libc.setns(os.open(f"/proc/{sys.argv[2]}/ns/mnt", os.O_RDONLY), 0):
    sys.exit(os.strerror(ctypes.get_errno()))
fd = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"far", sys.argv[1].encode(), b"fuse.far", 0, options):
    sys.exit(os.strerror(ctypes.get_errno()))
print("mounted", flush=True)
time.sleep(3600)
"""


@dataclass
class Province:
    """Three hosts, what serves on them, and the daemon that watches all."""

    base: Path
    net: Network
    cases: Cases
    prometheus: Stack
    started: datetime
    front: subprocess.Popen[bytes] | None = None
    undo: ExitStack = field(default_factory=ExitStack)

    def host(self, name: str) -> NamespaceHost:
        return next(host for host in self.net.hosts if host.name == name)

    def serve(self, text: str = GOOD_PAGE) -> None:
        """The web front, with a page."""
        (self.base / "www" / "index.html").write_text(text)
        if self.front is None:
            argv = ("busybox", "httpd", "-f", "-p", "80", "-h", str(self.base / "www"))
            self.front = subprocess.Popen(self.host("web").enters(*argv))

    def stop_front(self) -> None:
        if self.front is not None:
            for one in self.host("web").processes():
                if " httpd " in one.argv:
                    os.kill(one.pid, signal.SIGKILL)
            self.front.wait()
            self.front = None

    def told(self) -> str:
        """What the daemon knows and said: for a test that fails."""
        with closing(Watch(self.base / "state" / WATCH)) as watch:
            states = [
                f"{state.id} {state.status.word} {state.result.cause} {state.result.detail}"
                for state in watch.states()
            ]
        return "\n".join([*states, (self.base / "log").read_text()[-4000:]])

    def paging(self) -> set[str]:
        """The alerts of incidents that fire in Prometheus."""
        return self.prometheus.firing() & INCIDENTS

    def open(self) -> list[Incident]:
        return list(self.cases.incidents())


def prepare(host: NamespaceHost) -> None:
    """The disks of a host that was switched on."""
    host.run(f"mkdir -p {DATA} {FAR}; mount -t tmpfs -o size=8m tmpfs {DATA}")


def made_config(province: Province, tls_port: int, listen: str) -> dict[str, object]:
    net = province.net
    checks: dict[str, object] = {name: {"enabled": False} for name in Checks.model_fields}
    # The hosts share this machine's disks: what other tests do to theirs is not ours.
    checks["filesystems"] = {"interval": "2s", "exclude": ["/tmp", "/dev/shm", "/run"]}
    checks["clock"] = {"interval": "2s"}
    probe = {"interval": "2s", "timeout": "1s", "objective": "99%"}
    web, files = province.host("web").address, province.host("files").address
    front = {"kind": "http", "url": f"http://{web}/", "text": "Hồ sơ của tôi", "host": "web"}
    gate = {"kind": "tls", "address": "127.0.0.1", "port": tls_port}
    return {
        "language": "en",
        "demo": True,
        "state": str(province.base / "state"),
        "listen": listen,
        "admin_listen": "127.0.0.1:0",
        "repositories": {
            "main": {
                "url": str(province.base / "repository"),
                "password_file": str(province.base / "password"),
                "min_free": "1MiB",
            }
        },
        "backup_sets": {
            "files": {
                "repository": "main",
                "schedule": "03:00",
                "rpo": "24h",
                "rto": "4h",
                "members": {"tree": {"kind": "files", "path": str(province.base / "www")}},
            }
        },
        "checks": checks,
        "hosts": {host.name: net.written(host) for host in net.hosts},
        "probes": {
            "front": {**front, **probe},
            "gate": {**gate, "ca_file": str(province.base / "ca.pem"), **probe},
            "road": {
                "kind": "ping",
                "address": files,
                "host": "files",
                "count": 10,
                "gap": "20ms",
                **probe,
            },
        },
    }


@dataclass
class Gate:
    """A server behind TLS, whose certificate can be changed while it runs."""

    base: Path
    authority: Signed

    def __call__(self, opened: socket.socket) -> None:
        self.serve(opened)

    def certify(self, ends: timedelta) -> None:
        made = sign("127.0.0.1", self.authority, begins=-2 * DAY, ends=ends)
        self.serve = with_tls(self.base, [made, self.authority], answering(page(b"ok")))


@contextmanager
def watching(base: Path) -> Iterator[None]:
    """The daemon, for a while."""
    with (base / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "opsd.daemon", str(base / "opsd.yaml")],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            daemon.terminate()
            assert daemon.wait(30) == 0, (base / "log").read_text()


@pytest.fixture(scope="module")
def province() -> Iterator[tuple[Province, Gate]]:
    with ExitStack() as held:
        base = held.enter_context(workplace())
        net = held.enter_context(network())
        for name in ("web", "db", "files"):
            prepare(net.add(name))
        (base / "www").mkdir()
        (base / "state").mkdir()
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        gate = Gate(base, sign("opsd test authority", authority=True))
        gate.certify(60 * DAY)
        (base / "ca.pem").write_bytes(gate.authority.pem)
        port = held.enter_context(serving(gate))
        cases = held.enter_context(closing(Cases(base / "state" / STORE)))
        (base / "prometheus").mkdir()
        listen = f"127.0.0.1:{free_port()}"
        prometheus = held.enter_context(stack([listen], base / "prometheus", hasty=True))
        made = Province(base, net, cases, prometheus, now())
        held.callback(made.stop_front)
        made.serve()
        (base / "opsd.yaml").write_text(yaml.safe_dump(made_config(made, port, listen)))
        held.enter_context(watching(base))
        yield made, gate


def eventually(true: Callable[[], bool], what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


# --- what is done to the province, and how it is taken back

Harm = Callable[[Province, Gate], None]


def fill(province: Province, _: Gate) -> None:
    province.host("db").run(f"head -c 9m /dev/zero >{DATA}/full || true")


def empty(province: Province, _: Gate) -> None:
    province.host("db").run(f"rm {DATA}/full")


def hang(province: Province, _: Gate) -> None:
    first = province.host("files")._first()
    argv = [sys.executable, "-c", SILENT_MOUNT, FAR, str(first)]
    silent = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert silent.stdout is not None
    province.undo.callback(silent.communicate)
    province.undo.callback(silent.kill)
    assert silent.stdout.readline() == b"mounted\n"


def skew(province: Province, _: Gate) -> None:
    wrong = province.base / "date"
    wrong.write_text("#!/bin/sh\necho $(($(busybox date +%s) + 3600)).000000000\n")
    wrong.chmod(0o755)
    province.host("db").run(f"mount --bind {wrong} {os.path.realpath(program('date'))}")


def unskew(province: Province, _: Gate) -> None:
    province.host("db").run(f"umount {os.path.realpath(program('date'))}")


def filter_pings(province: Province, rule: str) -> None:
    nft = (
        "nft add table ip road; nft 'add chain ip road in { type filter hook input priority 0; }'; "
        f"nft 'add rule ip road in icmp type echo-request {rule}'"
    )
    province.host("files").run(nft)


def lose(province: Province, _: Gate) -> None:
    filter_pings(province, "numgen inc mod 5 < 4 drop")  # by turns: never all of them


def keep(province: Province, _: Gate) -> None:
    province.host("files").run("nft delete table ip road")


def answer_again(province: Province, _: Gate) -> None:
    province.undo.close()
    province.host("files").run(f"umount -l {FAR}; mount -t tmpfs -o size=1m tmpfs {FAR}")


def revive(province: Province, _: Gate) -> None:
    province.host("db").heal()
    prepare(province.host("db"))


# As the connection was just being used or made.
NO_WAY = ("timeout", "lost", "connect")


@dataclass(frozen=True)
class Fault:
    """What is done, which check must say so and how, and how it is taken back."""

    harm: Harm
    heal: Harm
    id: CheckId
    causes: tuple[str, ...]
    alert: str


FAULTS = {
    "a file system fills": Fault(
        fill,
        empty,
        CheckId("db", "filesystems", DATA),
        ("filesystem_full",),
        "OpsdFilesystemTrouble",
    ),
    "a mount hangs": Fault(
        hang,
        answer_again,
        CheckId("files", "filesystems", FAR),
        ("mount_hangs",),
        "OpsdFilesystemTrouble",
    ),
    "a clock is an hour ahead": Fault(
        skew, unskew, CheckId("db", "clock"), ("clock_off",), "OpsdClockWrong"
    ),
    "a cable is pulled": Fault(
        lambda p, _: p.host("web").cut(),
        lambda p, _: p.host("web").plug_in(),
        CheckId("web", "reach"),
        NO_WAY,
        "OpsdHostUnreachable",
    ),
    "a host dies": Fault(
        lambda p, _: p.host("db").kill(),
        revive,
        CheckId("db", "reach"),
        NO_WAY,
        "OpsdHostUnreachable",
    ),
    "packets are lost": Fault(
        lose, keep, CheckId("files", "road"), ("reply_loss",), "OpsdLinkDown"
    ),
    "the web front stops": Fault(
        lambda p, _: p.stop_front(),
        lambda p, _: p.serve(),
        CheckId("web", "front"),
        ("connect_refused",),
        "OpsdServiceDown",
    ),
    "the web front shows another page": Fault(
        lambda p, _: p.serve(WRONG_PAGE),
        lambda p, _: p.serve(),
        CheckId("web", "front"),
        ("content_wrong",),
        "OpsdServiceDown",
    ),
    "a certificate expires": Fault(
        lambda _, gate: gate.certify(-DAY),
        lambda _, gate: gate.certify(60 * DAY),
        CheckId("", "gate"),
        ("tls_expired",),
        "OpsdServiceDown",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_seen_named_and_one_incident_until_it_ends(
    province: tuple[Province, Gate], name: str
) -> None:
    place, gate = province
    fault = FAULTS[name]
    eventually(lambda: not place.open(), lambda: f"before: {place.open()}")
    known = {case.code for case in place.cases.incidents(place.started)}
    place.prometheus.received.clear()
    fault.harm(place, gate)
    try:
        eventually(lambda: bool(place.open()), lambda: f"nothing was seen\n{place.told()}")
        (seen,) = place.open()
        eventually(lambda: bool(place.paging()), lambda: f"no alert\n{place.told()}")
        assert place.paging() == {fault.alert}
    finally:
        fault.heal(place, gate)
    assert seen.id == fault.id
    assert seen.cause in fault.causes
    assert seen.opened_at - seen.began <= 2 * INTERVAL + ANSWER
    eventually(lambda: not place.open(), lambda: f"after: {place.open()}")
    eventually(
        lambda: bool(place.prometheus.told(fault.alert, "resolved")) and not place.paging(),
        lambda: f"not resolved: {place.prometheus.received}",
    )
    new = [case for case in place.cases.incidents(place.started) if case.code not in known]
    assert [case.code for case in new] == [seen.code]
