"""What every hand promises that does one command: this machine's, and one over SSH."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from opsd.clock import now
from opsd.config.schema import Config
from opsd.drivers.ssh.order import order
from opsd.errors import HostUnreachable, LinkLost, TimedOut, UsageError
from opsd.policy import sudo
from opsd.tasks.respond.hands import Hand, Order, Reach
from tests.hosts import NamespaceHost, Network, do, network, wait_for
from tests.responding import configured

pytestmark = pytest.mark.xdist_group("hosts")

DEADLINE = timedelta(seconds=10)
SHORT = timedelta(seconds=1)
GRACE = 4.0

# What somebody may have written into the labels of an alert.
HOSTILE: dict[str, str] = {
    "a command": "$(touch /tmp/opsd-owned)",
    "an old command": "`touch /tmp/opsd-owned`",
    "another command": "; touch /tmp/opsd-owned #",
    "quotes": "'\"'\"'$(touch /tmp/opsd-owned)'",
    "lines": "one\ntouch /tmp/opsd-owned\n}\n{ touch /tmp/opsd-owned; }",
    "an option": "--help",
    "nothing": "",
    "the end of an order": " </dev/null 2>&1; }\ntouch /tmp/opsd-owned\n",
    "letters of Vietnam": "hồ sơ 'một cửa'",
    "no text at all": "\udcff\udcfe",
    "escapes": "\\n\\0\\c\x1b[31m%s%n",
    "a variable": "$PATH ${HOME} ~ *",
    "a hundred KiB": "$('\"\n" * (100 * 1024 // 5),
}
OWNED = Path("/tmp/opsd-owned")


@dataclass
class Place:
    """A hand, and what runs where it reaches."""

    hand: Hand
    running: Callable[[], str]


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        made.add("one")
        yield made


@pytest.fixture(scope="module")
def config(net: Network, tmp_path_factory: pytest.TempPathFactory) -> Config:
    state = tmp_path_factory.mktemp("orders")
    hosts = {"local": {}, "one": net.written(net.hosts[0])}
    return configured(state, hosts)


@pytest.fixture
def reach(config: Config) -> Iterator[Reach]:
    made = Reach(config, now)
    yield made
    made.close()


@pytest.fixture(params=["local", "one"])
def place(request: pytest.FixtureRequest, net: Network, reach: Reach) -> Place:
    host = net.hosts[0]
    here, there = lambda: do("ps", "ax", "-o", "args"), lambda: str(host.processes())
    return Place(reach.hand(request.param), here if request.param == "local" else there)


def sh(script: str, *words: str, timeout: timedelta = DEADLINE, **how: bool) -> Order:
    return Order(("sh", "-c", script, "sh", *words), timeout, **how)


def test_exit_code_and_both_streams_come_back(place: Place) -> None:
    did = place.hand.do(sh("echo one; echo two >&2; exit 7"))
    assert (did.exit_code, sorted(did.output.split())) == (7, ["one", "two"])
    assert place.hand.do(sh("echo one; echo two >&2", quiet=True)).output == "one\n"


def test_a_program_that_is_not_there_is_no_success(place: Place) -> None:
    try:
        code = place.hand.do(Order(("no-such-program-anywhere",), DEADLINE)).exit_code
    except Exception as error:  # noqa: BLE001  (whichever: it was not begun)
        assert "no-such-program-anywhere" in str(error)  # noqa: PT017
    else:
        assert code == 127


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_word_is_one_argument_and_nothing_else(name: str, place: Place) -> None:
    word = HOSTILE[name]
    did = place.hand.do(sh('printf "%s:" $#; printf %s "$2" | cksum', "first", word, "last"))
    said = word.encode(errors="surrogateescape")
    assert did.output.startswith("3:")
    wanted = do_bytes("cksum", said)
    assert did.output == f"3:{wanted}"
    assert not OWNED.exists()


def do_bytes(program: str, given: bytes) -> str:
    """What a program says to these bytes."""
    return subprocess.run([program], input=given, capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize(
    "script",
    [
        "sleep 987",
        "sleep 987 & sleep 987 & wait",
        "set -m; sleep 987 & sleep 987 & wait",  # each in a group of its own
        "(sleep 987) | cat",
    ],
)
def test_what_is_late_is_ended_there_with_all_that_it_began(script: str, place: Place) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut):
        place.hand.do(sh(script, timeout=SHORT))
    assert time.monotonic() - began < SHORT.total_seconds() + GRACE + 10  # the local grace
    wait_for("nothing is left", lambda: "sleep 987" not in place.running())


def test_what_goes_into_the_background_has_a_moment_to_do_so(place: Place) -> None:
    """As a server does: the command is over before the server has a session of its own."""
    script = "(sleep 0.3; exec setsid sh -c 'exec sleep 986 >/dev/null 2>&1 </dev/null') &"
    assert place.hand.do(sh(script)).exit_code == 0
    try:
        assert "sleep 986" in place.running()
        time.sleep(0.1)  # nothing is seen of an end that does not come
        assert "sleep 986" in place.running()
    finally:
        place.hand.do(sh("pkill -f 'sleep 98[6]'"))


def test_there_it_is_ended_also_where_it_does_not_want_to(net: Network, reach: Reach) -> None:
    with pytest.raises(TimedOut):
        reach.hand("one").do(sh("trap '' TERM HUP; sleep 987; sleep 987", timeout=SHORT))
    wait_for("nothing is left", lambda: "sleep 987" not in str(net.hosts[0].processes()))


def test_what_a_command_leaves_behind_is_ended_with_it(place: Place) -> None:
    assert place.hand.do(sh("sleep 987 & echo done")).output == "done\n"
    wait_for("nothing is left", lambda: "sleep 987" not in place.running())


def test_of_much_output_both_ends_are_kept_and_the_command_goes_on(place: Place) -> None:
    did = place.hand.do(sh("echo begin; yes x | head -c 3000000; echo end"))
    assert did.exit_code == 0
    assert did.output.startswith("begin\nx")
    assert did.output.endswith("end\n")
    assert len(did.output) < (1 << 16) + 100


def test_no_command_sees_our_environment_or_input(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTIC_PASSWORD", "secret")
    assert place.hand.do(sh('cat; echo "[$RESTIC_PASSWORD]"')).output == "[]\n"


def test_a_host_outside_the_inventory_has_no_hand(reach: Reach) -> None:
    with pytest.raises(UsageError, match="there is no host"):
        reach.hand("elsewhere")


# --- the way there


def test_a_link_that_dies_in_mid_command_ends_it_on_both_sides(net: Network, reach: Reach) -> None:
    host, hand = net.hosts[0], reach.hand("one")
    found: list[BaseException] = []

    def work() -> None:
        try:
            hand.do(sh("sleep 987", timeout=timedelta(seconds=4)))
        except LinkLost as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_for("it runs", lambda: "sleep 987" in str(host.processes()))
        began = time.monotonic()
        host.drop_silently()
        thread.join(20)
        assert found, "the link was lost, and nobody said so"
        assert time.monotonic() - began < 4 + GRACE
        wait_for("nothing is left", lambda: "sleep 987" not in str(host.processes()))
        assert time.monotonic() - began < 4 + GRACE + 2
    finally:
        host.heal()
    assert hand.do(sh("echo again")).output == "again\n"


def test_a_command_that_never_arrived_whole_is_not_run(net: Network) -> None:
    host = net.hosts[0]

    whole = order(("touch", "/tmp/opsd-owned"), quiet=False)
    for length in range(len(whole) - 3):
        part = whole[:length]
        (net.home / "order").write_bytes(part)
        host.run(f"sh -s <{net.home}/order 2>/dev/null || true")
        assert not OWNED.exists(), part


def test_root_is_lent_for_what_is_listed_and_nothing_else(net: Network, config: Config) -> None:
    host = net.hosts[0]
    allowed = sudo.rules("watcher", [("/usr/bin/id", "-u"), ("/bin/sleep", "^[0-9]+$")])
    (net.home / "sudoers").write_text(allowed)
    host.run("mount -t tmpfs -o mode=755 tmpfs /etc/sudoers.d")
    host.run(f"install -m 440 {net.home}/sudoers /etc/sudoers.d/opsd")
    watcher = config.hosts["one"].model_copy(update={"user": "watcher"})
    other = Reach(config.model_copy(update={"hosts": {"one": watcher}}), now)
    try:
        hand = other.hand("one")
        assert hand.do(Order(("/usr/bin/id", "-u"), DEADLINE)).output == "1901\n"
        assert (
            hand.do(Order(("/usr/bin/id", "-u"), DEADLINE, privileged=True, quiet=True)).output
            == "0\n"
        )
        for argv in (("/usr/bin/id",), ("/usr/bin/id", "-u", "-n"), ("/bin/sleep", "1", "2")):
            assert hand.do(Order(argv, DEADLINE, privileged=True)).exit_code == 1
        late = Order(("/bin/sleep", "987"), SHORT, privileged=True)
        assert hand.do(late).exit_code == 124
        wait_for("nothing is left", lambda: "sleep 987" not in str(host.processes()))
    finally:
        other.close()
        host.run("umount /etc/sudoers.d")


def test_a_changed_host_key_is_refused_before_anything_is_sent(
    net: Network, config: Config
) -> None:
    host: NamespaceHost = net.hosts[0]
    other = Reach(config, now)
    try:
        host.change_key()
        with pytest.raises(HostUnreachable) as caught:
            other.hand("one").do(sh("touch /tmp/opsd-owned"))
        assert caught.value.reason == "host_key"
        assert not isinstance(caught.value, LinkLost)
        assert not OWNED.exists()
    finally:
        other.close()
        host.heal()
