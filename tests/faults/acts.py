"""Playbooks of hosts, each with the real fault that it is struck in, made as often as needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from opsd.model import CheckId
from tests import harms
from tests.faults.killing import Point, points, proposed, struck, theatre
from tests.harms import Harm, ask, end, up
from tests.hosts import program
from tests.incidents import eventually
from tests.town import Town

JOURNALCTL = "/usr/bin/journalctl"


@dataclass(frozen=True, slots=True)
class Act:
    """A playbook, its fault, and what takes the fault and all that was done about it back."""

    playbook: str
    about: CheckId
    cause: str
    harm: Harm
    heal: Harm


def played(
    town: Town, act: Act, some: Callable[[Point], bool] = lambda _: True
) -> tuple[list[str], int]:
    """Strike an act at every point, or at some; gives what was wrong, and how many there were."""
    place = theatre(town.base / "opsd.yaml", town.desk.means, town.host)
    about = CheckId(act.about.host, act.about.check, act.about.subject.format(base=town.base))
    wrong: list[str] = []
    left: list[Point] | None = None
    count = 0
    while left is None or left:
        act.harm(town)
        try:
            response = proposed(place, act.playbook, about, act.cause)
            if left is None:
                left = [one for one in points(response.plan) if some(one)]
            wrong += struck(place, response, left.pop(0))
            count += 1
        finally:
            act.heal(town)
    return wrong, count


def quietly(script: str) -> str:
    return f"{script} 2>/dev/null || :"


# --- faults that are made again and again


def fill_var(town: Town) -> None:
    """Room for both of its steps, and still full after the first."""
    stand_in = town.base / "journalctl"
    stand_in.write_text("#!/bin/sh\nrm -f /var/log/journal/x/*\n")
    stand_in.chmod(0o755)
    town.on(
        "one",
        f"mount --bind {stand_in} {JOURNALCTL}; mount -t tmpfs -o size=1000m tmpfs /var;"
        " mkdir -p /var/log/journal/x /var/cache/apt/archives/partial;"
        " touch /var/cache/apt/archives/lock; fallocate -l 185m /var/log/journal/x/a.journal;"
        " fallocate -l 60m /var/cache/apt/archives/x_1_all.deb; fallocate -l 750m /var/scans",
    )


def empty_var(town: Town) -> None:
    town.on("one", quietly(f"umount /var; umount {JOURNALCTL}"))


def load(town: Town) -> None:
    if not (town.base / "rsync").exists():  # the one before may not have ended yet
        shutil.copy2(os.path.realpath(program("shred")), town.base / "rsync")
        (town.base / "much").write_bytes(bytes(8 << 20))
    town.begin("two", f"{town.base}/rsync", "-n", "100000", f"{town.base}/much")


def unload(town: Town) -> None:
    end(town, "two", f"{town.base}/rsync")


def leave(town: Town) -> None:
    """It stays as it is: the next harm begins from there."""
    del town


def pause_again(town: Town) -> None:
    if not up(town.standby):
        harms.pause(town)
        return
    ask("SELECT pg_wal_replay_pause()", town.standby)


def right_clock(town: Town) -> None:
    date = os.path.realpath(program("date"))
    town.on("two", f"while mount | grep -q 'on {date} '; do umount {date}; done")


def expire_again(town: Town) -> None:
    town.on("one", quietly("pkill openssl"))
    harms.expire(town)


def stop_power(town: Town) -> None:
    (town.base / "on").unlink(missing_ok=True)
    (town.base / "power").unlink(missing_ok=True)
    harms.kill(town)


def power_up(town: Town) -> None:
    (town.base / "power").touch()
    eventually((town.base / "on").exists, "three is back", 90)


def free(town: Town) -> None:
    town.on("two", quietly("nft delete table inet opsd_isolation"))


def cut_main(town: Town) -> None:
    town.on("one", quietly("ip route del 198.18.77.1"))
    harms.cut_main(town)


ACTS = (
    Act("disk_full", CheckId("one", "filesystems", "/var"), "filesystem_full", fill_var, empty_var),
    Act("disk_slow", CheckId("two", "disk_latency", ""), "io_pressure", load, unload),
    Act("web_down", CheckId("", "front"), "connect_refused", harms.stop_front, leave),
    Act("database_down", CheckId("", "db"), "connect_refused", harms.crash, leave),
    Act("replication_stuck", CheckId("", "replica"), "replication_late", pause_again, leave),
    Act("clock_skew", CheckId("two", "clock"), "clock_off", harms.skew, right_clock),
    Act(
        "certificate_expiring",
        CheckId("one", "certificates", "{base}/front.pem"),
        "certificate_expires",
        expire_again,
        leave,
    ),
    Act("link_down", CheckId("", "wan"), "reply_none", cut_main, harms.carry),
    Act("isolate_host", CheckId("two", ""), "", leave, free),
    Act("host_unreachable", CheckId("three", "reach"), "timeout", stop_power, power_up),
)
