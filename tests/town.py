"""Three hosts with what runs on them, and where incidents of them are answered."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsd.config.checks import Checks
from opsd.drivers.cluster import DURABLE, Cluster, binaries, newest
from opsd.drivers.process import become
from tests.hosts import NamespaceHost, Network, network, program
from tests.incidents import Desk, answering, written
from tests.site import workplace

CACHE, FAR, PAGE = "/var/cache/apt/archives", "198.18.77.1", "<h1>Hồ sơ của tôi</h1>"


REPEATED = {"cooldown": "0s", "per_host": 100, "judged_within": "20s", "breaker_after": 100}


@dataclass
class Town:
    """Three hosts, what runs on them, and where incidents of them are answered."""

    base: Path
    net: Network
    desk: Desk
    primary: Cluster
    standby: Cluster
    spent: dict[str, float] = field(default_factory=dict)

    def host(self, name: str) -> NamespaceHost:
        return next(host for host in self.net.hosts if host.name == name)

    def begin(self, host: str, *argv: str) -> None:
        """Something that runs on, on a host."""
        subprocess.run(self.host(host).enters("setsid", "-f", *argv), check=True, timeout=30)

    def on(self, host: str, script: str) -> str:
        return self.host(host).run(script)


@contextmanager
def founded() -> Iterator[Town]:
    """A town; nothing of it stays."""
    with ExitStack() as held:
        base = held.enter_context(workplace())
        net = held.enter_context(network())
        for name in ("one", "two", "three"):
            net.add(name)
        for part in ("www", "state"):
            (base / part).mkdir()
        (base / "www" / "index.html").write_text(PAGE)
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        (base / "isolate.nft").write_text(ISOLATION)
        primary, standby = databases(base)
        config = written(base / "opsd.yaml", config_of(base, net, primary, standby))
        desk = held.enter_context(answering(config))
        yield Town(base, net, desk, primary, standby)


def pg_ctl(cluster: Cluster, *what: str) -> list[str]:
    """How a host starts and stops a database: there is no systemd here."""
    options = (
        f"-c listen_addresses= -c unix_socket_directories={cluster.directory}"
        " -c unix_socket_permissions=0777 -c port=5432 -c fsync=off -c lc_messages=C"
        " -c dynamic_shared_memory_type=mmap"
    )
    ctl = str(binaries(newest()) / "pg_ctl")
    rest = ["-D", str(cluster.data), "-l", str(cluster.log), "-o", options, "-w", "-t", "60", *what]
    return ["setpriv", *become("postgres"), "--", ctl, *rest]


def psql(cluster: Cluster, sql: str = "") -> list[str]:
    argv = [program("psql"), "-XAtq", "-d", cluster.connection()]
    return [*argv, "-c", sql] if sql else argv


def databases(base: Path) -> tuple[Cluster, Cluster]:
    """A primary, and a copy of it that stands by."""
    made = [Cluster(base / n, newest(), settings={**DURABLE, "fsync": "off"}) for n in ("a", "b")]
    primary, standby = made
    primary.create()
    standby.directory.mkdir()
    shutil.chown(standby.directory, "postgres")
    return primary, standby


def config_of(base: Path, net: Network, primary: Cluster, standby: Cluster) -> dict[str, Any]:
    one, two, three = (host.address for host in net.hosts)
    ready = [str(binaries(newest()) / "pg_isready"), "-q", "-t", "3", "-h"]
    front = ["sh", "-c", f"busybox httpd -p 8080 -h {base}/www"]
    date = os.path.realpath(program("date"))
    over = ["ip", "route", "replace", FAR, "via"]
    flag = ["sh", "-c", 'touch "$1"', "sh", f"{base}/power"]
    tls = ["sh", "-c", f"pkill openssl; sh {base}/serve"]
    database = {"host": "one", "data": str(base), "log": str(primary.log)}
    checks: dict[str, object] = {name: {"enabled": False} for name in Checks.model_fields}
    checks |= {
        "filesystems": {"exclude": ["/tmp", "/dev/shm", "/run"]},
        "clock": {},
        "certificates": {"files": [f"{base}/front.pem"]},
        "disk_latency": {},
    }
    return {
        "language": "en",
        "demo": True,
        "state": str(base / "state"),
        "repositories": {"main": {"url": f"{base}/repo", "password_file": f"{base}/password"}},
        "backup_sets": {
            "files": {
                "repository": "main",
                "schedule": "03:00",
                "rpo": "24h",
                "rto": "4h",
                "members": {"tree": {"kind": "files", "path": f"{base}/www"}},
            }
        },
        "checks": checks,
        "hosts": {
            host.name: {**net.written(host), "connect_timeout": f"{patience}s"}
            for host, patience in zip(net.hosts, (15, 8, 3), strict=True)
        },
        "automation": {"enabled": True, "approvers": ["nguyenvana", "tranthib"]},
        "probes": {
            "front": {
                "kind": "http",
                "url": f"http://{one}:8080/",
                "text": "Hồ sơ",
                "timeout": "2s",
            },
            "db": {"kind": "postgres", "connection": primary.connection(), "timeout": "3s"},
            "replica": {
                "kind": "postgres",
                "connection": standby.connection(),
                "standby": True,
                "max_lag": "1s",
                "timeout": "3s",
            },
            "wan": {"kind": "ping", "address": FAR, "count": 3, "gap": "50ms", "timeout": "3s"},
            "lgsp": {
                "kind": "tcp",
                "address": three,
                "port": 9,
                "scope": "upstream",
                "timeout": "2s",
            },
        },
        "playbooks": {
            "disk_full": {**REPEATED, "keep_journal": "1MiB"},
            "disk_slow": REPEATED,
            "clock_skew": {
                "judged_within": "20s",
                "service": {
                    "restart": ["umount", date],
                    "running": ["sh", "-c", f"! mount | grep -q 'on {date} '"],
                },
            },
            "database_down": {
                "cooldown": "0s",
                "judged_within": "20s",
                "services": {
                    "db": {
                        **database,
                        "start": pg_ctl(primary, "start"),
                        "ready": [*ready, str(primary.directory)],
                    }
                },
            },
            "replication_stuck": {
                "judged_within": "20s",
                "services": {"replica": {"host": "two", "psql": psql(standby)}},
            },
            "web_down": {
                "cooldown": "0s",
                "judged_within": "20s",
                "services": {
                    "front": {
                        "host": "one",
                        "start": front,
                        "up": ["sh", "-c", "ss -ltn | grep -q :8080"],
                        "test": ["test", "-r", f"{base}/www/index.html"],
                        "log": f"{base}/front.log",
                    }
                },
            },
            "host_unreachable": {
                "judged_within": "20s",
                "power": {
                    "three": {"via": "one", "cycle": flag, "returned": ["test", "-e", f"{base}/on"]}
                },
            },
            "link_down": {
                "judged_within": "20s",
                "switches": {
                    "wan": {
                        "host": "one",
                        "standby": three,
                        "switch": [*over, three],
                        "back": [*over, two],
                        "switched": ["sh", "-c", f"ip route | grep -q '{FAR} via {three}'"],
                    }
                },
            },
            "certificate_expiring": {
                "judged_within": "20s",
                "renewals": {
                    "front": {
                        "host": "one",
                        "file": f"{base}/front.pem",
                        "renew": ["cp", f"{base}/fresh.pem", f"{base}/front.pem"],
                        "reload": tls,
                        "serves": "127.0.0.1:8443",
                    }
                },
            },
            "isolate_host": {
                "isolate": ["nft", "-f", f"{base}/isolate.nft"],
                "free": ["nft", "delete", "table", "inet", "opsd_isolation"],
                "isolated": ["nft", "list", "table", "inet", "opsd_isolation"],
            },
            "upstream_down": {
                "partners": {"lgsp": {"name": "Trục tỉnh", "contact": "hotro@lgsp.example"}}
            },
        },
    }


ISOLATION = """
add table inet opsd_isolation
add chain inet opsd_isolation in { type filter hook input priority 0; policy drop; }
add rule inet opsd_isolation in tcp dport 22 accept
add rule inet opsd_isolation in ct state established accept
add rule inet opsd_isolation in iif lo accept
"""
