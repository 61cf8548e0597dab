"""A mail server: real SMTP over a real socket, of which the test says when it is down."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast


@dataclass
class Mailbox:
    """What arrived. While it is `down` no mail is taken; with `hangs` nothing is said at all."""

    port: int = 0
    down: bool = False
    taken: list[EmailMessage] = field(default_factory=list)
    refused: int = 0
    hold: threading.Event = field(default_factory=threading.Event)
    security: str = "none"  # or `starttls`, `tls`: then nothing is taken in the clear
    pair: tuple[Path, Path] | None = None
    account: tuple[str, str] | None = None  # whoever may send, with their password

    @property
    def tls(self) -> ssl.SSLContext:
        """What its certificate opens."""
        assert self.pair is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair)
        return context

    def subjects(self) -> list[str]:
        """The subjects of what arrived."""
        return [str(one["Subject"]) for one in list(self.taken)]


class _Session(socketserver.StreamRequestHandler):
    timeout = 20

    def setup(self) -> None:
        self.open = self.known = False
        if self._box.security == "tls":
            self._wrap()
        super().setup()

    @property
    def _box(self) -> Mailbox:
        return cast("_Server", self.server).box

    def _wrap(self) -> None:
        self.request = self._box.tls.wrap_socket(self.request, server_side=True)
        self.open = True

    def finish(self) -> None:
        super().finish()
        if self.open:
            self.request.close()

    def handle(self) -> None:
        box = self._box
        self._say("220 test")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb in {b"EHLO", b"HELO"}:
                offers = ["STARTTLS"] if box.security == "starttls" and not self.open else []
                offers += ["AUTH PLAIN"] if box.account and self.open else []
                for said in ("test", *offers):
                    self._say(f"250-{said}")
                self._say("250 HELP")
            elif verb == b"STAR":
                self._say("220 go on")
                self._wrap()
                super().setup()
            elif verb == b"AUTH":
                words = base64.b64decode(line.split()[2]).decode().split("\0")
                self.known = tuple(words[1:]) == box.account
                self._say("235 welcome" if self.known else "535 no")
            elif verb == b"MAIL" and (
                (box.security != "none" and not self.open) or (box.account and not self.known)
            ):
                self._say("530 not so")
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
def mailbox(**options: object) -> Iterator[Mailbox]:
    """A mail server on a free port. It says that mail was taken while `hold` is set."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        box = server.box = replace(Mailbox(port=int(server.server_address[1])), **options)  # type: ignore[arg-type]  # fields of Mailbox
        box.hold.set()
        thread = threading.Thread(target=server.serve_forever, args=(0.1,))
        thread.start()
        try:
            yield box
        finally:
            box.hold.set()
            server.shutdown()
            thread.join()
