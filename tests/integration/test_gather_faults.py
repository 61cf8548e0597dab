"""Rounds to real hosts in trouble: each ends in time, says what it is, and leaves nothing there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.watched import Gauge, watching
from opsd.check import Read
from opsd.clock import now
from opsd.config.hosts import Host
from opsd.drivers.process import Stop
from opsd.errors import Cancelled, HostFailed, OpsdError
from opsd.model import CheckId, Status
from opsd.tasks.check.gather import Hands
from opsd.tasks.check.ledger import Ledger
from opsd.tasks.check.patrol import REACH
from tests.host_files import CLOSED, WATCHER
from tests.hosts import NamespaceHost, Network, network, wait_for

pytestmark = pytest.mark.xdist_group("hosts")

LIMIT = timedelta(seconds=2)
IN_TIME = 25.0  # patience for the way, the read's own limit, and the grace of both sides
SLOW = (Read("slow", "sleep 1.9; echo slow", LIMIT), Read("quick", "echo quick", LIMIT))
LONG = (Read("slow", "sleep 7; echo slow", timedelta(seconds=8)), SLOW[1])


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        for name in ("one", "two", "three"):
            made.add(name)
        yield made


@pytest.fixture(autouse=True)
def healed(net: Network) -> Iterator[None]:
    yield
    for host in net.hosts:
        host.heal()


@pytest.fixture
def hands() -> Iterator[Hands]:
    made = Hands(now, Stop())
    yield made
    made.close()


def options(net: Network, host: NamespaceHost, **changes: object) -> Host:
    return Host.model_validate({**net.written(host), **changes})


FAULTS: dict[str, Callable[[NamespaceHost], None]] = {
    "host killed": NamespaceHost.kill,
    "cable pulled": NamespaceHost.cut,
    "packets dropped": NamespaceHost.drop_silently,
    "sshd frozen": NamespaceHost.stop_sshd,
    "key changed": NamespaceHost.change_key,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("when", ["before", "in the middle"])
def test_a_round_in_trouble_ends_in_time(fault: str, when: str, net: Network, hands: Hands) -> None:
    host = net.hosts[0]
    ask = hands.ask("one", options(net, host))
    assert ask([SLOW[1]]).answers["quick"].good
    breaker = threading.Timer(0 if when == "before" else 0.5, FAULTS[fault], (host,))
    breaker.start()
    if when == "before":
        breaker.join()
    began = time.monotonic()
    with pytest.raises(OpsdError) as found:
        ask(SLOW if when == "before" else LONG)
    assert time.monotonic() - began < IN_TIME
    wanted = {"lost", "timeout", "connect"}
    assert found.value.reason in ({"host_key", "lost"} if fault == "key changed" else wanted)
    breaker.join()
    host.heal()
    assert ask([SLOW[1]]).answers["quick"].text == "quick\n"
    wait_for("nothing is left there", lambda: not any("sleep" in p.argv for p in host.processes()))


def test_a_fifth_of_the_packets_lost_is_no_fault_of_the_answers(net: Network, hands: Hands) -> None:
    host = net.hosts[0]
    ask = hands.ask("one", options(net, host, connect_timeout="10s"))
    host.lose(20)
    long = Read("long", "seq 20000", timedelta(seconds=10))
    for _ in range(3):
        assert ask([long]).answers["long"].text.endswith("\n20000\n")


def test_an_account_without_rights_answers_what_it_may(net: Network, hands: Hands) -> None:
    ask = hands.ask("one", options(net, net.hosts[0], user=WATCHER))
    seen = ask([Read("shadow", "cat /etc/shadow"), Read("load", "cat /proc/loadavg")])
    assert not seen.answers["shadow"].good
    assert seen.answers["load"].good


def test_an_account_without_a_shell_is_told_of(net: Network, hands: Hands) -> None:
    ask = hands.ask("one", options(net, net.hosts[0], user=CLOSED))
    with pytest.raises(HostFailed) as found:
        ask([SLOW[1]])
    assert found.value.key == "host.no_answer"
    assert "not available" in found.value.detail


def test_a_host_that_can_write_nothing_can_be_asked(net: Network, hands: Hands) -> None:
    host = net.hosts[0]
    places = ("/", "/run", "/root", "/dev/shm")
    for place in places:
        host.run(f"mountpoint -q {place} && mount -o remount,bind,ro {place}")
    try:
        tried = Read("tried", "touch /x /run/x /root/x /dev/shm/x /var/x")
        seen = hands.ask("one", options(net, host))([tried, Read("load", "cat /proc/loadavg")])
    finally:
        for place in places:
            host.run(f"mount -o remount,bind,rw {place}")
    assert not seen.answers["tried"].good
    assert seen.answers["load"].good


def test_a_clock_that_is_wrong_there_is_seen(net: Network, hands: Hands) -> None:
    ask = hands.ask("one", options(net, net.hosts[0]))
    told = [clock for clock in (ask([]).clock for _ in range(4)) if clock is not None]
    assert all(abs(clock.ahead) <= clock.within for clock in told)
    assert min(clock.within for clock in told) < timedelta(seconds=0.5)


# --- hands that are kept


def test_a_connection_is_kept_while_its_options_are(net: Network, hands: Hands) -> None:
    port = Read("port", "echo $SSH_CONNECTION")

    def asked(**changes: object) -> str:
        return hands.ask("one", options(net, net.hosts[0], **changes))([port]).answers["port"].text

    first = asked()
    assert asked() == first
    assert asked(connect_timeout="4s") != first
    hands.keep(["two"])
    wait_for("its connection is gone", lambda: not net.hosts[0].processes())
    assert asked()


def test_a_key_that_systemd_did_not_give_is_told_of_when_asked(net: Network, hands: Hands) -> None:
    ask = hands.ask("one", options(net, net.hosts[0], key_file=None, key_credential="absent"))
    with pytest.raises(OpsdError) as found:
        ask([])
    assert found.value.reason == "config"


def test_letting_go_ends_every_wait(net: Network, hands: Hands) -> None:
    ask = hands.ask("one", options(net, net.hosts[0]))
    ask([])
    threading.Timer(0.3, hands.close).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        ask([Read("hung", "sleep 12", timedelta(seconds=12))])
    assert time.monotonic() - began < 8


# --- many rounds


def status(ledger: Ledger, host: str) -> tuple[Status, str]:
    wanted = CheckId(host, REACH)
    found = next((one for one in ledger.states() if one.id == wanted), None)
    return (found.status, found.result.cause) if found else (Status.UNKNOWN, "")


def test_hosts_in_trouble_delay_no_other(net: Network, tmp_path: Path) -> None:
    well, dead, frozen = net.hosts
    hosts = {host.name: options(net, host) for host in net.hosts}
    gauge = Gauge()
    with watching(hosts, timedelta(seconds=1), tmp_path, gauge) as (ledger, rounds):
        wait_for("all are well", lambda: all(status(ledger, n)[0] is Status.OK for n in hosts))
        dead.kill()
        frozen.stop_sshd()
        wait_for("both are seen", lambda: _both_critical(ledger, dead, frozen))
        before = {name: len(gauge.begun[name]) for name in hosts}

        def rounds_of(host: NamespaceHost) -> int:
            return len(gauge.begun[host.name]) - before[host.name]

        # However busy this machine is: who is well is asked often while the others are waited for.
        wait_for("the well one is asked on", lambda: rounds_of(well) >= 8, 60)
        assert max(rounds_of(dead), rounds_of(frozen)) <= rounds_of(well) // 2
        assert rounds.missed[dead.name] > rounds.missed[well.name]
        wait_for("it is well", lambda: status(ledger, well.name) == (Status.OK, ""))
        began = time.monotonic()
    assert time.monotonic() - began < 15, "the end waits for no more than a connection attempt"


def _both_critical(ledger: Ledger, *hosts: NamespaceHost) -> bool:
    found = [status(ledger, host.name) for host in hosts]
    causes = {"lost", "timeout", "connect"}
    return all(now is Status.CRITICAL and cause in causes for now, cause in found)
