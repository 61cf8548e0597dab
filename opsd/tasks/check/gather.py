"""Asking a host: all reads in one round trip, over the hand that reaches it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from opsd.check import Offset, Read, Seen
from opsd.clock import Clock
from opsd.config.hosts import Host
from opsd.drivers import process
from opsd.drivers.ssh import Address, Remote, Tally
from opsd.errors import ConfigError, HostFailed
from opsd.policy import gathering
from opsd.policy.gathering import Printed
from opsd.tasks.check.patrol import Ask

# How long a script may take besides its reads.
_AROUND = timedelta(seconds=2)
_MOST_BYTES = 1 << 22
_QUOTED = 500


class Hand(Protocol):
    """What runs a script on a host."""

    def run(self, script: str, deadline: timedelta) -> str:
        """What a text for the POSIX shell there printed, whatever its exit code; bounded.

        Bytes that are no text are escaped as surrogates. Raises an `OpsdError` when the host cannot
        be reached, and `TimedOut` after the script was ended there at its deadline.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalHand:
    """This machine."""

    stop: process.Stop

    def run(self, script: str, deadline: timedelta) -> str:
        """Run it in a process group of its own."""
        command = process.Command(("sh", "-c", script), deadline, death_signal="KILL")
        return _text(process.run(command, stop=self.stop).stdout)


@dataclass(frozen=True, slots=True)
class RemoteHand:
    """A machine over SSH."""

    remote: Remote

    def run(self, script: str, deadline: timedelta) -> str:
        """Run it there."""
        return _text(self.remote.run(script, deadline, _MOST_BYTES).stdout)


def gather(hand: Hand, reads: Sequence[Read], host: str, clock: Clock) -> Seen:
    """Ask everything at once. Raises an `OpsdError` when the host gave no answers at all."""
    asked = gathering.merged(reads)
    nonce = secrets.token_hex(16)
    longest = max((read.timeout for read in asked), default=timedelta())
    began = time.monotonic()
    printed = hand.run(gathering.compose(asked, nonce), longest + _AROUND)
    at, elapsed = clock(), timedelta(seconds=time.monotonic() - began)
    found = gathering.parse(printed, asked, nonce)
    if found is None:
        detail = printed.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise HostFailed("host.no_answer", host=host, detail=detail[:_QUOTED])
    answered = Seen(at, elapsed, found.answers)
    return Seen(at, elapsed, found.answers, _offset(answered, found))


def _offset(seen: Seen, found: Printed) -> Offset | None:
    """How the host's clock stands to ours, as NTP reckons it from four moments."""
    if found.at is None or found.lasted is None:
        return None
    road = max(timedelta(), seen.elapsed - found.lasted)
    sent = seen.at - seen.elapsed
    ahead = ((found.at - sent) + (found.at + found.lasted - seen.at)) / 2
    return Offset(ahead, road / 2 + found.within)


class Hands:
    """The hands of all hosts, kept from round to round, and how often each way was tried."""

    def __init__(self, clock: Clock, stop: process.Stop) -> None:
        self._clock = clock
        self._stop = stop
        self._remotes: dict[str, tuple[Address, Remote]] = {}
        self.tallies: dict[str, Tally] = {}
        self._lock = threading.Lock()

    def ask(self, name: str, host: Host) -> Ask:
        """How a host is asked, by this configuration of it."""
        try:
            hand = self._hand(name, host)
        except ConfigError as error:
            return _refusing(error)
        return lambda reads: gather(hand, reads, name, self._clock)

    def keep(self, names: Sequence[str]) -> None:
        """Let go of every host that is not among these."""
        for name in set(self._remotes) - set(names):
            self._remotes.pop(name)[1].close()
            self.tallies.pop(name)

    def close(self) -> None:
        """Let go of all; who waits for an answer is told `Cancelled`."""
        self.keep(())

    def remote(self, name: str, host: Host) -> Remote | None:
        """The kept way to a host; none where it is this machine.

        Raises `ConfigError` where what its configuration names is not there.
        """
        if host.address is None:
            return None
        address = _address(name, host)
        with self._lock:
            known = self._remotes.get(name)
            if known is None or known[0] != address:
                if known is not None:
                    known[1].close()
                tally = self.tallies.setdefault(name, Tally())
                known = self._remotes[name] = address, Remote(address, tally)
        return known[1]

    def _hand(self, name: str, host: Host) -> Hand:
        remote = self.remote(name, host)
        return LocalHand(self._stop) if remote is None else RemoteHand(remote)


def _address(name: str, host: Host) -> Address:
    key, known_hosts, address = host.key, host.known_hosts, host.address
    assert key is not None  # noqa: S101  (the configuration insists)
    assert known_hosts is not None  # noqa: S101
    assert address is not None  # noqa: S101
    patience = host.connect_timeout
    return Address(name, address, host.port, host.user, key.path(), known_hosts, patience)


def _refusing(error: ConfigError) -> Ask:
    """A host that cannot be asked: what its configuration names is not there."""

    def refuse(_: Sequence[Read]) -> Seen:
        raise error

    return refuse


def _text(printed: bytes) -> str:
    return printed.decode(errors="surrogateescape")
