"""A read that hangs in the kernel, where no signal reaches it, delays and breaks nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.check import Answer, Read
from opsd.clock import now
from opsd.config.hosts import Host
from opsd.drivers.process import Stop
from opsd.tasks.check.gather import Hands, gather
from tests.hosts import NamespaceHost, Network, do, network, wait_for

pytestmark = pytest.mark.xdist_group("hosts")

LIMIT = timedelta(seconds=1)


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        made.add("one")
        yield made


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Path]:
    """A file system that takes no writes for now: who tries cannot even be killed."""
    image, mount = tmp_path / "image", tmp_path / "mount"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(8 << 20)
    do("mkfs.ext4", "-q", str(image))
    do("mount", "-o", "loop", str(image), str(mount))
    do("fsfreeze", "-f", str(mount))
    try:
        yield mount
    finally:
        with suppress(RuntimeError):
            do("fsfreeze", "-u", str(mount))
        wait_for("the disk is free", lambda: _unmounted(mount))


def _unmounted(mount: Path) -> bool:
    try:
        do("umount", str(mount))
    except RuntimeError:
        return False
    return True


def hung(host: NamespaceHost | None, mark: str) -> list[str]:
    """Processes that wait in the kernel for the frozen disk."""
    listed = (
        do("ps", "axww", "-o", "stat,args") if host is None else host.run("ps axww -o stat,args")
    )
    return [line for line in listed.splitlines() if line.startswith("D") and mark in line]


@pytest.mark.parametrize("where", ["local", "ssh"])
def test_a_read_that_cannot_be_killed_is_late_alone(where: str, net: Network, frozen: Path) -> None:
    host = net.hosts[0] if where == "ssh" else None
    hands = Hands(now, Stop())
    options = Host.model_validate(net.written(host) if host else {})
    path = frozen if host is None else shared(host, frozen)
    reads = [
        Read("hung", f"touch {path}/opsd-mark; echo never", LIMIT),
        Read("well", "echo well", LIMIT),
    ]
    for _ in range(2):  # a second round is as good as the first
        began = time.monotonic()
        seen = gather(hands._hand("one", options), reads, "one", now)
        assert time.monotonic() - began < LIMIT.total_seconds() + 3
        assert seen.answers == {"hung": Answer("", None), "well": Answer("well\n")}
        assert hung(host, "opsd-mark")
    hands.close()
    do("fsfreeze", "-u", str(frozen))
    wait_for("they end when they can", lambda: not hung(host, "opsd-mark"))
    if host is not None:
        host.run(f"umount {path}")


def shared(host: NamespaceHost, disk: Path) -> Path:
    """Where a host has the same disk: its mounts were copied before this one was made."""
    device = do("findmnt", "-n", "-o", "SOURCE", str(disk)).strip()
    place = Path("/run/frozen")
    host.run(f"mkdir -p {place} && mount {device} {place}")
    return place
