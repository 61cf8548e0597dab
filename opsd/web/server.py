"""The pages over HTTP: a few threads, short patience, no word that is not needed."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from opsd.config.values import Address
from opsd.errors import Refused
from opsd.web.pages import Answer, Pages

log = logging.getLogger(__name__)

_AT_ONCE = 16  # requests answered at the same time; more are closed without an answer
_PATIENCE_SECONDS = 10.0


class Server:
    """Listens from the moment it is made; raises `Refused` when it cannot."""

    def __init__(self, address: Address, pages: Pages) -> None:
        try:
            self._server = _Listener(address, pages)
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
        text = host.decode() if isinstance(host, bytes | bytearray) else str(host)
        return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"

    def close(self) -> None:
        """Take no more requests and let go of the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a slow reader must not hold up the end

    def __init__(self, address: Address, pages: Pages) -> None:
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.pages = pages
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

    def server_bind(self) -> None:
        """Bind without asking a name server who we are, as the inherited one does."""
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A client that went away is no news; anything else is."""
        del request
        log.debug("the answer to %s could not be sent", client_address)


class _Request(BaseHTTPRequestHandler):
    timeout = _PATIENCE_SECONDS
    server_version = "opsd"
    sys_version = ""

    def do_GET(self) -> None:
        """Send the page."""
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        """Send what would stand above the page."""
        self._send(with_body=False)

    def log_message(self, *_: object) -> None:
        """Nothing: a scrape every few seconds is no news."""

    def _send(self, *, with_body: bool) -> None:
        found = self._answer()
        self.send_response(found.status)
        self.send_header("Content-Type", found.content_type)
        self.send_header("Content-Length", str(len(found.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_body:
            self.wfile.write(found.body)

    def _answer(self) -> Answer:
        assert isinstance(self.server, _Listener)  # noqa: S101  (nobody else makes requests)
        try:
            return self.server.pages.answer(self.path, self.headers.get("Accept", ""))
        except Exception:
            log.exception("the page %s could not be made", self.path)
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", b"failed; see the log\n")
