"""A port over HTTP: a few threads, short patience, TLS and users by its guard."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import threading
from contextlib import closing, suppress
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from opsd.config import web_ground
from opsd.config.values import Address
from opsd.config.web import Guard
from opsd.errors import Refused
from opsd.web.asking import Answer, Asked, text
from opsd.web.doorkeeper import Doorkeeper
from opsd.web.pages import Pages, answer, place
from opsd.web.reread import Reread

log = logging.getLogger(__name__)

_AT_ONCE = 16  # requests answered at the same time; more are closed without an answer
_PATIENCE_SECONDS = 10.0
_HEARD_SECONDS = 1.0
_LONGEST_BODY = 1 << 20
_REALM = 'Basic realm="opsd", charset="UTF-8"'


class Server:
    """Listens from the moment it is made; raises `Refused` when it cannot.

    Raises `ConfigError` or `OSError` when its guard's files cannot be used.
    """

    def __init__(
        self,
        address: Address,
        pages: Pages,
        guard: Guard | None = None,
        client_ca: Path | None = None,
    ) -> None:
        door = _Door(guard or Guard(), client_ca)
        try:
            self._server = _Listener(address, pages, door)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            key = "daemon.port_taken" if taken else "daemon.cannot_listen"
            raise Refused(key, address=str(address), detail=str(error)) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="web", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens: with the port that was found when the configuration asks for any."""
        host, port = self._server.server_address[:2]
        found = host.decode() if isinstance(host, bytes | bytearray) else str(host)
        return f"[{found}]:{port}" if ":" in found else f"{found}:{port}"

    def close(self) -> None:
        """Take no more requests and let go of the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Door:
    """What a connection passes: TLS, then the doorkeeper."""

    def __init__(self, guard: Guard, client_ca: Path | None) -> None:
        key, users = guard.key, guard.users
        files = [guard.certificate_file, key.path() if key else None, client_ca]
        self._context = Reread(lambda: web_ground.certificate(guard, client_ca), *_named(*files))
        known = Reread(lambda: web_ground.known(guard), *_named(users.path() if users else None))
        self.keeper = Doorkeeper(known)

    def pass_through(self, connection: socket.socket) -> socket.socket:
        """The connection as it is spoken over. Raises `OSError` when the client speaks no TLS."""
        context = self._context.now()
        if context is None:
            return connection
        connection.settimeout(_PATIENCE_SECONDS)
        return context.wrap_socket(connection, server_side=True)


def _named(*files: Path | None) -> list[Path]:
    return [file for file in files if file is not None]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a slow reader must not hold up the end

    def __init__(self, address: Address, pages: Pages, door: _Door) -> None:
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.pages = pages
        self.door = door
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__((address.host, address.port), _Request)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (as inherited)
        """Answer in a thread of its own, if there is one left."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer, and give the room back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer through the door: in this thread, since a handshake takes the client's time."""
        with closing(self.door.pass_through(request)) as passed:
            super().finish_request(passed, client_address)

    def server_bind(self) -> None:
        """Bind without asking a name server who we are, as the inherited one does."""
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A client that went away, or does not trust us, is no news."""
        del request
        log.debug("the answer to %s could not be sent", client_address)


class _Request(BaseHTTPRequestHandler):
    timeout = _PATIENCE_SECONDS
    server_version = "opsd"
    sys_version = ""

    def do_GET(self) -> None:
        """Send the page."""
        self._answer("GET")

    def do_HEAD(self) -> None:
        """Send what would stand above the page."""
        self._answer("GET", with_body=False)

    def do_POST(self) -> None:
        """Take what is sent, then do what is asked."""
        self._answer("POST")

    def log_message(self, *_: object) -> None:
        """Nothing: a scrape every few seconds is no news."""

    def _answer(self, method: str, *, with_body: bool = True) -> None:
        """Look who asks before anything of theirs is read."""
        listener = self.server
        assert isinstance(listener, _Listener)  # noqa: S101  (nobody else makes requests)
        asked = Asked(self.headers.get("Authorization", ""), self._certified())
        gate = listener.pages.gates().get(place(self.path))
        admits = gate.admits(asked) if gate else listener.door.keeper.admits(asked.authorization)
        longest = gate.longest if gate else _LONGEST_BODY
        length = self.headers.get("Content-Length", "0")
        if not admits:
            self._let_pass(length)
            found = text(HTTPStatus.UNAUTHORIZED, "who are you?")
        elif not length.isdigit() or int(length) > longest:
            self._let_pass(length)
            found = text(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too long")
        else:
            body = self.rfile.read(int(length)) if method == "POST" else b""
            if len(body) < int(length) and method == "POST":
                return  # the client went away in the middle: nothing was asked
            found = self._found(method, replace(asked, body=body))
        if gate:
            gate.told(found.status)
        self._send(found, with_body=with_body)

    def _certified(self) -> bool:
        """Whether the client showed a certificate of the authority that we believe."""
        return isinstance(self.connection, ssl.SSLSocket) and bool(self.connection.getpeercert())

    def _let_pass(self, length: str) -> None:
        """Read some of what is not taken: an answer in the middle of a sentence is not heard."""
        if length.isdigit():
            self.connection.settimeout(_HEARD_SECONDS)
            with suppress(TimeoutError):  # who sends nothing listens already
                self.rfile.read(min(int(length), _LONGEST_BODY))

    def _found(self, method: str, asked: Asked) -> Answer:
        assert isinstance(self.server, _Listener)  # noqa: S101  (as above)
        try:
            return answer(self.server.pages, method, self.path, asked)
        except Exception:
            log.exception("the page %s could not be made", self.path)
            return text(HTTPStatus.INTERNAL_SERVER_ERROR, "failed; see the log")

    def _send(self, found: Answer, *, with_body: bool) -> None:
        self.send_response(found.status)
        self.send_header("Content-Type", found.content_type)
        self.send_header("Content-Length", str(len(found.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if found.status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", _REALM)
        self.end_headers()
        if with_body:
            self.wfile.write(found.body)
