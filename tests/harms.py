"""What is done to the town: real faults, made by hand; each takes itself for the first."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress

from opsd.drivers.cluster import Cluster, binaries, newest
from opsd.drivers.process import become
from opsd.model import CheckId
from tests.hosts import program
from tests.incidents import eventually
from tests.servers import DAY, sign
from tests.town import CACHE, FAR, PAGE, Town, pg_ctl, psql

Harm = Callable[[Town], None]


def fill(town: Town) -> None:
    town.on(
        "one", f"mount -t tmpfs -o size=80m tmpfs {CACHE}; head -c 79m /dev/zero >{CACHE}/x.deb"
    )


def fill_with_data(town: Town) -> None:
    town.on(
        "two", f"mount -t tmpfs -o size=8m tmpfs {CACHE}; head -c 9m /dev/zero >{CACHE}/scan || :"
    )


def unmount(host: str) -> Harm:
    return lambda town: void(town.on(host, f"umount {CACHE}"))


def void(_: object) -> None:
    """Nothing more."""


def serve(town: Town) -> None:
    (town.base / "www" / "index.html").write_text(PAGE)
    if "8080" in town.on("one", "ss -ltn"):
        return
    town.begin("one", "busybox", "httpd", "-f", "-p", "8080", "-h", str(town.base / "www"))
    eventually(lambda: "8080" in town.on("one", "ss -ltn"), "the front listens")


def end(town: Town, host: str, argv: str) -> None:
    for one in town.host(host).processes():
        if argv in one.argv:
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)


def stop_front(town: Town) -> None:
    serve(town)
    end(town, "one", "httpd")


def wrong_page(town: Town) -> None:
    serve(town)
    (town.base / "www" / "index.html").write_text("It works!")


def up(cluster: Cluster) -> bool:
    ready = [str(binaries(newest()) / "pg_isready"), "-q", "-h", str(cluster.directory)]
    return subprocess.run(ready, check=False, timeout=10).returncode == 0


def start_database(town: Town) -> None:
    if up(town.primary):
        return
    subprocess.run(
        town.host("one").enters(*pg_ctl(town.primary, "start")),
        check=True,
        timeout=60,
        stdout=subprocess.DEVNULL,
    )


def crash(town: Town) -> None:
    start_database(town)
    town.on("one", f"kill -9 $(head -n 1 {town.primary.data}/postmaster.pid)")
    eventually(lambda: not up(town.primary), "it is dead")


def stop_database(town: Town) -> None:
    start_database(town)
    argv = pg_ctl(town.primary, "-m", "fast", "stop")
    subprocess.run(
        town.host("one").enters(*argv), check=True, timeout=60, stdout=subprocess.DEVNULL
    )


def ask(sql: str, cluster: Cluster) -> None:
    subprocess.run(psql(cluster, sql), check=True, timeout=20, capture_output=True)


def pause(town: Town) -> None:
    start_database(town)
    copy = (
        str(binaries(newest()) / "pg_basebackup"),
        "-D",
        str(town.standby.data),
        "-R",
        "-c",
        "fast",
        "-d",
    )
    argv = ("setpriv", *become("postgres"), "--", *copy, town.primary.connection())
    subprocess.run(argv, check=True, timeout=60)
    subprocess.run(
        town.host("two").enters(*pg_ctl(town.standby, "start")),
        check=True,
        timeout=60,
        stdout=subprocess.DEVNULL,
    )
    ask("CREATE TABLE t AS SELECT 1 AS x", town.primary)
    ask("SELECT pg_wal_replay_pause()", town.standby)
    ask("INSERT INTO t SELECT generate_series(1, 100)", town.primary)
    made = town.desk.raised
    eventually(lambda: made(CheckId("", "replica"))[1].name == "CRITICAL", "the standby is behind")


def skew(town: Town) -> None:
    wrong = town.base / "date"
    wrong.write_text("#!/bin/sh\necho $(($(busybox date +%s) + 3600)).000000000\n")
    wrong.chmod(0o755)
    town.on("two", f"mount --bind {wrong} {os.path.realpath(program('date'))}")


def expire(town: Town) -> None:
    authority = sign("opsd test authority", authority=True)
    for name, ends in (("front", 2 * DAY), ("fresh", 90 * DAY)):
        made = sign("127.0.0.1", authority, begins=-2 * DAY, ends=ends)
        (town.base / f"{name}.pem").write_bytes(made.pem + made.key_pem)
    pem = town.base / "front.pem"
    server = f"setsid openssl s_server -quiet -accept 8443 -cert {pem} -key {pem}"
    serves = f"{server} </dev/null >/dev/null 2>&1 &"
    (town.base / "serve").write_text(serves + "\n")
    town.on("one", f"sh {town.base}/serve")


def roads(town: Town) -> None:
    """Two ways to a far place, of which the first is used."""
    two = town.host("two").address
    for name in ("two", "three"):
        town.on(name, f"ip addr replace {FAR}/32 dev lo")
    settings = "echo 1 >ip_forward; for i in all eth0; do echo 0 >conf/$i/send_redirects; done"
    town.on("one", f"cd /proc/sys/net/ipv4; {settings}; ip route replace {FAR} via {two}")
    subprocess.run(
        ["ip", "route", "replace", FAR, "via", town.host("one").address], check=True, timeout=10
    )


def cut_main(town: Town) -> None:
    roads(town)
    town.host("two").cut()


def carry(town: Town) -> None:
    town.host("two").plug_in()


def revive(town: Town) -> None:
    town.host("two").heal()


def kill(town: Town) -> None:
    town.host("three").kill()

    def power() -> None:
        eventually((town.base / "power").exists, "power is cycled", 60)
        town.host("three").heal()
        (town.base / "on").touch()

    threading.Thread(target=power, daemon=True).start()


def drop(town: Town) -> None:
    town.host("two").stop_sshd()
