"""Hosts to watch: network namespaces on a bridge, each with its own name, processes and sshd.

A host has process, mount, hostname and network namespaces: killing it ends everything in it, and
what runs in it can be listed from outside. Faults are methods; `heal` takes them all back.
"""

from __future__ import annotations

import fcntl
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.host_files import BOOT, PASSWD, SSHD
from tests.slow_link import SlowLink

NEEDED = ("sshd", "ssh-keygen", "ip", "nft", "unshare", "nsenter", "busybox", "sudo", "mkfs.ext4")
_CLAIM = Path(tempfile.gettempdir()) / "opsd-test-networks.lock"
_READY_SECONDS = 20.0


class Missing(RuntimeError):
    """A program or a right that hosts cannot be made without."""


def program(name: str) -> str:
    """Where a program lies."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"missing program: {name}; run `make test`")
    return found


def do(*argv: str, given: str | None = None) -> str:
    """Run a command of the fixture itself; its failure is the test's."""
    done = subprocess.run(
        [program(argv[0]), *argv[1:]],
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def wait_for(what: str, true: Callable[[], bool], seconds: float = _READY_SECONDS) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a host, by its number outside."""

    pid: int
    argv: str


class NamespaceHost:
    """One host. `address` is where its sshd listens, on port 22."""

    def __init__(self, network: Network, name: str, number: int) -> None:
        self.name = name
        self.address = f"{network.prefix}.{number}"
        self._network = network
        self._namespace = f"opsd-{network.token}-{number}"
        self._link = f"ov{network.token}{number}"
        self._mac = ":".join(("02", "00", *(f"{random.randrange(256):02x}" for _ in range(4))))
        self._home = network.home / name
        self._home.mkdir()
        self._init: subprocess.Popen[str] | None = None
        self._slow: SlowLink | None = None
        self._lacked: list[str] = []
        self._sshd_log = (self._home / "sshd.log").open("ab")
        for file, text in (
            ("passwd", PASSWD),
            ("shadow", "".join(f"{line.split(':')[0]}:*:1::::::\n" for line in PASSWD.split())),
            ("sshd_config", SSHD.format(home=network.home)),
        ):
            (self._home / file).write_text(text)
        (self._home / "shadow").chmod(0o600)
        do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._home / "key"))

    def boot(self) -> None:
        """Switch it on: its link, its first process, its sshd."""
        do("ip", "netns", "add", self._namespace)
        self._plug()
        self._start()

    def end(self) -> None:
        """Switch it off for good."""
        self._stop()
        self._unplug()
        with suppress(RuntimeError):
            do("ip", "netns", "del", self._namespace)
        self._sshd_log.close()

    @property
    def known(self) -> str:
        """The line of its first key for `known_hosts`."""
        kind, key, *_ = (self._home / "key.pub").read_text().split()
        return f"{self.address} {kind} {key}\n"

    # --- what runs on it

    def processes(self) -> list[Process]:
        """What runs on it besides its first process and the listening sshd; no zombies."""
        return [
            one
            for one in self._all()
            if one.argv != "sleep infinity" and "[listener]" not in one.argv
        ]

    def run(self, script: str) -> str:
        """Run something on it, not over the network."""
        return do("nsenter", *self._inside(), "sh", "-c", script)

    def enters(self, *argv: str) -> tuple[str, ...]:
        """The argv that runs `argv` on it."""
        return (program("nsenter"), *self._inside(), *argv)

    # --- faults

    def cut(self) -> None:
        """Pull the cable."""
        do("ip", "link", "set", self._link, "down")

    def plug_in(self) -> None:
        """Put the cable back."""
        do("ip", "link", "set", self._link, "up")

    def drop_silently(self) -> None:
        """Take in nothing and let out nothing any more, without a word."""
        out = "add chain ip opsd out { type filter hook output priority 0; policy drop; }"
        self._filter("policy drop;", (out,))

    def lose(self, percent: int) -> None:
        """Lose so many of the packets that arrive."""
        rule = f"add rule ip opsd in numgen random mod 100 < {percent} drop"
        self._filter("policy accept;", (rule,))

    def refuse(self) -> None:
        """Answer each connection to sshd with a reset."""
        rule = "add rule ip opsd in tcp dport 22 reject with tcp reset"
        self._filter("policy accept;", (rule,))

    def take_in(self) -> None:
        """Take in everything again."""
        with suppress(RuntimeError):
            self._nft("delete table ip opsd")

    def slow(self, delay: timedelta, loss: float = 0.0) -> None:
        """Put a road between it and the bridge that delays each frame, one way, and loses some."""
        self._unplug()
        self._slow = SlowLink(self._link, delay, loss)
        self._wire(self._slow.far)

    def hasten(self) -> None:
        """Give it its own short road back."""
        if self._slow is not None:
            self._unplug()
            self._plug()

    def join(self, group: Path) -> None:
        """Put everything that runs on it into a control group; what it starts will be in it too."""
        for one in self._all():
            with suppress(OSError):  # it just ended
                group.write_text(str(one.pid), encoding="ascii")

    def stop_sshd(self) -> None:
        """Freeze every sshd: the kernel still takes connections, and nobody answers."""
        self._signal_sshd(signal.SIGSTOP)

    def kill(self) -> None:
        """Take its power: nothing runs on it any more, nobody answers for it."""
        self.cut()
        self._stop()

    def change_key(self) -> None:
        """Give sshd another host key, as after a new installation."""
        other = self._home / "other"
        if not other.exists():
            do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other))
        self._restart_sshd("other")

    def lack(self, name: str) -> None:
        """Have a program no more."""
        place = program(name)
        self.run(f"mount --bind /dev/null {place}")
        self._lacked.append(place)

    def heal(self) -> None:
        """Take every fault back."""
        self.hasten()
        if self._init is None:
            self._start()
        for place in self._lacked:
            self.run(f"umount {place}")
        self._lacked.clear()
        self.plug_in()
        self.take_in()
        self._restart_sshd("key")
        wait_for("the host can be reached", self._answers)

    # --- inside

    def _plug(self) -> None:
        far = f"{self._link}n"
        do("ip", "link", "add", self._link, "type", "veth", "peer", "name", far)
        self._wire(far)

    def _wire(self, far: str) -> None:
        """`far` becomes the host's eth0, its other end a port of the bridge."""
        inside = ("ip", "-n", self._namespace)
        do("ip", "link", "set", far, "address", self._mac)
        do("ip", "link", "set", far, "netns", self._namespace, "name", "eth0")
        do("ip", "link", "set", self._link, "master", self._network.bridge, "up")
        do(*inside, "addr", "add", f"{self.address}/24", "dev", "eth0")
        do(*inside, "link", "set", "eth0", "up")

    def _unplug(self) -> None:
        if self._slow is not None:
            self._slow.close()
            self._slow = None
        else:
            with suppress(RuntimeError):
                do("ip", "link", "del", self._link)

    def _start(self) -> None:
        self._init = subprocess.Popen(
            [
                *(program("ip"), "netns", "exec", self._namespace),
                *("unshare", "--uts", "--mount", "--pid", "--fork", "--kill-child"),
                *("sh", "-c", BOOT.format(home=self._home, name=self.name)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._init.stdout is not None
        if self._init.stdout.readline() != "up\n":
            raise Missing("a host cannot be made: root with all capabilities is needed")
        self._restart_sshd("key")

    def _stop(self) -> None:
        if self._init is not None:
            for one in self._all():
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)
            self._init.kill()
            self._init.communicate()
            self._init = None
            self._lacked.clear()

    def _first(self) -> int:
        """The first process of the host, by its number outside."""
        assert self._init is not None, "the host is off"
        children = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children").read_text()
        return int(children.split()[0])

    def _inside(self) -> tuple[str, ...]:
        return ("-t", str(self._first()), "-n", "-u", "-m", "-p", "--")

    def _all(self) -> Iterator[Process]:
        if self._init is None:
            return
        mine = Path(f"/proc/{self._first()}/ns/pid").readlink()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and (entry / "ns/pid").readlink() == mine:
                    argv = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                    if argv:  # a zombie has none
                        yield Process(int(entry.name), argv)

    def _restart_sshd(self, key: str) -> None:
        self._signal_sshd(signal.SIGKILL)
        config = str(self._home / "sshd_config")
        argv = (program("sshd"), "-e", "-f", config, "-h", str(self._home / key))
        wait_for("the port is free", lambda: not self._listening())
        done = subprocess.run(
            [program("nsenter"), *self._inside(), *argv],
            stdin=subprocess.DEVNULL,
            stderr=self._sshd_log,
            check=False,
        )
        assert done.returncode == 0, (self._home / "sshd.log").read_text()
        wait_for("sshd listens", self._listening)

    def _listening(self) -> bool:
        table = Path(f"/proc/{self._first()}/net/tcp").read_text()
        return any(":0016 00000000:0000 0A" in line for line in table.splitlines())

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.address, 22), 0.5).close()
        except OSError:
            return False
        return True

    def _signal_sshd(self, number: signal.Signals) -> None:
        for one in self._all():
            if one.argv.startswith(("sshd", program("sshd"))):
                with suppress(ProcessLookupError):
                    os.kill(one.pid, number)

    def _filter(self, policy: str, rules: Sequence[str]) -> None:
        self.take_in()
        hook = f"add chain ip opsd in {{ type filter hook input priority 0; {policy} }}"
        self._nft("\n".join(("add table ip opsd", hook, *rules)))

    def _nft(self, text: str) -> None:
        do("ip", "netns", "exec", self._namespace, program("nft"), "-f", "-", given=text + "\n")


class Network:
    """A bridge of our own with hosts on it; `key` opens every account of every host."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.token = secrets.token_hex(3)
        self.bridge = f"ob{self.token}"
        self.key = home / "id"
        self.known_hosts = home / "known_hosts"
        self.hosts: list[NamespaceHost] = []
        if os.geteuid() != 0:
            raise Missing("hosts cannot be made: root is needed")
        do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
        with _CLAIM.open("w") as claim:
            fcntl.flock(claim, fcntl.LOCK_EX)
            self.prefix = _free_prefix()
            do("ip", "link", "add", self.bridge, "type", "bridge")
            do("ip", "addr", "add", f"{self.prefix}.1/24", "dev", self.bridge)
        do("ip", "link", "set", self.bridge, "up")

    def add(self, name: str) -> NamespaceHost:
        """A new host that runs."""
        host = NamespaceHost(self, name, 11 + len(self.hosts))
        self.hosts.append(host)
        host.boot()
        with self.known_hosts.open("a") as known:
            known.write(host.known)
        return host

    def written(self, host: NamespaceHost) -> dict[str, object]:
        """The options of a host, as a configuration has them."""
        return {
            "address": host.address,
            "user": "root",
            "key_file": str(self.key),
            "known_hosts": str(self.known_hosts),
            "connect_timeout": "3s",
        }

    def end(self) -> None:
        """Take everything down."""
        for host in self.hosts:
            host.end()
        with suppress(RuntimeError):
            do("ip", "link", "del", self.bridge)


@contextmanager
def network() -> Iterator[Network]:
    """A network that is there while it is asked for; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="opsd-hosts-") as home:
        Path(home).chmod(0o755)  # the watcher's key file is read as the watcher
        made = Network(Path(home))
        try:
            yield made
        finally:
            made.end()


def _free_prefix() -> str:
    """The first three numbers of a network that this machine has no road to."""
    taken = do("ip", "-4", "addr") + do("ip", "-4", "route")
    free = [f"10.{high}.{low}" for high in range(201, 240) for low in range(256)]
    return random.choice([one for one in free if f"{one}." not in taken])
