"""The hands of playbooks: one command on a host, by the same rules here and over SSH."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from opsd.clock import Clock
from opsd.config.schema import Config
from opsd.drivers import process, system
from opsd.drivers.ssh import Ends, Remote, Tally
from opsd.errors import UsageError
from opsd.playbook import Condition
from opsd.policy import sudo
from opsd.tasks.check.gather import Hands
from opsd.tasks.check.patrol import Ask

_KEPT_BYTES = 1 << 16
_ROOT = "root"
_AROUND_SUDO = timedelta(seconds=2)
_LINGERS = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Order:
    """A command and its deadline; `privileged` is as root, `quiet` leaves out its complaints."""

    argv: tuple[str, ...]
    timeout: timedelta
    privileged: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Did:
    """What a command ended with, and what it said: both ends of it where it was long."""

    exit_code: int
    output: str


class Hand(Protocol):
    """What does one thing on a host."""

    def do(self, order: Order) -> Did:
        """Run it to its end, and end with it all that it began.

        Raises `TimedOut` after it was ended there at its deadline, `LinkLost` where nobody knows
        what became of it, any other `OpsdError` where it was not begun.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalHand:
    """This machine."""

    stop: process.Stop

    def do(self, order: Order) -> Did:
        """Run it in a process group of its own, which dies with opsd."""
        argv, timeout = _as_who(order, _ROOT if system.is_root() else "")
        command = process.Command(argv, timeout, death_signal="KILL", lingers=_LINGERS)
        done = process.run(command, stop=self.stop)
        ends = Ends(_KEPT_BYTES)
        ends.take(done.stdout)
        ends.take(b"" if order.quiet else done.stderr)
        return Did(done.exit_code, _text(ends.kept))


@dataclass(frozen=True, slots=True)
class RemoteHand:
    """A machine over SSH, as an account there."""

    remote: Remote
    user: str

    def do(self, order: Order) -> Did:
        """Run it there."""
        argv, timeout = _as_who(order, self.user)
        done = self.remote.do(argv, timeout, _KEPT_BYTES, quiet=order.quiet)
        return Did(done.exit_code, _text(done.stdout))


def _as_who(order: Order, user: str) -> tuple[tuple[str, ...], timedelta]:
    """The argv, through sudo where it must be: nobody but root can end what sudo began."""
    if not order.privileged or user == _ROOT:
        return order.argv, order.timeout
    limit = f"{order.timeout.total_seconds():g}"
    argv = ("sudo", "-n", "--", sudo.TIMEOUT, "-k", "1", limit, *order.argv)
    return argv, order.timeout + _AROUND_SUDO


class Reach:
    """The hands of every host of the inventory; nothing else can be reached.

    A step under way goes on when opsd is asked to end, until this is closed.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._stop = process.Stop()
        self._hands = Hands(clock, self._stop)

    def adopt(self, config: Config) -> None:
        """Reach what this configuration names, and nothing else."""
        self._config = config
        self._hands.keep(tuple(config.hosts))

    def hand(self, name: str) -> Hand:
        """The hand of a host. Raises `UsageError` where the inventory has no such host."""
        host = self._config.hosts.get(name)
        if host is None:
            raise UsageError("usage.no_host", name=name, known=sorted(self._config.hosts))
        remote = self._hands.remote(name, host)
        return LocalHand(self._stop) if remote is None else RemoteHand(remote, host.user)

    def ask(self, name: str) -> Ask:
        """How a host is asked. Raises `UsageError` where the inventory has no such host."""
        host = self._config.hosts.get(name)
        if host is None:
            raise UsageError("usage.no_host", name=name, known=sorted(self._config.hosts))
        return self._hands.ask(name, host)

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """How often the way to each host was tried."""
        return self._hands.tallies

    def meet(self, name: str) -> None:
        """Have a connection to a host before somebody waits for it. Raises an `OpsdError`."""
        remote = self._hands.remote(name, self._config.hosts[name])
        if remote is not None:
            remote.meet()

    def places(self) -> dict[str, str]:
        """Where each host is, and as whom it is reached there: a part of what is approved."""
        return {
            name: f"{host.user}@{host.address}:{host.port}" if host.address else "local"
            for name, host in self._config.hosts.items()
        }

    def close(self) -> None:
        """Let go of all; what runs on this machine is ended, elsewhere at its own deadline."""
        self._stop.request()
        self._hands.close()


def order_of(condition: Condition) -> Order:
    """How a condition is asked."""
    return Order(condition.argv, condition.timeout, condition.privileged, quiet=True)


def _text(said: bytes) -> str:
    return said.decode(errors="backslashreplace").replace("\0", "\\0")
