"""A mail server: real SMTP over a real socket, of which the test says when it is down."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast


@dataclass
class Mailbox:
    """What arrived. While it is `down` no mail is taken; with `hangs` nothing is said at all."""

    port: int = 0
    down: bool = False
    taken: list[EmailMessage] = field(default_factory=list)
    refused: int = 0
    hold: threading.Event = field(default_factory=threading.Event)

    def subjects(self) -> list[str]:
        """The subjects of what arrived."""
        return [str(one["Subject"]) for one in list(self.taken)]


class _Session(socketserver.StreamRequestHandler):
    timeout = 20

    def handle(self) -> None:
        box = cast("_Server", self.server).box
        self._say("220 test")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb in {b"EHLO", b"HELO"}:
                self._say("250 test")
            elif verb == b"MAIL" and box.down:
                box.refused += 1
                self._say("451 not now")
            elif verb == b"DATA":
                self._say("354 go on")
                self._take(box)
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self, box: Mailbox) -> None:
        content = b""
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            content += line[1:] if line.startswith(b"..") else line
        found = message_from_bytes(content, policy=policy.default)
        box.taken.append(found)
        box.hold.wait()
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    box: Mailbox

    def handle_error(self, request: object, client_address: object) -> None:
        """Who is killed in the middle is no news."""


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server on a free port. It says that mail was taken while `hold` is set."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        box = server.box = Mailbox(port=int(server.server_address[1]))
        box.hold.set()
        thread = threading.Thread(target=server.serve_forever, args=(0.1,))
        thread.start()
        try:
            yield box
        finally:
            box.hold.set()
            server.shutdown()
            thread.join()
