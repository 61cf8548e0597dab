"""Probes of a real machine behind a real link: what is done to it is told as that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.config.probes import Probe
from opsd.model import Status
from tests.hosts import NamespaceHost, Network, network, wait_for
from tests.probing import made, probed

pytestmark = pytest.mark.xdist_group("hosts")

OK, WARNING, CRITICAL = Status.OK, Status.WARNING, Status.CRITICAL
Told = dict[str, tuple[Status, str]]
GOOD: Told = {"link": (OK, ""), "door": (OK, ""), "page": (OK, "")}


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as bridge:
        bridge.add("portal")
        yield bridge


@pytest.fixture
def host(net: Network) -> Iterator[NamespaceHost]:
    found = net.hosts[0]
    found.run("mkdir -p /run/web && echo welcome > /run/web/index.html")
    found.run("busybox httpd -p 80 -h /run/web")
    yield found
    found.heal()
    found.run("pkill -x busybox || true")


def probes(host: NamespaceHost, known_hosts: Path) -> dict[str, Probe]:
    where = host.address
    return {
        "link": made(
            "ping",
            address=where,
            count=60,
            gap="10ms",
            timeout="4s",
            delay_warning="100ms",
        ),
        "door": made("ssh", address=where, port=22, known_hosts=str(known_hosts), timeout="3s"),
        "page": made("http", url=f"http://{where}/", text="welcome", timeout="3s"),
    }


def told(host: NamespaceHost, net: Network) -> Told:
    found = {}
    for name, probe in probes(host, net.known_hosts).items():
        _, (result,) = probed(probe)
        found[name] = (result.status, result.cause)
    return found


@dataclass(frozen=True)
class Fault:
    """What is done to the host, and what each probe says that is not good then."""

    damage: Callable[[NamespaceHost], object]
    bad: Told = field(default_factory=dict)


FAULTS = {
    "nothing": Fault(lambda host: None),
    "it takes in nothing": Fault(
        NamespaceHost.drop_silently,
        {
            "link": (CRITICAL, "reply_none"),
            "door": (CRITICAL, "connect_timeout"),
            "page": (CRITICAL, "connect_timeout"),
        },
    ),
    "sshd refuses": Fault(NamespaceHost.refuse, {"door": (CRITICAL, "connect_refused")}),
    "sshd hangs": Fault(NamespaceHost.stop_sshd, {"door": (CRITICAL, "banner_timeout")}),
    "another host key": Fault(NamespaceHost.change_key, {"door": (CRITICAL, "key_changed")}),
    "the web server is gone": Fault(
        lambda host: host.run("pkill -x busybox"), {"page": (CRITICAL, "connect_refused")}
    ),
    "the web server hangs": Fault(
        lambda host: host.run("pkill -STOP -x busybox"), {"page": (CRITICAL, "send_timeout")}
    ),
    "200 with the wrong page": Fault(
        lambda host: host.run("echo closed > /run/web/index.html"),
        {"page": (CRITICAL, "content_wrong")},
    ),
    "no page": Fault(
        lambda host: host.run("rm /run/web/index.html"), {"page": (CRITICAL, "status_wrong")}
    ),
    "a slow road": Fault(
        lambda host: host.slow(timedelta(milliseconds=70)), {"link": (WARNING, "laggy")}
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_is_done_to_a_host_is_told_as_that_and_nothing_else(
    fault: Fault, host: NamespaceHost, net: Network
) -> None:
    fault.damage(host)
    assert told(host, net) == {**GOOD, **fault.bad}
    host.run("pkill -CONT -x busybox || true")


def test_a_cable_that_is_pulled_is_seen_and_so_is_its_end(
    host: NamespaceHost, net: Network
) -> None:
    host.cut()
    found = told(host, net)
    assert found["link"] == (CRITICAL, "reply_none")
    for name in ("door", "page"):
        assert found[name] in {(CRITICAL, "connect_timeout"), (CRITICAL, "connect_unreachable")}
    host.heal()
    wait_for("the page is back", lambda: told(host, net) == GOOD)


def test_loss_and_delay_are_measured_as_they_are(host: NamespaceHost, net: Network) -> None:
    """30 % of 100 packets is 30 give or take 18 (four standard deviations)."""
    link = made("ping", address=host.address, count=100, gap="10ms", timeout="5s")
    host.lose(30)
    trace, (result,) = probed(link)
    assert (result.status, result.cause) == (WARNING, "lossy")
    assert trace.facts.roads[""].lost == pytest.approx(0.3, abs=0.18)
    host.take_in()
    host.slow(timedelta(milliseconds=40))
    trace, _ = probed(link)
    median = trace.facts.roads[""].median
    assert median is not None
    assert 0.078 < median < 0.110, "there and back, 40 ms each way"
    trace, _ = probed(probes(host, net.known_hosts)["page"])
    connect = next(phase for phase in trace.phases if phase.name == "connect")
    assert 0.078 < connect.seconds < 2
