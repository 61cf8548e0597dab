"""Signals as something to wait for. Nothing happens in the handlers themselves."""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
RELOAD = signal.SIGHUP
_ENOUGH = 64


class Signals:
    """What arrived, in a pipe that the interpreter writes to."""

    def __init__(self, reader: socket.socket) -> None:
        self._reader = reader

    def wait(self, patience: timedelta) -> frozenset[int]:
        """The signals that arrived, as soon as there are any; none when time is up."""
        ready, _, _ = select.select([self._reader], [], [], patience.total_seconds())
        return frozenset(self._reader.recv(_ENOUGH)) if ready else frozenset()


@contextmanager
def caught() -> Iterator[Signals]:
    """Catch the ending signals and the one to reload. In the main thread only.

    Not by blocking them: the programs that opsd starts would inherit that, and could not be ended.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    former = {number: signal.signal(number, _nothing) for number in (*ENDING, RELOAD)}
    former_pipe = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield Signals(reader)
    finally:
        signal.set_wakeup_fd(former_pipe)
        for number, handler in former.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


def _nothing(number: int, frame: object) -> None:
    """The interpreter has written the number into the pipe already."""
    del number, frame
