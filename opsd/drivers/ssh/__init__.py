"""Hosts over SSH: the only door to Fabric.

Strict by construction: a host key that `known_hosts` does not name is refused, one private key is
tried and nothing else, no file of an account's own SSH configuration is read. Whatever is run there
is ended there at its deadline, and nothing here waits longer for it.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from opsd.drivers.ssh import line, order
from opsd.drivers.ssh.line import Line, Session
from opsd.drivers.ssh.order import KILL_AFTER as _KILL_AFTER
from opsd.drivers.ssh.order import Ends
from opsd.drivers.ssh.way import Address, connected
from opsd.errors import Cancelled, HostFailed, HostUnreachable, LinkLost, OpsdError, TimedOut

__all__ = ["Address", "Answered", "Ends", "Remote", "Tally"]

_KEPT_BYTES = 1 << 20
_CHUNK = 1 << 16
_LISTENS_SECONDS = 0.5
_NO_TIMEOUT = "opsd: no timeout here"
_NOT_FOUND = 127
_OVERDUE = {124, 137}  # what `timeout` says when it ended something, and when it had to kill
_KILLED = 137
_SESSIONS = 8  # at once over one connection: sshd's default allows ten, and refuses any other


@dataclass(frozen=True, slots=True)
class Answered:
    """What a script said there. `whole` is false when it said more than was kept, and was ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    whole: bool


@dataclass(slots=True)
class Tally:
    """How often a connection was tried, and how often it failed, by the error's word for it."""

    tried: int = 0
    failed: Counter[str] = field(default_factory=Counter)


class Remote:
    """A host reached over SSH. Its connection is kept, and made anew after any loss.

    Several threads may run something there at once. What is tried is counted in `tally`.
    """

    def __init__(self, address: Address, tally: Tally | None = None) -> None:
        self._address = address
        self._tally = Tally() if tally is None else tally
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._line: Line | None = None
        self._lines: set[Line] = set()
        self._closed = False
        self._sessions = threading.BoundedSemaphore(_SESSIONS)
        self._breaks = line.breaks()

    def run(self, script: str, deadline: timedelta, kept: int = _KEPT_BYTES) -> Answered:
        """Run a text for the POSIX shell there, ended there after `deadline`.

        Raises `HostUnreachable` when the way there fails, `TimedOut` when the script had to be
        ended, `Cancelled` after `close`.
        """
        try:
            with self._sessions:
                used, session = self._session()
                return self._finished(used, session, script, deadline, kept)
        except OpsdError:
            if self._closed:
                raise Cancelled("host.cancelled", host=self._address.host) from None
            raise

    def do(
        self, argv: Sequence[str], deadline: timedelta, kept: int, *, quiet: bool = False
    ) -> Answered:
        """Run one command there, in a session of its own that ends with it, or at the deadline.

        No shell reads its words. Of very long output both ends are kept. Raises as `run` does, and
        `LinkLost` where nobody knows whether it was done; after any other `HostUnreachable` it was
        not even begun.
        """
        try:
            with self._sessions:
                used, session = self._session()
                return self._ordered(used, session, (argv, deadline, kept), quiet=quiet)
        except OpsdError:
            if self._closed:
                raise Cancelled("host.cancelled", host=self._address.host) from None
            raise

    def meet(self) -> None:
        """Have a connection, so that whoever needs it next need not wait. Raises as `run` does."""
        kept = self._line
        if kept is None or not kept.alive:
            with self._opening:
                if self._line is kept:
                    if kept is not None:
                        self._drop(kept)
                    self._line = self._opened()

    def close(self) -> None:
        """End the connection and every wait for it; what runs there ends at its own deadline."""
        self._closed = True
        for one in tuple(self._lines):
            self._drop(one)

    # --- the way there

    def _session(self) -> tuple[Line, Session]:
        """A session of the kept connection, or of a new one where that is lost."""
        if (kept := self._line) is not None:
            with suppress(*self._breaks):
                return kept, kept.session()
            self._drop(kept)
        with self._opening:
            used = self._line = self._line or self._opened()
        try:
            return used, used.session()
        except self._breaks as error:
            self._drop(used)
            raise self._lost(error) from error

    def _opened(self) -> Line:
        """A connection of its own socket. Raises `HostUnreachable`."""
        if self._closed:
            raise Cancelled("host.cancelled", host=self._address.host)
        self._tally.tried += 1
        try:
            return self._shaken()
        except HostUnreachable as error:
            self._tally.failed[error.reason] += not self._closed
            raise

    def _shaken(self) -> Line:
        opened = Line(connected(self._address))
        self._lines.add(opened)
        try:
            opened.open(self._address)
        except BaseException:
            self._drop(opened)
            raise
        return opened

    def _drop(self, lost: Line) -> None:
        with self._lock:
            self._lines.discard(lost)
            if lost is self._line:
                self._line = None
        lost.close()

    # --- there

    def _finished(
        self, used: Line, session: Session, script: str, deadline: timedelta, kept: int
    ) -> Answered:
        began = time.monotonic()
        try:
            with used.guarded(deadline + 3 * _KILL_AFTER):
                session.exec_command(_bounded(script, deadline))
                _gathered(session)
                out = _taken(session.recv, kept)
                whole = len(out) <= kept
                err = _taken(session.recv_stderr, kept) if whole else b""
                whole = whole and len(err) <= kept
                exit_code = _exit_code(used, session) if whole else _KILLED
        except self._breaks as error:
            self._drop(used)
            raise self._lost(error) from error
        finally:
            with suppress(*self._breaks):
                session.close()
        self._insist(exit_code, err, time.monotonic() - began, deadline)
        return Answered(exit_code, out[:kept], err[:kept], whole)

    def _ordered(
        self,
        used: Line,
        session: Session,
        asked: tuple[Sequence[str], timedelta, int],
        *,
        quiet: bool,
    ) -> Answered:
        argv, deadline, kept = asked
        began, sent, ends = time.monotonic(), False, Ends(kept)
        try:
            with used.guarded(deadline + 3 * _KILL_AFTER):
                session.set_combine_stderr(True)
                session.exec_command(order.around(deadline, _NO_TIMEOUT))
                sent = True
                session.sendall(order.order(argv, quiet=quiet))
                session.shutdown_write()
                while chunk := session.recv(_CHUNK):
                    ends.take(chunk)
                exit_code = _exit_code(used, session)
        except self._breaks as error:
            self._drop(used)
            raise self._lost(error, LinkLost if sent else HostUnreachable) from error
        finally:
            with suppress(*self._breaks):
                session.close()
        self._insist(exit_code, ends.kept, time.monotonic() - began, deadline)
        return Answered(exit_code, ends.kept, b"", whole=True)

    def _insist(self, exit_code: int, err: bytes, elapsed: float, deadline: timedelta) -> None:
        """Raise what the end of a command says about the host rather than about the command."""
        host = self._address.host
        if exit_code == _NOT_FOUND and _NO_TIMEOUT.encode() in err:
            raise HostFailed("host.no_timeout", host=host)
        if exit_code in _OVERDUE and elapsed >= deadline.total_seconds():
            raise TimedOut("host.overdue", host=host, limit=deadline)

    def _lost(
        self, error: Exception, kind: type[HostUnreachable] = HostUnreachable
    ) -> HostUnreachable:
        return kind(
            "host.lost", reason="lost", host=self._address.host, detail=str(error) or repr(error)
        )


def _bounded(script: str, deadline: timedelta) -> str:
    """The command that ends itself there, and all of its group: giving up here would not."""
    seconds = max(deadline.total_seconds(), 0.1)
    return (
        f"command -v timeout >/dev/null || {{ echo {shlex.quote(_NO_TIMEOUT)} >&2; exit 127; }}; "
        f"LC_ALL=C timeout -k {_KILL_AFTER.seconds} {seconds:g} sh -c {shlex.quote(script)} & "
        "p=$!; wait $p; c=$?; kill -s KILL -- -$p 2>/dev/null; exit $c"
    )


def _gathered(session: Session) -> None:
    """Wait until all was said, or so much that it must be taken: not woken by each piece of it."""
    while not session.status_event.wait(_LISTENS_SECONDS):
        if len(session.in_buffer) > _CHUNK or len(session.in_stderr_buffer) > _CHUNK:
            return


def _taken(receive: Callable[[int], bytes], kept: int) -> bytes:
    """A stream to its end, or a little more than is kept of it."""
    taken = bytearray()
    while len(taken) <= kept and (chunk := receive(_CHUNK)):
        taken += chunk
    return bytes(taken)


def _exit_code(used: Line, session: Session) -> int:
    """The exit code; without one, the link was lost, or the shell there was killed."""
    session.status_event.wait(_KILL_AFTER.total_seconds())
    if session.exit_status >= 0:
        return int(session.exit_status)
    if not used.alive:
        raise EOFError("the link was lost")
    return _KILLED
