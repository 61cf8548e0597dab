"""Receivers that this machine runs: kept alive, each in a thread of its own.

A child dies with the thread that started it (drivers.process), so this one lives as long as the
receiver is wanted.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from opsd.drivers import process, system
from opsd.errors import OpsdError, quoted
from opsd.tasks.kit import Kit
from opsd.tasks.wal.aside import Aside, aside

log = logging.getLogger(__name__)

_LOOK = 0.1  # seconds between looks whether it lives
_PAUSE = timedelta(milliseconds=400)  # before it is started again: within a second of its death
_LONGEST_PAUSE = timedelta(seconds=2)  # while the server does not answer
_STEADY = timedelta(seconds=2)  # who is refused ends sooner
_LOG_BYTES = 1 << 20
_SAID = 500
_THAT = "error: disconnected"
_NOTHING = Aside()


@dataclass(frozen=True, slots=True)
class Reception:
    """How one receiver is. `said` is its last complaint, `free` the room under it.

    `aside` is what it has of a time that its server left.
    """

    running: bool
    restarts: int
    said: str
    free: int
    since: datetime | None
    aside: Aside = _NOTHING


class Received(Protocol):
    """A log that can be received."""

    @property
    def kit(self) -> Kit: ...
    @property
    def backup_set(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def subject(self) -> str: ...

    def receive(self, receiver: str, directory: Path, said: Path) -> process.Background:
        """Begin to receive it into a directory; what the program says goes to `said`."""
        ...


class Receiver:
    """One receiver, from `begin` to `close`."""

    def __init__(
        self,
        found: Received,
        name: str,
        directory: Path,
        ended: Callable[[str], None] = lambda _: None,
        begins: Callable[[], None] = lambda: None,
    ) -> None:
        """`ended` hears what it said whenever it ends without being asked.

        `begins` is asked before it begins, and raises what keeps it from that.
        """
        self._log = found
        self._begins = begins
        self._ended = ended
        self._name = name
        self._directory = directory
        self._over = threading.Event()
        self._anew = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"wal:{found.subject}/{name}")
        self._child: process.Background | None = None
        self._since: datetime | None = None
        self._restarts = 0
        self._said = ""
        self._logged = ""  # what it said, while it says nothing else and never stays

    def begin(self) -> None:
        """Start it, and keep it."""
        self._thread.start()

    def close(self) -> None:
        """End it, and wait until it has ended."""
        self._over.set()
        self._thread.join()

    def renew(self) -> None:
        """Have the program ended, whatever it does: it is started again as when it dies."""
        self._anew.set()

    @property
    def reception(self) -> Reception:
        """How it is now."""
        child = self._child
        return Reception(
            running=child is not None and child.alive,
            restarts=self._restarts,
            said=self._said,
            free=system.space(self._directory).free,
            since=self._since,
            aside=aside(self._directory),
        )

    def _live(self) -> None:
        pause = _PAUSE
        while not self._over.is_set():
            began = self._log.kit.clock()
            try:
                self._receive()
            except (OpsdError, OSError) as error:
                self._said = quoted(error)[-_SAID:]
            if self._over.is_set():
                return
            self._restarts += 1
            steady = self._log.kit.clock() - began > _STEADY
            pause = _PAUSE if steady else min(2 * pause, _LONGEST_PAUSE)
            self._logged = "" if steady else self._said
            self._over.wait(pause.total_seconds())

    def _receive(self) -> None:
        """Receive until the receiver ends."""
        found = self._log
        self._directory.mkdir(parents=True, mode=0o700, exist_ok=True)
        said = found.kit.config.state / "wal" / f"{found.backup_set}-{found.name}-{self._name}.log"
        said.parent.mkdir(parents=True, exist_ok=True)
        if said.exists() and said.stat().st_size > _LOG_BYTES:
            said.unlink()
        before = said.stat().st_size if said.exists() else 0
        self._begins()
        child = found.receive(self._name, self._directory, said)
        self._child, self._since = child, found.kit.clock()
        self._anew.clear()
        try:
            while child.alive and not self._anew.is_set() and not self._over.wait(_LOOK):
                pass
        finally:
            self._child, self._since = None, None
            code = child.end()
        if not self._over.is_set():
            text = said.read_bytes()[before:][-_SAID:].decode(errors="backslashreplace").strip()
            self._said = reason(text)
            told = {"backup_set": found.backup_set, "receiver": self._name}
            log.log(
                logging.DEBUG if self._said == self._logged else logging.WARNING,
                "%s: receiver %s ended (%d): %s",
                found.subject,
                self._name,
                code,
                self._said,
                extra=told,
            )
            self._ended(text)


def reason(said: str) -> str:
    """Why a receiver ended: its last line, but for the one that says no more than that.

    Lines that begin with a space go on with what the one before says, and say no more either.
    """
    lines = [line for line in said.splitlines() if line[:1].strip()]
    return next((line for line in reversed(lines) if not line.endswith(_THAT)), "".join(lines[-1:]))
