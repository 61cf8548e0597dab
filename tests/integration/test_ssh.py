"""The door to hosts: what can go wrong on the way is named as what it is, in time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.drivers.ssh import Address, Remote, Tally
from opsd.errors import Cancelled, HostFailed, HostUnreachable, TimedOut
from tests.host_files import CLOSED, ROOT, WATCHER
from tests.hosts import NamespaceHost, Network, do, network, wait_for

pytestmark = pytest.mark.xdist_group("hosts")

PATIENCE = timedelta(seconds=2)
DEADLINE = timedelta(seconds=3)
GRACE = 15.0  # the remote side kills after one second; what hangs takes a thousand


@dataclass
class Way:
    """A host, and how it is reached."""

    host: NamespaceHost
    address: Address
    tally: Tally = field(default_factory=Tally)

    def remote(self, **changes: object) -> Remote:
        return Remote(replace(self.address, **changes), self.tally)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        made.add("one")
        yield made


@pytest.fixture
def way(net: Network) -> Iterator[Way]:
    host = net.hosts[0]
    to = Address("one", host.address, 22, ROOT, net.key, net.known_hosts, PATIENCE)
    yield Way(host, to)
    host.heal()


def test_what_was_said_comes_back(way: Way) -> None:
    remote = way.remote()
    answered = remote.run("hostname; echo worse >&2; exit 3", DEADLINE)
    assert (answered.stdout, answered.stderr, answered.exit_code) == (b"one\n", b"worse\n", 3)
    assert answered.whole
    remote.close()


def test_one_connection_serves_many(way: Way) -> None:
    remote = way.remote()
    ways = {remote.run("echo $SSH_CONNECTION", DEADLINE).stdout for _ in range(3)}
    assert len(ways) == 1
    assert ways != {b"\n"}
    assert (way.tally.tried, way.tally.failed) == (1, {})
    remote.close()


def test_a_little_account_can_be_asked(way: Way) -> None:
    remote = way.remote(user=WATCHER)
    assert remote.run("id -un; cat /etc/shadow", DEADLINE).stdout == b"watcher\n"
    remote.close()


def other_key(way: Way) -> dict[str, object]:
    path = way.address.key.with_name("stranger")
    path.unlink(missing_ok=True)
    do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
    return {"key": path}


def locked_key(way: Way) -> dict[str, object]:
    path = way.address.key.with_name("locked")
    path.unlink(missing_ok=True)
    do("ssh-keygen", "-q", "-t", "ed25519", "-N", "only for tests", "-f", str(path))
    return {"key": path}


def unknown(way: Way) -> dict[str, object]:
    path = way.address.key.with_name("empty")
    path.write_text("")
    return {"known_hosts": path}


def done(fault: Callable[[NamespaceHost], None]) -> Callable[[Way], dict[str, object]]:
    def damage(way: Way) -> dict[str, object]:
        fault(way.host)
        return {}

    return damage


# What is wrong, the reason that is told, and the sentence.
TROUBLES: dict[str, tuple[Callable[[Way], dict[str, object]], str, str]] = {
    "no such name": (lambda _: {"address": "no-such-host.invalid"}, "dns", "host.dns"),
    "nobody listens": (lambda _: {"port": 23}, "connect", "host.connect"),
    "connections reset": (done(NamespaceHost.refuse), "connect", "host.connect"),
    "packets dropped": (done(NamespaceHost.drop_silently), "timeout", "host.silent"),
    "cable pulled": (done(NamespaceHost.cut), "timeout", "host.silent"),
    "host dead": (done(NamespaceHost.kill), "timeout", "host.silent"),
    "sshd frozen": (done(NamespaceHost.stop_sshd), "timeout", "host.silent"),
    "host not known": (unknown, "host_key", "host.key_unknown"),
    "known_hosts missing": (
        lambda _: {"known_hosts": Path("/nowhere/known_hosts")},
        "host_key",
        "host.known_hosts",
    ),
    "host key changed": (done(NamespaceHost.change_key), "host_key", "host.key_changed"),
    "another private key": (other_key, "auth", "host.auth"),
    "no such account": (lambda _: {"user": "nobody-here"}, "auth", "host.auth"),
    "private key missing": (lambda _: {"key": Path("/nowhere/id")}, "auth", "host.key_unusable"),
    "private key locked": (locked_key, "auth", "host.key_unusable"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_on_the_way_is_named(trouble: str, way: Way) -> None:
    damage, reason, key = TROUBLES[trouble]
    remote = way.remote(**damage(way))
    began = time.monotonic()
    with pytest.raises(HostUnreachable) as found:
        remote.run("true", DEADLINE)
    assert (found.value.reason, found.value.key) == (reason, key), str(found.value)
    assert time.monotonic() - began < PATIENCE.total_seconds() + GRACE
    assert (way.tally.tried, way.tally.failed) == (1, {reason: 1})
    remote.close()


BREAKS: dict[str, Callable[[NamespaceHost], None]] = {
    "cable pulled": NamespaceHost.cut,
    "packets dropped": NamespaceHost.drop_silently,
    "host killed": NamespaceHost.kill,
    "sshd frozen": NamespaceHost.stop_sshd,
}


@pytest.mark.parametrize("fault", BREAKS)
def test_a_break_in_the_middle_is_lost_in_time_and_leaves_nothing(fault: str, way: Way) -> None:
    remote = way.remote()
    remote.run("true", DEADLINE)
    breaker = threading.Timer(0.5, BREAKS[fault], (way.host,))
    breaker.start()
    began = time.monotonic()
    with pytest.raises(HostUnreachable) as found:
        remote.run("sleep 1000", DEADLINE)
    assert found.value.reason == "lost"
    assert time.monotonic() - began < DEADLINE.total_seconds() + GRACE
    breaker.join()
    wait_for("the work there ends", lambda: not _sleeping(way.host))
    way.host.heal()
    assert remote.run("hostname", DEADLINE).stdout == b"one\n"
    remote.close()


@pytest.mark.parametrize("fault", BREAKS)
def test_an_idle_connection_that_died_is_made_anew(fault: str, way: Way) -> None:
    remote = way.remote()
    remote.run("true", DEADLINE)
    BREAKS[fault](way.host)
    began = time.monotonic()
    with pytest.raises(HostUnreachable):
        remote.run("true", DEADLINE)
    assert time.monotonic() - began < DEADLINE.total_seconds() + GRACE
    way.host.heal()
    assert remote.run("hostname", DEADLINE).stdout == b"one\n"
    remote.close()


def _sleeping(host: NamespaceHost) -> list[str]:
    with suppress(AssertionError):  # a host that is off runs nothing
        return [one.argv for one in host.processes() if "sleep 1000" in one.argv]
    return []


def test_what_takes_too_long_is_ended_there(way: Way) -> None:
    remote = way.remote()
    began = time.monotonic()
    with pytest.raises(TimedOut):
        remote.run("trap '' TERM; sleep 1000; sleep 1000", timedelta(seconds=1))
    assert time.monotonic() - began < 1 + GRACE
    wait_for("nothing is left", lambda: not _sleeping(way.host))
    assert remote.run("echo still here", DEADLINE).stdout == b"still here\n"
    remote.close()


def test_endless_output_is_cut_off_and_ended_there(way: Way) -> None:
    remote = way.remote()
    answered = remote.run("yes endless", DEADLINE, kept=100_000)
    assert len(answered.stdout) == 100_000
    assert not answered.whole
    wait_for("it ends there", lambda: not any("yes" in one.argv for one in way.host.processes()))
    remote.close()


def test_bytes_that_are_no_text_come_as_they_are(way: Way) -> None:
    remote = way.remote()
    assert remote.run(r"printf '\000\377\n\001'", DEADLINE).stdout == b"\0\xff\n\1"
    remote.close()


def test_a_host_without_timeout_is_told_of(way: Way) -> None:
    way.host.lack("timeout")
    remote = way.remote()
    with pytest.raises(HostFailed) as found:
        remote.run("true", DEADLINE)
    assert found.value.key == "host.no_timeout"
    remote.close()


def test_an_account_without_a_shell_answers_what_its_program_says(way: Way) -> None:
    remote = way.remote(user=CLOSED)
    answered = remote.run("echo never", DEADLINE)
    assert answered.exit_code != 0
    assert b"never" not in answered.stdout
    remote.close()


def test_loss_of_a_fifth_of_the_packets_is_lived_through(way: Way) -> None:
    way.host.lose(20)
    remote = way.remote(patience=timedelta(seconds=10))
    for _ in range(5):
        assert remote.run("hostname", timedelta(seconds=10)).stdout == b"one\n"
    remote.close()


def test_a_long_road_takes_its_time(way: Way) -> None:
    way.host.slow(timedelta(milliseconds=50))
    remote = way.remote()
    remote.run("true", DEADLINE)
    began = time.monotonic()
    assert remote.run("hostname", DEADLINE).stdout == b"one\n"
    assert time.monotonic() - began > 0.1
    remote.close()


def test_closing_ends_the_wait_and_says_that_it_was_wanted(way: Way) -> None:
    remote = way.remote()
    remote.run("true", DEADLINE)
    threading.Timer(0.5, remote.close).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        remote.run("sleep 1000", timedelta(seconds=12))
    assert time.monotonic() - began < 10
    with pytest.raises(Cancelled):
        remote.run("true", DEADLINE)
    wait_for("the work there ends at its deadline", lambda: not _sleeping(way.host))


def test_nothing_of_fabric_is_loaded_before_a_host_is_asked() -> None:
    program = (
        "import sys, opsd.cli.main, opsd.drivers.ssh as s\n"
        "print(any(name.startswith(('fabric.', 'paramiko.')) for name in sys.modules))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert said == "False\n"
