"""A road to a server's socket that can be cut: bytes stop, and neither end is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

SOCKET = ".s.PGSQL.5432"


class Road:
    """Listens in a directory of its own, and carries each connection to the server's.

    What comes from there is what `alter` makes of it; of nothing the connection ends.
    """

    def __init__(
        self, directory: Path, server: Path, alter: Callable[[bytes], bytes] = bytes
    ) -> None:
        directory.mkdir(parents=True)
        self._alter = alter
        self._server = str(server / SOCKET)
        self._cut, self._over = threading.Event(), threading.Event()
        self._ends: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(directory / SOCKET))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """From now on nothing comes through: what was sent is on its way for ever."""
        self._cut.set()

    def close(self) -> None:
        """End every connection, and the road."""
        self._over.set()
        for one in (self._listening, *self._ends):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listening.accept()
                far = socket.socket(socket.AF_UNIX)
                self._ends += (near, far)
                try:
                    far.connect(self._server)
                except OSError:
                    near.close()
                    continue
                for way in ((near, far, bytes), (far, near, self._alter)):
                    threading.Thread(target=self._carry, args=way, daemon=True).start()

    def _carry(
        self, source: socket.socket, target: socket.socket, alter: Callable[[bytes], bytes]
    ) -> None:
        with suppress(OSError):
            while piece := alter(source.recv(1 << 16)):
                if self._cut.is_set():
                    self._over.wait()
                    return
                target.sendall(piece)
        if not self._cut.is_set():  # a cut road does not tell that an end is gone
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
