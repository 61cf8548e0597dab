"""What happens to three hosts and their services is seen, named as what it is, and is one incident.

The daemon watches real hosts over real sshd, a real web front, TLS, a real database, a real road.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from opsd.assembly import STORE
from opsd.clock import now
from opsd.model import CheckId
from opsd.policy.blame import Side
from opsd.store import Cases
from tests.disks import CONTROL, loop, throttle
from tests.hosts import network, program
from tests.prometheus import free_port, stack
from tests.province import (
    DATA,
    DISK,
    FAR,
    MIB,
    WRONG_PAGE,
    Gate,
    Province,
    made_config,
    prepare,
    watching,
)
from tests.servers import DAY, serving, sign
from tests.site import copy_of, workplace

pytestmark = pytest.mark.xdist_group("watch")

INTERVAL = timedelta(seconds=2)
ANSWER = timedelta(seconds=5)  # what a host that is dead is waited for, and a busy machine
PATIENCE = 60.0
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


@pytest.fixture(scope="module")
def province(template: Path) -> Iterator[tuple[Province, Gate]]:
    with ExitStack() as held:
        base = held.enter_context(workplace())
        disk = held.enter_context(loop(base, "300M"))  # before the hosts, which see it so
        net = held.enter_context(network())
        for name in ("web", "db", "files"):
            prepare(net.add(name))
        (base / "www").mkdir()
        (base / "papers").mkdir()  # backed up and proved meanwhile: no row touches it
        (base / "papers" / "one.txt").write_text("a page of papers\n")
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
        system = copy_of(template, base)
        system.start()
        held.callback(system.stop)
        made = Province(base, net, cases, prometheus, now(), disk, system)
        held.callback(made.stop_front)
        made.serve()
        made.remember(made.started)
        made.config = made_config(made, port, listen)
        made.write_config()
        made.daemon = held.enter_context(watching(base))
        for one in (CheckId("files", "road"), CheckId("db", "reach"), CheckId("web", "front")):
            eventually(partial(made.good, one), made.told)
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


def delay(province: Province, _: Gate) -> None:
    province.host("files").slow(timedelta(milliseconds=150))


def slow_disk(province: Province, _: Gate) -> None:
    province.try_disk(tried=True)
    eventually(lambda: province.good(SPEED), province.told)
    group = province.undo.enter_context(throttle(province.disk, 3 * MIB))
    province.host("db").join(group)


def speed_disk_up(province: Province, _: Gate) -> None:
    province.host("db").join(CONTROL / "cgroup.procs")
    province.undo.close()


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
    """What is done, which check must say so and how, and how it is taken back.

    `side` is who has to act, where it is a service that is out.
    """

    harm: Harm
    heal: Harm
    id: CheckId
    causes: tuple[str, ...]
    alert: str
    side: str = ""
    interval: timedelta = INTERVAL


SPEED = CheckId("db", "disk_speed", DISK)
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
    "a disk gets slow": Fault(
        slow_disk,
        speed_disk_up,
        SPEED,
        ("reads_slower", "writes_slower"),
        "OpsdDiskSlow",
        interval=timedelta(seconds=6),
    ),
    "a road gets long": Fault(
        delay,
        lambda p, _: p.host("files").hasten(),
        CheckId("files", "road"),
        ("reply_delay",),
        "OpsdLinkDown",
        Side.ROAD,
    ),
    "packets are lost": Fault(
        lose, keep, CheckId("files", "road"), ("reply_loss",), "OpsdLinkDown", Side.ROAD
    ),
    "the web front stops": Fault(
        lambda p, _: p.stop_front(),
        lambda p, _: p.serve(),
        CheckId("web", "front"),
        ("connect_refused",),
        "OpsdServiceDown",
        Side.THEIRS,
    ),
    "the web front shows another page": Fault(
        lambda p, _: p.serve(WRONG_PAGE),
        lambda p, _: p.serve(),
        CheckId("web", "front"),
        ("content_wrong",),
        "OpsdServiceDown",
        Side.THEIRS,
    ),
    "the database stops": Fault(
        lambda p, _: p.system.stop(),
        lambda p, _: p.system.start(),
        CheckId("", "database"),
        ("connect_refused",),
        "OpsdServiceDown",
        Side.THEIRS,
    ),
    "a certificate expires": Fault(
        lambda _, gate: gate.certify(-DAY),
        lambda _, gate: gate.certify(60 * DAY),
        CheckId("", "gate"),
        ("tls_expired",),
        "OpsdServiceDown",
        Side.THEIRS,
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
    harmed = now()
    try:
        eventually(lambda: bool(place.open()), lambda: f"nothing was seen\n{place.told()}")
        (seen,) = place.open()
        eventually(lambda: bool(place.paging()), lambda: f"no alert\n{place.told()}")
        assert place.paging() == [fault.alert]
        eventually(lambda: place.open()[0].side == fault.side, place.open)
    finally:
        fault.heal(place, gate)
    assert seen.id == fault.id
    assert seen.cause in fault.causes
    assert seen.opened_at - seen.began <= 2 * fault.interval + ANSWER
    # One may be just over, and what was under way on a road that is cut must be given up first.
    assert seen.opened_at - harmed <= 3 * fault.interval + 2 * ANSWER
    eventually(lambda: not place.open(), lambda: f"after: {place.open()}")
    eventually(
        lambda: bool(place.prometheus.told(fault.alert, "resolved")) and not place.paging(),
        lambda: f"not resolved: {place.prometheus.received}",
    )
    new = [case for case in place.cases.incidents(place.started) if case.code not in known]
    assert [case.code for case in new] == [seen.code], new
    place.try_disk(tried=False)
