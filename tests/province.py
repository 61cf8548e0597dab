"""Three hosts, what serves on them, the roads between, and the daemon that watches all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from checks.disk_speed import FIGURES
from opsd.assembly import WATCH
from opsd.config.checks import Checks
from opsd.demo.system import DossierSystem
from opsd.model import CheckId, Incident, Measurement, Status
from opsd.store import Cases, Kept, Page, Watch
from tests.disks import Loop
from tests.hosts import NamespaceHost, Network
from tests.prometheus import Stack
from tests.servers import DAY, Signed, answering, page, sign, with_tls
from tests.site import ROOT

MIB = 1 << 20
DATA, FAR = "/mnt/opsd-data", "/mnt/opsd-far"
DISK = "papers"
GOOD_PAGE, WRONG_PAGE = "<h1>Hồ sơ của tôi</h1>", "<h1>It works!</h1>"

# The alerts that say of an incident what it is.
INCIDENTS = {
    "OpsdHostUnreachable",
    "OpsdFilesystemTrouble",
    "OpsdClockWrong",
    "OpsdDiskSlow",
    "OpsdLinkDown",
    "OpsdServiceDown",
    "OpsdOtherIncident",
}


@dataclass
class Province:
    """Three hosts, what serves on them, and the daemon that watches all."""

    base: Path
    net: Network
    cases: Cases
    prometheus: Stack
    started: datetime
    disk: Loop
    system: DossierSystem
    config: dict[str, Any] = field(default_factory=dict)
    daemon: subprocess.Popen[bytes] | None = None
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

    def try_disk(self, *, tried: bool) -> None:
        """Have the daemon try out the disk of `db`, or not any more."""
        if tried != ("checks" in self.config["hosts"]["db"]):
            self.config["hosts"]["db"] |= {"checks": {"disk_speed": self._trial}}
            if not tried:
                del self.config["hosts"]["db"]["checks"]
            self.write_config()
            assert self.daemon is not None
            self.daemon.send_signal(signal.SIGHUP)

    @property
    def _trial(self) -> dict[str, object]:
        # Others load the machine: how long single reads take is not ours to judge.
        waits = {"slower_warning": 1e6, "slower_critical": 2e6}
        gates = {"min_free": "64MiB", "max_pressure": 1, "busy": []}
        disk = {"volumes": {DISK: str(self.disk.point)}, "interval": "6s"}
        return {"enabled": True, **disk, **gates, **waits}

    def write_config(self) -> None:
        (self.base / "opsd.yaml").write_text(yaml.safe_dump(self.config))

    def good(self, one: CheckId) -> bool:
        """Whether a check was well when the daemon wrote it down last."""
        with closing(Watch(self.base / "state" / WATCH)) as watch:
            return any(s.id == one and s.status is Status.OK for s in watch.states())

    def remember(self, at: datetime) -> None:
        """A past of the disk of `db`, in which it was slower than it is when nothing slows it."""
        usual = {figure: 20 * MIB if "bytes" in figure else 0.001 for figure in FIGURES}
        samples = [
            Kept(
                "db",
                Measurement(f"opsd_disk_probe_{name}", value * (1 + n / 100), {"volume": DISK}),
                at - timedelta(minutes=20 - n),
            )
            for n in range(12)
            for name, value in usual.items()
        ]
        with closing(Watch(self.base / "state" / WATCH)) as watch:
            watch.write(Page(samples=samples))

    def told(self) -> str:
        """What the daemon knows and said: for a test that fails."""
        with closing(Watch(self.base / "state" / WATCH)) as watch:
            states = [
                f"{state.id} {state.status.word} {state.result.cause} {state.result.detail}"
                for state in watch.states()
            ]
        return "\n".join([*states, (self.base / "log").read_text()[-4000:]])

    def paging(self) -> list[str]:
        """The alerts of incidents that fire in Prometheus, each as often as it does."""
        names = [alert["alertname"] for alert in self.prometheus.alerts()]
        return [name for name in names if name in INCIDENTS]

    def open(self) -> list[Incident]:
        return list(self.cases.incidents())


def prepare(host: NamespaceHost) -> None:
    """The disks of a host that was switched on."""
    host.run(f"mkdir -p {DATA} {FAR}; mount -t tmpfs -o size=8m tmpfs {DATA}")


def made_config(province: Province, tls_port: int, listen: str) -> dict[str, Any]:
    net = province.net
    checks: dict[str, object] = {name: {"enabled": False} for name in Checks.model_fields}
    # The hosts share this machine's disks: what other tests do to theirs is not ours.
    checks["filesystems"] = {"interval": "2s", "exclude": ["/tmp", "/dev/shm", "/run"]}
    checks["clock"] = {"interval": "2s"}
    probe = {"interval": "2s", "timeout": "2s", "objective": "99%"}
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
                "members": {"tree": {"kind": "files", "path": str(province.base / "papers")}},
            }
        },
        "checks": checks,
        "hosts": {host.name: net.written(host) for host in net.hosts},
        "probes": {
            "front": {**front, **probe},
            "database": {
                "kind": "postgres",
                "connection": province.system.connection,
                "query": "SELECT 1 FROM dossier LIMIT 1",
                **probe,
            },
            "gate": {**gate, "ca_file": str(province.base / "ca.pem"), **probe},
            "road": {
                "kind": "ping",
                "address": files,
                "host": "files",
                "count": 10,
                "gap": "20ms",
                "delay_warning": "250ms",
                "delay_critical": "280ms",
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
def watching(base: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon, for a while."""
    with (base / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "opsd.daemon", str(base / "opsd.yaml")],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            yield daemon
        finally:
            daemon.terminate()
            assert daemon.wait(30) == 0, (base / "log").read_text()
