"""The real daemon watches real hosts: one dies, others come and go, and it ends when it shall."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.hosts import NamespaceHost, Network, network
from tests.integration.test_daemon import Daemon, Place, eventually
from tests.site import workplace

pytestmark = pytest.mark.xdist_group("hosts")


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        for name in ("one", "two", "three"):
            made.add(name)
        yield made


@pytest.fixture
def place() -> Iterator[Place]:
    with workplace() as base:
        (base / "tree").mkdir()
        (base / "password").write_text("only for tests\n")
        (base / "password").chmod(0o600)
        yield Place(base)


def watch(place: Place, net: Network, *hosts: NamespaceHost) -> None:
    """A configuration with these hosts, each asked every second."""
    place.configure(one="01:00")
    written = {"local": {}, **{host.name: net.written(host) for host in hosts}}
    checks = {"load": {"interval": "1s"}}
    with Path(place.config).open("a", encoding="utf-8") as file:
        file.write(f"hosts: {json.dumps(written)}\nchecks: {json.dumps(checks)}\n")


def up(daemon: Daemon, host: str) -> float | None:
    return daemon.metric("opsd_host_up", f'{{host="{host}"}}')


def test_hosts_are_watched_adopted_and_let_go(place: Place, net: Network) -> None:
    one, two, three = net.hosts
    watch(place, net, one, two)
    with place.ready() as daemon:
        for name in ("local", "one", "two"):
            eventually(partial(up, daemon, name), f"{name} is up")
        one.kill()
        eventually(lambda: up(daemon, "one") == 0, "one is seen to be down")
        assert up(daemon, "two") == 1
        watch(place, net, one, three)
        assert two.processes(), "its connection was kept"
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: up(daemon, "three") == 1, "three is adopted")
        eventually(lambda: not two.processes(), "the connection to two is gone")
        assert up(daemon, "two") is None
        one.heal()
        eventually(lambda: up(daemon, "one") == 1, "one is back")
        three.stop_sshd()
        time.sleep(1.5)  # a round hangs now
        began = time.monotonic()
        assert daemon.end() == 0
        assert time.monotonic() - began < 8
        assert not daemon.logged("opsd itself failed")


def test_a_disk_that_fills_up_is_mended_and_all_of_it_is_told(place: Place, net: Network) -> None:
    one, full = net.hosts[0], "/var/cache/apt/archives"
    one.run(f"mount -t tmpfs -o size=80m tmpfs {full}; mkdir {full}/partial; touch {full}/lock")
    place.configure(one="01:00")
    checks = {"filesystems": {"interval": "1s"}, "load": {"enabled": False}}
    with Path(place.config).open("a", encoding="utf-8") as file:
        file.write(f"hosts: {json.dumps({'one': net.written(one)})}\n")
        file.write(f"checks: {json.dumps(checks)}\nautomation: {{enabled: true}}\n")
    with place.ready() as daemon:
        eventually(partial(up, daemon, "one"), "one is up")
        assert daemon.metric("opsd_automation_enabled") == 1
        one.run(f"head -c 83000000 /dev/zero >{full}/some_1_all.deb")
        began = time.monotonic()
        label = '{playbook="disk_full"}'
        eventually(
            lambda: daemon.metric("opsd_playbook_verified_fixes_total", label) == 1, "it is mended"
        )
        print(f"from fault to mended: {time.monotonic() - began:.1f} s")
        reaction = daemon.metric("opsd_playbook_last_reaction_seconds", label)
        assert reaction is not None
        assert reaction < 10, "two seconds, where nobody else loads the machine"
        assert daemon.end() == 0
    assert "some_1_all.deb" not in one.run(f"ls {full}")
    one.run(f"umount {full}")
